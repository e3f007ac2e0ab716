"""The rows that look the same as a given row in its rare answers.

A set of rows is a Python integer with one bit per row, because `&` and `bit_count` intersect and count such sets fastest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.export.gate import scales
from services.export.gate.rarity import UNTOLD, Answers, Bools, Ints, RareColumn, is_rare

RowSet = int
WITHHELD = -2
"""What a withheld cell shows, beside the values of its variable and UNTOLD."""


@dataclass
class RareAnswerTable:
    """The variables with rare answers, as they would be released now.

    `values[c]`: the merged value of each row. `known[c]`: rows whose answer is rare, none once the variable is withheld whole.
    `withheld[c]`: withheld cells; the caller changes it in place. `coarse[c]`: whether scale c cannot be merged further. `rank`: the rows
    from 0 in a secret order, shape (rows,).
    """

    columns: Sequence[Answers]
    steps: list[Ints]
    former: list[RareColumn]
    k: int
    rank: Ints
    withheld: list[Bools] = field(init=False)
    coarse: list[bool] = field(init=False)
    values: list[Ints] = field(init=False)
    known: list[Bools] = field(init=False)

    def __post_init__(self) -> None:
        self.withheld = [shown.withheld.copy() for shown in self.former]
        self.coarse = [scales.coarse(steps, column.counts()) for column, steps in zip(self.columns, self.steps, strict=True)]
        small = [np.append(steps, UNTOLD).astype(np.min_scalar_type(-1 - len(steps))) for steps in self.steps]
        self.values = [steps[column.codes] for column, steps in zip(self.columns, small, strict=True)]
        self.known = []
        for column, withheld in zip(self.columns, self.withheld, strict=True):
            self.known.append(np.append(is_rare(column.counts(), self.k), False)[column.codes] & (not withheld.all()))

    def rare_answers(self, variables: Iterable[int]) -> Ints:
        """How many rare answers each row gave to these variables. Shape (rows,)."""
        counts = np.zeros(len(self.rank), dtype=np.int32)
        for variable in variables:
            counts += self.known[variable]
        return counts

    def look_alikes(self, cache: dict[int, RowSet], variable: int, row: int) -> RowSet:
        """The rows that show the same as `row` in this variable. `cache`: the sets of this variable by what they show, filled here."""
        withheld, value = self.withheld[variable], int(self.values[variable][row])
        shown = WITHHELD if withheld[row] else value
        if shown not in cache:
            cache[shown] = row_set(withheld if shown == WITHHELD else ~withheld & (self.values[variable] == value))
        return cache[shown]


def exposing(look_alikes: dict[int, RowSet], k: int) -> set[int]:
    """The variables of which some two or three together leave a row fewer than k look-alikes. `look_alikes`: of the row, by variable."""
    exposing, variables = set[int](), list(look_alikes)
    in_all = -1
    for rows in look_alikes.values():
        in_all &= rows
    if in_all.bit_count() >= k:
        return exposing
    for at, first in enumerate(variables):
        for further, second in enumerate(variables[at + 1 :], at + 1):
            in_both = look_alikes[first] & look_alikes[second]
            if in_both.bit_count() < k:
                exposing |= {first, second}
                continue
            for third in variables[further + 1 :]:
                if not {first, second, third} <= exposing and (in_both & look_alikes[third]).bit_count() < k:
                    exposing |= {first, second, third}
    return exposing


def row_set(rows: Bools) -> RowSet:
    return int.from_bytes(np.packbits(rows, bitorder="little").tobytes(), "little")


def row_mask(rows: RowSet, count: int) -> Bools:
    """The inverse of `row_set`. Shape (count,)."""
    body = np.frombuffer(rows.to_bytes((count + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(body, count=count, bitorder="little").astype(bool)
