"""Recount of weights: raking over dictionaries of cells. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

from proto.instrument import Instrument

Cell = tuple[str, ...]
"""A group of each margin, or the class of a weight."""
Key = tuple[str, ...]
"""(question, what, …): ("B02", "cell", "cctv", "live")."""
ROUNDS = 500


@dataclass
class Weighed:
    """`counts[cell]`: what the respondents of a cell answered; `sizes[cell]`: how many they are; `sums[cell]`: of the numbers that they
    gave the rows of constant sums."""

    weights: Mapping[Cell, float]
    sizes: Mapping[Cell, int]
    counts: Mapping[Cell, Counter[Key]]
    sums: Mapping[Cell, Mapping[str, Fraction]]

    def of(self, key: Key) -> float:
        """Returns the weighted count of an answer: in each cell its respondents times their weight."""
        return sum(weight * self.counts[cell][key] for cell, weight in self.weights.items())

    def sum(self, row: str) -> float:
        """Returns the weighted sum of the numbers of a row ("B05.roads")."""
        return sum(weight * float(self.sums[cell].get(row, 0)) for cell, weight in self.weights.items())

    def answered(self, absent: Iterable[Key]) -> tuple[float, float]:
        """Returns the sum of the weights of those who answered, and their effective size."""
        gone = list(absent)
        sizes = {cell: self.sizes[cell] - sum(self.counts[cell][key] for key in gone) for cell in self.weights}
        total = sum(self.weights[cell] * n for cell, n in sizes.items())
        squares = sum(self.weights[cell] ** 2 * n for cell, n in sizes.items())
        return total, total * total / squares if squares else 0.0


def weigh(instrument: Instrument, sizes: Mapping[Cell, int]) -> tuple[dict[str, Any], dict[Cell, float]]:
    """Returns the published weighting, and the weight of each cell; no weights where figures are not weighted."""
    if (question := instrument.case_weight) is not None:
        return _of_cases({(option.code,): float(option.code) for option in question.options}, sizes, max(instrument.policy.minimum, 1))
    if not instrument.margins:
        return {"reason": "no-margin"}, {}
    least, total = max(instrument.policy.minimum, 1), sum(sizes.values())
    joined: list[list[list[str]]] = []
    for at, margin in enumerate(instrument.margins):
        count = Counter({portion.code: 0 for portion in margin.portions})
        for cell, n in sizes.items():
            count[cell[at]] += n
        joined.append(_join([[portion.code] for portion in margin.portions], count, least))
    if all(len(groups) == 1 for groups in joined):
        return {"reason": "too-few"}, {}
    factors = [[1.0] * len(groups) for groups in joined]
    place = [{code: at for at, group in enumerate(groups) for code in group} for groups in joined]
    targets_by_axis = [
        [total * sum(portion.share for portion in margin.portions if portion.code in group) for group in groups]
        for margin, groups in zip(instrument.margins, joined, strict=True)
    ]

    def weight(cell: Cell) -> float:
        product = 1.0
        for axis, code in enumerate(cell):
            product *= factors[axis][place[axis][code]]
        return product

    moved = 1.0
    for _ in range(ROUNDS):
        moved = 0.0
        for axis, targets in enumerate(targets_by_axis):
            sums = [0.0] * len(targets)
            for cell, n in sizes.items():
                sums[place[axis][cell[axis]]] += weight(cell) * n
            if not all(0 < size < inf for size in sums):  # neither is a number that is none
                return {"reason": "no-fit"}, {}
            for at, target in enumerate(targets):
                factors[axis][at] *= target / sums[at]
                moved = max(moved, abs(target / sums[at] - 1))
        if moved < 1e-13 or max(map(weight, sizes)) > 1e6:
            break
    if moved > 1e-9:
        return {"reason": "no-fit"}, {}
    weights = {cell: weight(cell) for cell in sizes}
    worth = sum(weights[cell] * n for cell, n in sizes.items()) ** 2 / sum(weights[cell] ** 2 * n for cell, n in sizes.items())
    if worth < least:
        return {"reason": "too-few"}, {}
    groups = {margin.of: groups_joined for margin, groups_joined in zip(instrument.margins, joined, strict=True)}
    return {"groups": groups, "responses": total, "n_eff": worth, "deff": total / worth}, weights


def _of_cases(given: Mapping[Cell, float], sizes: Mapping[Cell, int], least: int) -> tuple[dict[str, Any], dict[Cell, float]]:
    """Returns the weighting, and for each class that the data bring its weight, in proportion to the mean."""
    total, whole = sum(sizes.values()), sum(given[cell] * n for cell, n in sizes.items())
    weights = {cell: given[cell] * total / whole for cell in sizes}
    worth = total**2 / sum(weights[cell] ** 2 * n for cell, n in sizes.items()) if sizes else 0.0
    if worth < least:
        return {"reason": "too-few"}, {}
    return {"cases": True, "responses": total, "n_eff": worth, "deff": total / worth}, weights


def _join(groups: list[list[str]], count: Counter[str], least: int) -> list[list[str]]:
    """Joins the smallest group to its smaller neighbour (the earlier of two equal ones) until none is below `least`."""
    sizes = [sum(count[code] for code in group) for group in groups]
    if len(groups) == 1 or min(sizes) >= least:
        return groups
    at = sizes.index(min(sizes))
    with_earlier = at == len(groups) - 1 or (at > 0 and sizes[at - 1] <= sizes[at + 1])
    first = at - 1 if with_earlier else at
    return _join([*groups[:first], groups[first] + groups[first + 1], *groups[first + 2 :]], count, least)
