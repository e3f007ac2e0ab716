"""Generalisation hierarchies: the coarser values of a quasi-identifier, with the cost of each step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TOP = "*"

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ValueHierarchy:
    """The values of a variable, as its codes 0, 1, … name them, and for each the labels above it from near to far, without "*".

    `numbers`: the number each value stands for, NaN where it stands for none ("not answered"); empty for categories.
    Missing is a value like any other and has no label above it, so that it mixes with answers only in "*".
    """

    name: str
    values: tuple[str, ...]
    above: tuple[tuple[str, ...], ...]
    numbers: tuple[float, ...] = ()

    def paths(self) -> list[tuple[str, ...]]:
        """From "*" down to the value itself."""
        return [(TOP, *reversed(labels), value) for value, labels in zip(self.values, self.above, strict=True)]


@dataclass(frozen=True)
class Node:
    """A value that may be released: its label, and the codes it stands for."""

    label: str
    members: tuple[int, ...]


@dataclass(frozen=True)
class Ladder:
    """A hierarchy over the values that occur, in an order in which the values below each node stand side by side.

    Siblings are ordered by number, or else the most frequent first: a cut then takes the common value from the rare ones.
    `order[p]` is the code at place p, `place[code]` its place, -1 where it does not occur.
    """

    hierarchy: ValueHierarchy
    order: Ints
    place: Ints

    @staticmethod
    def of(hierarchy: ValueHierarchy, codes: NDArray[np.integer]) -> Ladder:
        counts = np.bincount(codes, minlength=len(hierarchy.values))
        paths = hierarchy.paths()
        weight: dict[tuple[str, ...], tuple[float, int]] = {}
        for code, path in enumerate(paths):
            number = hierarchy.numbers[code] if hierarchy.numbers else float("nan")
            for depth in range(1, len(path) + 1):
                key, first = (float("inf"), code) if hierarchy.numbers else (0.0, code)
                known, first = weight.get(path[:depth], (key, first))
                known = min(known, number if number == number else known) if hierarchy.numbers else known - float(counts[code])
                weight[path[:depth]] = known, first
        places = sorted(
            (code for code in range(len(paths)) if counts[code]),
            key=lambda code: [weight[paths[code][:depth]] for depth in range(1, len(paths[code]) + 1)],
        )
        order = np.array(places, dtype=np.int64)
        place = np.full(len(paths), -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        return Ladder(hierarchy, order, place)

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of the hierarchy, values first in the order of their codes, "*" last: ids that stay from release to release."""
        below: dict[tuple[str, ...], list[int]] = {}
        paths = self.hierarchy.paths()
        for code, path in enumerate(paths):
            for depth in range(len(path) - 1, 1, -1):
                below.setdefault(path[:depth], []).append(code)
        between = [Node(path[-1], tuple(codes)) for path, codes in below.items()]
        leaves = [Node(value, (code,)) for code, value in enumerate(self.hierarchy.values)]
        return (*leaves, *between, Node(TOP, tuple(range(len(paths)))))

    @cached_property
    def holds(self) -> NDArray[np.bool_]:
        """Which values each node covers. Shape (nodes, values)."""
        table = np.zeros((len(self.nodes), len(self.hierarchy.values)), dtype=bool)
        for index, node in enumerate(self.nodes):
            table[index, list(node.members)] = True
        return table

    @cached_property
    def joined(self) -> Ints:
        """The nearest node that covers both of two places, the finer of equals, as an index into `nodes`. Shape (places, places)."""
        table = np.full((len(self), len(self)), len(self.nodes) - 1, dtype=np.int64)
        for index in sorted(range(len(self.nodes) - 1), key=lambda index: (-len(self.nodes[index].members), -index)):
            at = self.place[list(self.nodes[index].members)]
            at = at[at >= 0]
            table[np.ix_(at, at)] = index
        return table

    @cached_property
    def parents(self) -> Ints:
        """The node above each node; "*" is above itself. Shape (nodes,)."""
        paths = self.hierarchy.paths()
        number: dict[tuple[str, ...], int] = {(TOP,): len(self.nodes) - 1}
        between = len(paths)
        for path in paths:
            for depth in range(len(path) - 1, 1, -1):
                if path[:depth] not in number:
                    number[path[:depth]] = between
                    between += 1
        above = np.full(len(self.nodes), len(self.nodes) - 1, dtype=np.int64)
        for code, path in enumerate(paths):
            above[code] = number[path[:-1]]
            for depth in range(len(path) - 1, 1, -1):
                above[number[path[:depth]]] = number[path[: depth - 1]]
        return above

    @cached_property
    def costs(self) -> NDArray[np.float32]:
        """What releasing each node costs. Shape (nodes,)."""
        return np.array([self._cost(self.place[list(node.members)]) for node in self.nodes], dtype=np.float32)

    @cached_property
    def node_costs(self) -> NDArray[np.float32]:
        """The cost of releasing the node that joins two places. Shape (places, places)."""
        return self.costs[self.joined]

    @cached_property
    def range_costs(self) -> NDArray[np.float32] | None:
        """The cost of releasing numbers between two places; None for categories. Shape (places, places)."""
        if not self.hierarchy.numbers:
            return None
        lowest, highest = np.meshgrid(self._numbers, self._numbers, indexing="ij")
        span = np.abs(highest - lowest) / self._range
        same = np.eye(len(self), dtype=bool)
        return np.where(same, 0.0, np.where(np.isnan(span), 1.0, span)).astype(np.float32)

    @cached_property
    def _numbers(self) -> NDArray[np.float64]:
        return np.array(self.hierarchy.numbers, dtype=np.float64)[self.order]

    @cached_property
    def _range(self) -> float:
        known = self._numbers[~np.isnan(self._numbers)]
        return float(known.max() - known.min()) or 1.0 if len(known) else 1.0

    def _cost(self, at: Ints) -> float:
        """0 for one value, 1 for all that occur; in between by the range of numbers, or else by how many values."""
        at = at[at >= 0]
        if len(at) <= 1:
            return 0.0
        if self.hierarchy.numbers and not np.isnan(self._numbers[at]).any():
            return float(np.ptp(self._numbers[at])) / self._range
        return 1.0 if self.hierarchy.numbers else (len(at) - 1) / (len(self) - 1)
