"""The released state of a survey: what every public figure is read from until the next one is released."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proto.snapshot import Snapshot
from services.analysis import disclose, stats
from services.analysis.draws import Draws
from services.analysis.fold import Folder
from services.analysis.layout import arrange
from services.analysis.standing import Standing, advance, carried_over, nothing
from services.analysis.state import State


@dataclass(frozen=True)
class ReleasedState:
    folder: Folder
    standing: Standing
    noisy: State
    """Counts with noise in the widened columns, and nothing else; the same computations read it as read an exact state."""
    shown: NDArray[np.bool_]
    """Which counts of two answers are shown."""
    public: Snapshot

    @classmethod
    def of(cls, folder: Folder, standing: Standing, as_of: str, draws: Draws) -> ReleasedState:
        book, policy = folder.codebook, folder.codebook.instrument.policy
        layout = arrange(book)
        state = folder.empty()
        shown = standing.shown(policy.minimum)
        told = shown | np.eye(layout.width, dtype=np.bool_)
        state.burt = np.where(told, disclose.noisy(standing, layout, policy, draws), 0.0)  # nothing rests on what is not shown
        whole = stats.exact(book, state, revision=standing.revision, as_of=as_of)
        return cls(folder, standing, state, shown, disclose.conceal(whole, layout, shown))


def release(folder: Folder, state: State, before: ReleasedState | None, revision: int, as_of: str, draws: Draws) -> ReleasedState:
    """The next released state, after `before`, which may be of another version of the questionnaire."""
    layout, batch = arrange(folder.codebook), folder.codebook.instrument.policy.batch
    if before is None:
        standing = nothing(layout.width, batch, draws)
    elif before.folder.codebook.digest == folder.codebook.digest:
        standing = before.standing
    else:
        standing = carried_over(before.standing, arrange(before.folder.codebook), layout, batch, draws)
    return ReleasedState.of(folder, advance(standing, layout, state, revision, batch, draws), as_of, draws)
