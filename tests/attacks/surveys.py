"""A simulated survey from its first answer to its last, and everything that is published on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proto.answers import Reader
from services.analysis.disclose import noisy
from services.analysis.draws import Draws
from services.analysis.fold import Folder
from services.analysis.layout import arrange
from services.analysis.standing import advance, nothing
from services.analysis.tables import side
from tests.analysis.small import Answers, book, survey

POLICY = survey().policy
_READER = Reader(survey())
Counts = NDArray[np.float64]


def columns(name: str) -> NDArray[np.intp]:
    return side(book(), name).columns


def key(seed: int) -> bytes:
    return b"%32d" % seed


@dataclass(frozen=True)
class Moment:
    """One public state: after so many answers, every count that can be had, NaN where none is; `at` tells at which state each moved."""

    answers: int
    counts: Counts
    at: NDArray[np.int32]


def ours(people: list[Answers], seed: int) -> list[Moment]:
    """What is released of a survey in which these answer one after the other: a state for each batch."""
    folder, draws, layout = Folder(book(), key(seed)), Draws(key(seed), "small"), arrange(book())
    state, standing = folder.empty(), nothing(layout.width, POLICY.batch, draws)
    found: list[Moment] = []
    for start in range(0, len(people) - POLICY.batch + 1, POLICY.batch):
        batch = people[start : start + POLICY.batch]
        folder.fold(state, [(f"{start + i:032x}", _READER.convert(one)[0]) for i, one in enumerate(batch)])
        standing = advance(standing, layout, state, len(found) + 1, POLICY.batch, draws)
        seen = standing.shown(POLICY.minimum) | np.eye(layout.width, dtype=np.bool_)
        counts = noisy(standing, layout, POLICY, draws)
        found.append(Moment(start + len(batch), np.where(seen, counts, np.nan), standing.at))
    return found
