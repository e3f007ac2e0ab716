"""Gathering: within each class of a cut, the rarest combinations take their nearest neighbours until they are k.

Greedy k-member clustering (Byun, Kamra, Bertino and Li, DASFAA 2007) starting, as in MDAV (Domingo-Ferrer and Torra 2005),
from what lies farthest; all classes at once. A combination of more than k rows may lend what it has beyond k, so that few rows
are generalised with a rare one and the rest keep their exact values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.export.protect.combinations import Combinations
from services.export.protect.regions import Regions, Space

Ints = NDArray[np.int64]

CELLS = 1 << 21
"""Pairs of combinations looked at together: what bounds the memory."""
STRANDED = np.float32(0.15)
"""What it costs extra to take a combination of exactly k rows, which could have stood by itself."""


@dataclass(frozen=True)
class ClassPieces:
    """Piece i: `rows[i]` rows of combination `combination[i]` in class `classes[i]` of `count`."""

    combination: Ints
    classes: Ints
    rows: Ints
    count: int

    @staticmethod
    def of(classes: Ints, rows: Ints) -> ClassPieces:
        """Whole combinations, each in its class."""
        return ClassPieces(np.arange(len(classes)), classes, rows, int(classes.max()) + 1)


class _Found:
    """The pieces found so far, and which class number each new class gets."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Ints]] = []
        self._merged: list[tuple[Ints, Ints]] = []
        self.count = 0

    def number(self, many: int) -> Ints:
        self.count += many
        return np.arange(self.count - many, self.count)

    def add(self, combination: Ints, classes: Ints, rows: Ints) -> None:
        self._parts.append((combination, classes, rows))

    def merge(self, classes: Ints, into: Ints) -> None:
        self._merged.append((classes, into))

    def pieces(self) -> ClassPieces:
        combination, classes, rows = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        lives, into = np.ones(self.count, dtype=bool), np.arange(self.count)
        for merged, other in self._merged:
            lives[merged], into[merged] = False, other
        numbers = np.cumsum(lives) - 1
        return ClassPieces(combination, numbers[into[classes]], rows, int(lives.sum()))


def gather(pieces: ClassPieces, combinations: Combinations, space: Space, k: int) -> ClassPieces:
    """Finer classes of at least k rows within the given ones."""
    order = np.argsort(pieces.classes, kind="stable")
    combination, rows = pieces.combination[order], pieces.rows[order]
    sizes = np.bincount(pieces.classes, minlength=pieces.count)
    starts = np.cumsum(sizes) - sizes
    total = np.add.reduceat(rows, starts)
    alone = space.of(combinations)
    found = _Found()
    settled = (sizes == 1) | (total < 2 * k)
    whole = np.repeat(settled, sizes)
    found.add(combination[whole], np.repeat(found.number(int(settled.sum())), sizes[settled]), rows[whole])
    upto = 1
    while not settled.all():
        upto *= 2
        chosen = np.flatnonzero(~settled & (sizes <= upto))
        settled[chosen] = True
        step = max(CELLS // (upto * upto), 1)
        for begin in range(0, len(chosen), step):
            some = chosen[begin : begin + step]
            column = np.arange(upto)
            there = column < sizes[some][:, None]
            at = np.where(there, starts[some][:, None] + column, starts[some][:, None])
            _Blocks(combination[at], np.where(there, rows[at], 0), alone, space, k, found).gather()
    return found.pieces()


class _Blocks:
    """Classes with up to the same number of combinations, as rows of a matrix. `left[b, i]`: rows of it not yet in a class."""

    def __init__(self, combination: Ints, left: Ints, alone: Regions, space: Space, k: int, found: _Found) -> None:
        self.combination, self.left, self.space, self.k, self.found = combination, left, space, k, found
        self.regions = alone.at(combination)
        self.distances = space.cost(self.regions.at((slice(None), slice(None), None)).join(self.regions.at((slice(None), None))))
        self.latest = np.full(len(left), -1, dtype=np.int64)

    def gather(self) -> None:
        blocks = np.arange(len(self.left))
        while True:
            left = self.left[blocks]
            rare = (left > 0) & (left < self.k)
            some = rare.any(axis=1)
            if not some.any():
                break
            blocks, left, rare = blocks[some], left[some], rare[some]
            far = np.matmul(self.distances[blocks], left[:, :, None].astype(np.float32))[:, :, 0]
            self._grow(blocks, np.where(rare, far, np.float32(-1)).argmax(axis=1))
        block, at = np.nonzero(self.left)
        self.found.add(self.combination[block, at], self.found.number(len(block)), self.left[block, at])

    def _grow(self, blocks: Ints, seeds: Ints) -> None:
        """Builds one class per block: the seed, then the rows that widen the class least, until it has k."""
        numbers = self.found.number(len(blocks))
        size, region = self.left[blocks, seeds], self.regions.at((blocks, seeds))
        self._take(blocks, seeds, numbers, size.copy())
        growing = np.flatnonzero(size < self.k)
        while len(growing):
            at = blocks[growing]
            left = self.left[at]
            there = left > 0
            stuck = ~there.any(axis=1)
            if stuck.any():  # all else in the block is in a class: what is left joins the latest
                self.found.merge(numbers[growing[stuck]], self.latest[at[stuck]])
                numbers[growing[stuck]] = self.latest[at[stuck]]
                growing, at, left, there = growing[~stuck], at[~stuck], left[~stuck], there[~stuck]
                if not len(growing):
                    break
            wider = self.space.cost(region.at((growing, None)).join(self.regions.at(at)))
            wider += np.where(left == self.k, STRANDED, np.float32(0))
            chosen = np.where(there, wider, np.float32(np.inf)).argmin(axis=1)
            has, needs = left[np.arange(len(at)), chosen], self.k - size[growing]
            taken = np.where(has > self.k, np.minimum(has - self.k, needs), has)
            self._take(at, chosen, numbers[growing], taken)
            size[growing] += taken
            region.put(growing, region.at(growing).join(self.regions.at((at, chosen))))
            growing = growing[size[growing] < self.k]
        self.latest[blocks] = numbers

    def _take(self, blocks: Ints, at: Ints, numbers: Ints, rows: Ints) -> None:
        self.found.add(self.combination[blocks, at], numbers, rows)
        self.left[blocks, at] -= rows
