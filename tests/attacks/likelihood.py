"""How likely a cell's published history is if somebody joined it, against if not: all that can be said without the record key.

The count of a cell is a hidden chain: between two moments at which the cell moved, a binomial number of people joined. What is
shown of it follows from the count by the perturbation table, which everybody may know; while nobody joins a cell of two answers
it goes on saying the same. Summing over all counts (L. R. Rabiner, A tutorial on hidden Markov models, Proceedings of the IEEE
77, 1989) leaves nothing of the history unused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from services.analysis.ptable import KEYS, table
from tests.attacks.surveys import POLICY

Floats = NDArray[np.float64]
MOST = POLICY.max_noise
FLOOR = 1e-12


@dataclass(frozen=True)
class History:
    """What was shown of a cell each time it moved, and how many people came by before who could have joined it. `anew`: noise is
    drawn at each moment, as in counts of single answers."""

    shown: list[int]
    came: list[int]
    share: float
    """Of those who came by, about so many join."""
    anew: bool = False


def advantage_of_one(history: History, step: int) -> float:
    """The logarithm of the likelihood ratio: one certain person joined before the moment `step`, against did not. 0 where nothing
    moved since."""
    if step >= len(history.shown):
        return 0.0
    return _likelihood(history, step, 1) - _likelihood(history, step, 0)


def _likelihood(history: History, step: int, joined: int) -> float:
    """Of the history, where of those who came before `step` one is known to have joined, or not to have."""
    size = sum(history.came) + 1
    counts, total = np.zeros(size + 1), 0.0
    counts[0] = 1.0
    before: int | None = None
    for place, (value, came) in enumerate(zip(history.shown, history.came, strict=True)):
        others = binomial(came - (place == step), history.share)
        arrivals = np.concatenate([[0.0], others]) if place == step and joined else others
        told = shown_as(value, size)
        if before is None or history.anew:
            counts = np.convolve(counts, arrivals)[: size + 1] * told
        else:
            rest = counts * arrivals[0] * (value == before)
            moved = np.convolve(counts, np.concatenate([[0.0], arrivals[1:]]))[: size + 1]
            counts = rest + moved * told
        sum_ = counts.sum()
        if sum_ <= FLOOR:
            return total + float(np.log(FLOOR))
        total += float(np.log(sum_))
        counts = counts / sum_
        before = value
    return total


@cache
def binomial(n: int, p: float) -> Floats:
    """Shape (n + 1,)."""
    n = max(n, 0)
    return np.array([comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])


@cache
def _noise() -> Floats:
    """How often each noise from -MOST to MOST is drawn, for each count up to the last row of the table."""
    rows = table(POLICY.max_noise, POLICY.variance)
    return np.array([np.bincount(row.astype(int) + MOST, minlength=2 * MOST + 1) for row in rows]) / KEYS


def shown_as(value: int, size: int) -> Floats:
    """How likely each count from 0 to `size` is shown as `value`."""
    noise, found = _noise(), np.zeros(size + 1)
    for count in range(max(value - MOST, 0), min(value + MOST, size) + 1):
        found[count] = noise[min(count, len(noise) - 1), value - count + MOST]
    return found


def pair_ratio(larger: int, smaller: int, sharing: float) -> float:
    """The logarithm of the likelihood ratio for two cells of one moment, one of which holds the people of the other: that it holds
    one person more, against that it holds the same. `sharing`: how often two such cells have been seen to have the same noise."""
    size = max(larger, smaller) + MOST
    big, small = shown_as(larger, size + 1), shown_as(smaller, size + 1)
    same = big @ small
    one_more = big[1:] @ small[:-1]
    equal = (small.sum() if larger == smaller else 0.0) * sharing + same * (1 - sharing)
    return float(np.log(max(one_more, FLOOR)) - np.log(max(equal, FLOOR)))


def moments_of(at: list[int]) -> list[int]:
    """The places in a list of states at which a cell moved."""
    return [place for place, (one, other) in enumerate(pairwise([0, *at])) if one != other]
