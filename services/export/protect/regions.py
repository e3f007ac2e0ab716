"""Regions: which values a class of rows covers in each variable, how two join, what releasing one costs."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from services.export.protect.combinations import Combinations
from services.export.protect.hierarchy import Ladder

WORD = 64


class Regions(NamedTuple):
    """Many regions at once, of any shape behind the first axis.

    `spans`: minus the first place and the last place of each ordered variable, so that a join is a maximum.
    `sets`: the places of each unordered variable as bits, so that a join is an "or".
    """

    spans: NDArray[np.int16]
    sets: NDArray[np.uint64]

    def at(self, index: Any) -> Regions:
        """Those at an index of the axes behind the first."""
        behind = cast("Any", (slice(None), *index) if isinstance(index, tuple) else (slice(None), index))
        return Regions(self.spans[behind], self.sets[behind])

    def join(self, other: Regions) -> Regions:
        return Regions(np.maximum(self.spans, other.spans), self.sets | other.sets)

    def put(self, index: Any, other: Regions) -> None:
        self.spans[:, index], self.sets[:, index] = other.spans, other.sets


class Space:
    """The regions over some variables. `tables[v]`: the cost from first to last place, None where a region is any set of values.

    The cost is the normalised certainty penalty (Xu et al., Utility-based anonymization, KDD 2006), added up over the variables:
    0 for an exact value, 1 for a variable of which nothing is told.
    """

    def __init__(self, sizes: list[int], tables: list[NDArray[np.float32] | None]) -> None:
        self.sizes, self.tables = sizes, tables
        self._flat: list[NDArray[np.float32] | None] = [None if table is None else np.ascontiguousarray(table).ravel() for table in tables]
        self._words = [0 if table is not None else -(-size // WORD) for size, table in zip(sizes, tables, strict=True)]

    @staticmethod
    def hierarchy(ladders: list[Ladder]) -> Space:
        """Regions are nodes of the hierarchies."""
        return Space([len(ladder) for ladder in ladders], [ladder.node_costs for ladder in ladders])

    @staticmethod
    def sets(ladders: list[Ladder]) -> Space:
        """Regions are sets of values; of numbers, the range counts."""
        return Space([len(ladder) for ladder in ladders], [ladder.range_costs for ladder in ladders])

    def of(self, combinations: Combinations) -> Regions:
        """The region of each combination by itself."""
        places = combinations.places
        spans = [sign * places[v] for v, table in enumerate(self.tables) if table is not None for sign in (-1, 1)]
        sets = [
            np.where(places[v] // WORD == word, np.left_shift(np.uint64(1), (places[v] % WORD).astype(np.uint64)), np.uint64(0))
            for v, words in enumerate(self._words)
            for word in range(words)
        ]
        count = places.shape[1]
        return Regions(
            np.stack(spans).astype(np.int16) if spans else np.zeros((0, count), np.int16),
            np.stack(sets).astype(np.uint64) if sets else np.zeros((0, count), np.uint64),
        )

    def cost(self, regions: Regions) -> NDArray[np.float32]:
        shape: tuple[int, ...] = regions.spans.shape[1:]
        total: NDArray[np.float32] = np.zeros(shape, dtype=np.float32)
        span, word = 0, 0
        for size, flat, words in zip(self.sizes, self._flat, self._words, strict=True):
            if flat is not None:
                cells = regions.spans[span + 1].astype(np.int32) - regions.spans[span].astype(np.int32) * size
                np.add(total, flat[cells], out=total)
                span += 2
            elif size > 1:
                values = np.bitwise_count(regions.sets[word : word + words]).sum(axis=0, dtype=np.float32)
                np.add(total, (values - np.float32(1)) * np.float32(1 / (size - 1)), out=total)
            word += words
        return total

    def covering(self, regions: Regions, classes: NDArray[np.int64], count: int) -> Regions:
        """The least region that covers each of `count` classes; `regions[i]` lies in class `classes[i]`, and none is empty."""
        order = np.argsort(classes, kind="stable")
        starts = np.searchsorted(classes[order], np.arange(count))
        return Regions(
            np.maximum.reduceat(regions.spans[:, order], starts, axis=1),
            np.bitwise_or.reduceat(regions.sets[:, order], starts, axis=1),
        )

    def spans_of(self, regions: Regions, variable: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last place of an ordered variable."""
        before = 2 * sum(table is not None for table in self.tables[:variable])
        return -regions.spans[before].astype(np.int64), regions.spans[before + 1].astype(np.int64)
