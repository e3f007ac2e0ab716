"""Neighbouring answers of an ordered scale are merged where too few gave one, so that both ends of the scale stay in the data. Pure.

A step is a run of neighbouring answers that are released as one value. `steps[a]` is the first answer of the step of answer a: a scale of
four answers of which the first two are merged has the steps 0, 0, 2, 3. Steps only grow.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

FEWEST = 2
"""A scale of one step would tell nothing: from here on cells are withheld instead."""
MOST = 2 / 3
"""Of all who answered, so many at most are merged into one step for company."""
EVEN = 0.3
"""By how much more of a step may be withheld than of its whole scale: beyond it a mean of what is left would lean away from the step."""


def large_enough(steps: Ints, answered: Ints, k: int) -> Ints:
    """Returns steps that at least k people gave each, or nobody gave, as long as two given steps are left. `answered`: people by answer."""
    while True:
        many = _of_steps(steps, answered)
        small = np.flatnonzero((many > 0) & (many < k))
        if not len(small) or coarse(steps, answered):
            return steps
        least = int(small[many[small].argmin()])
        steps = _joined(steps, *min((pair for pair in _pairs(many) if least in pair), key=lambda pair: many[list(pair)].sum()))


def coarse(steps: Ints, answered: Ints) -> bool:
    """Whether no more than two steps are left."""
    return int((_of_steps(steps, answered) > 0).sum()) <= FEWEST


def coarser(steps: Ints, answered: Ints, rare: Bools, sides: Ints | None, step: int | None = None) -> Ints | None:
    """With the two neighbours merged that fewest gave: of rare answers alone if there are such, else with some. None where both would be
    most of all, or no more than two steps are left. `sides`: only of one side of the scale; `step`: only with this one."""
    many = _of_steps(steps, answered)
    some, only = _of_steps(steps, answered * rare) > 0, _of_steps(steps, answered * ~rare) == 0
    if coarse(steps, answered):
        return None
    pairs = [pair for pair in _pairs(many) if (step is None or step in pair) and (sides is None or sides[pair[0]] == sides[pair[1]])]
    pairs = sorted(
        (pair for pair in pairs if some[list(pair)].any()), key=lambda pair: (not only[list(pair)].all(), many[list(pair)].sum())
    )
    return next((_joined(steps, *pair) for pair in pairs if many[list(pair)].sum() <= MOST * many.sum()), None)


def leaning(steps: Ints, answered: Ints, shown: Ints) -> int | None:
    """Returns the smallest step of which a much larger share is withheld than of the whole scale; None if there is none.

    `answered`, `shown`: people by answer, before and after withholding.
    """
    many, left = _of_steps(steps, answered), _of_steps(steps, shown)
    usual = 1 - shown.sum() / max(int(answered.sum()), 1)
    leaning_steps = np.flatnonzero((many > 0) & (many - left > (usual + EVEN) * many))
    return int(leaning_steps[many[leaning_steps].argmin()]) if len(leaning_steps) else None


def _of_steps(steps: Ints, people: Ints) -> Ints:
    """People by step, at the place of its first answer."""
    return np.bincount(steps, people, len(steps)).astype(np.int64)


def _pairs(many: Ints) -> list[tuple[int, int]]:
    """Pairs of neighbouring steps among those that were given."""
    return list(pairwise(np.flatnonzero(many).tolist()))


def _joined(steps: Ints, low: int, high: int) -> Ints:
    """The steps with these two merged, and the empty steps between them."""
    merged = steps.copy()
    merged[(steps >= low) & (steps <= high)] = low
    return merged
