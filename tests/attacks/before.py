"""The build of before, kept to be attacked: cell keys, noise of variance 3, an edition for every ten who joined or left.

Every response has a secret record key, and a count has the noise that a table gives for the sum of its members' keys. Single counts
get other noise at each edition; a count of two answers keeps its noise while its members stay, and moves only after its row and
its column each went through a batch of net joins or leaves. Whoever takes part finds three ways in: sending and withdrawing makes
editions, a count that nobody joined says the same again, and groups of the same people have the same noise.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from tests.attacks.builds import Edition, Pairs, People, Survey
from tests.attacks.population import Blocks, Floats, Ints

MINIMUM = BATCH = 10
MOST, VARIANCE = 5, 3.0
KEYS = 1 << 16


@cache
def distribution(count: int) -> tuple[Ints, Floats]:
    """The noise of a count above 0 and how probable each is: as uncertain as mean 0, the variance and the maximum allow, where 1 and 2
    never come out."""
    noise = np.array([e for e in range(-min(count, MOST), MOST + 1) if count + e not in (1, 2)])

    def weights(slopes: Floats) -> Floats:
        raw = np.exp(slopes[0] * noise + slopes[1] * noise**2)
        return raw / raw.sum()

    def off(slopes: Floats) -> Floats:
        found = weights(slopes)
        return np.array([found @ noise, found @ noise**2 - VARIANCE])

    return noise, weights(root(off, np.array([0.0, -0.1])).x)


@cache
def table() -> NDArray[np.int8]:
    """Noise by count and key; all counts from the last row on share it. Shape (MOST + 4, KEYS)."""
    rows = [np.zeros(KEYS, np.int8)]
    for count in range(1, MOST + 4):
        noise, weights = distribution(count)
        ends = np.rint(np.cumsum(weights) * KEYS).astype(int)
        rows.append(np.repeat(noise, np.diff(ends, prepend=0)).astype(np.int8))
    return np.array(rows)


def perturb(counts: Floats, keys: NDArray[np.uint64]) -> Floats:
    rows = np.minimum(counts, MOST + 3).astype(np.intp)
    return counts + table()[rows, (keys & np.uint64(KEYS - 1)).astype(np.intp)]


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class BeforeSurvey:
    def __init__(self, blocks: Blocks, seed: int) -> None:
        self._blocks, self._draw = blocks, np.random.default_rng(seed)
        width = blocks.width
        self._keys, self._groups = self._draw.integers(0, 2**64, (2, 1 << 14), np.uint64)
        self._edition, self._there = -1, np.zeros(0, np.int64)
        self._shown = np.zeros((width, width))
        self._moved = np.full((width, width), -1)
        self._sizes = np.zeros(width)
        self._due, self._since = np.full(width, -1), np.full(width, -2)
        self._steps = self._waits(width)

    def _waits(self, width: int) -> Ints:
        return self._draw.integers(BATCH, 2 * BATCH, width)

    def publish(self, people: People, *, closing: bool = False, day: int = 0) -> Edition | None:
        gross = len(np.setxor1d(people.numbers, self._there, assume_unique=True))
        size = len(people.numbers)
        if size < MINIMUM or (self._edition >= 0 and gross < BATCH):
            return None
        self._edition, self._there = self._edition + 1, people.numbers
        keys = (self._keys[people.numbers] & np.uint64(KEYS - 1)).astype(np.float64)
        counts = people.counts()
        sums = ((people.rows.T * keys) @ people.rows.astype(np.float64)).astype(np.uint64)
        self._advance(counts, sums, size)
        single = counts.diagonal()
        anew = self._draw.integers(0, KEYS, KEYS, np.uint64)
        singles = perturb(single, anew[(sums.diagonal() & np.uint64(KEYS - 1)).astype(np.intp)])
        singles = np.where(single == size, size, singles)
        enough = self._sizes >= MINIMUM
        shown = np.where((self._moved >= 0) & enough[:, None] & enough, self._shown, np.nan)
        return Edition(size, singles, self._answered(size, single, singles), shown, self._moved.copy())

    def _answered(self, size: int, single: Floats, singles: Floats) -> Floats:
        """Of a question that nobody left out the exact number is told; of others it has noise of its own."""
        left_out = single[self._blocks.skipped]
        noisy = perturb(size - left_out, self._draw.integers(0, KEYS, len(left_out), np.uint64))
        return np.where(left_out == 0, size, noisy)

    def _advance(self, counts: Floats, sums: NDArray[np.uint64], size: int) -> None:
        single = counts.diagonal()
        same = ((counts == single) & (counts == single[:, None])).argmax(axis=1)
        one = np.where(single >= BATCH, same, np.arange(len(single)))
        moved = np.abs(single - self._sizes)[one] >= self._steps[one]
        moved |= single == size
        self._since = np.where(moved, self._due[one], self._since[one])
        self._due = np.where(moved, self._edition, self._due[one])
        self._sizes = np.where(moved, single, self._sizes[one])
        self._steps = np.where(moved, self._waits(len(single))[one], self._steps[one])
        fresh = (self._since[:, None] >= self._moved) & (self._since >= self._moved)
        groups = self._groups[: len(single)][one]
        crossed = mixed((groups[:, None] + groups) ^ (sums * np.uint64(0x9E3779B97F4A7C15)))
        self._shown = np.where(fresh, perturb(counts, crossed), self._shown)
        self._moved = np.where(fresh, self._edition, self._moved)


class Before:
    """Own answers are sent and withdrawn in turns, so many at once that rows move; every batch of them is an edition."""

    name = "before"
    evenly, projected = True, False

    def survey(self, blocks: Blocks, seed: int, *, invited: bool = False, asked: Pairs | None = None) -> Survey:
        return BeforeSurvey(blocks, seed)

    def course(self, people: int, own: int, height: int | None = None) -> list[range]:
        height = max((height or min(own // 2, MOST_AT_ONCE)) // BATCH * BATCH, BATCH)
        wave = [*range(BATCH, height + 1, BATCH), *range(height - BATCH, -1, -BATCH)]
        return [range(0), *(range(first, first + stand) for first in range(0, own - height + 1, height) for stand in wave)]

    def turn(self, people: int, course: list[range]) -> int:
        return len(course) // 2 + 1

    def noise(self, sizes: list[int], *, invited: bool = False, groups: int = 0, absent: bool = False) -> Floats:
        return np.eye(len(sizes)) * VARIANCE

    def table_noise(self, size: int, *, invited: bool = False) -> tuple[float, float]:
        return 0.0, VARIANCE

    def most_off(self, people: int) -> float:
        return MOST

    def wait(self, people: int) -> int:
        return BATCH


MOST_AT_ONCE = 240
"""So many own answers, spread evenly over eight options, make every row move on the way up and on the way down."""
