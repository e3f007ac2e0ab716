"""A variable before protection beside the same after it, as integer codes: the input of every measure of the report. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proto.instrument import Role, Texts
from services.export.dataset.table import Dataset, DatasetColumn
from services.export.dataset.variables import MISSING, SKIPPED, WITHHELD, Variable
from services.export.gate.quasi_identifiers import codes_of

Codes = NDArray[np.integer[Any]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ABSENT = frozenset({MISSING, SKIPPED, WITHHELD})
EXACT, ALL = "as answered", "not shown"


@dataclass(frozen=True)
class Value:
    """A released value: the places of the answers that it covers, and its level of detail."""

    code: str
    members: tuple[int, ...]
    level: str = EXACT


@dataclass(frozen=True)
class ComparedVariable:
    """`before[r]`: the place in `answers` of what respondent r answered. `after[r]`: the place in `released` of what row r shows.

    The rows of `after` are fewer where some were left out, and in an order of their own: whose they are is not needed.
    """

    name: str
    label: Texts
    role: Role
    ordered: bool
    answers: tuple[str, ...]
    released: tuple[Value, ...]
    before: Codes
    after: Codes
    levels: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    """Answers that give nothing away when a whole group has them: an option that nobody of it chose."""

    @property
    def identifies(self) -> bool:
        return self.role == "quasi_identifier"

    @property
    def exact(self) -> bool:
        """Whether every value that is shown is the answer itself."""
        return all(len(value.members) == 1 for value, count in zip(self.released, self.counts, strict=True) if count)

    @cached_property
    def counts(self) -> Ints:
        """Rows that show each value."""
        return np.bincount(self.after, minlength=len(self.released))

    @cached_property
    def given(self) -> Ints:
        """Respondents who gave each answer."""
        return np.bincount(self.before, minlength=len(self.answers))

    @property
    def occurring(self) -> NDArray[np.bool_]:
        """Which answers were given. Shape (answers,)."""
        return self.given > 0

    @cached_property
    def rarity(self) -> float:
        """The mean of 1 / (rows with that answer) over the answers that occur, times how many there are: the chance to be rare."""
        return float((1 / self.given[self.occurring]).sum())

    @cached_property
    def within(self) -> NDArray[np.bool_]:
        """Which answers each released value covers. Shape (released values, answers)."""
        table = np.zeros((len(self.released), len(self.answers)), dtype=bool)
        for place, value in enumerate(self.released):
            table[place, list(value.members)] = True
        return table

    @cached_property
    def spread(self) -> Floats:
        """The share of each answer in each released value, spread evenly over the answers that occur. Shape as `within`."""
        inside = self.within & self.occurring
        return inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)

    @cached_property
    def substantive(self) -> NDArray[np.bool_]:
        """Which answers are answers, not reasons for their absence."""
        return np.array([code not in ABSENT for code in self.answers])

    @cached_property
    def telling(self) -> NDArray[np.bool_]:
        """Which released values are a single answer of substance. Shape (released values,)."""
        keep = self.substantive & np.array([code not in self.harmless for code in self.answers])
        return np.array([len(value.members) > 0 and keep[list(value.members)].all() for value in self.released])


def everybody(one: ComparedVariable) -> ComparedVariable:
    """A variable with one value for all rows, used where no quasi-identifier is declared."""
    before, after = np.zeros(len(one.before), np.int8), np.zeros(len(one.after), np.int8)
    return ComparedVariable("", {}, "quasi_identifier", False, ("everybody",), (Value("everybody", (0,)),), before, after)


def compare(original: pd.DataFrame, table: Dataset, columns: Sequence[Variable]) -> list[ComparedVariable]:
    """The variables of a release beside what was answered. `original`: a column of codes per variable, one row per response."""
    released = {column.name: column for column in table.columns}
    return [_field(column, codes_of(original, column), released[column.name]) for column in columns if column.name in released]


def _field(column: Variable, before: Codes, released: DatasetColumn) -> ComparedVariable:
    answers = column.codes
    place = {code: index for index, code in enumerate(answers)}
    values = tuple(_value(category.code, column, place) for category in released.categories)
    part = released.part
    label = {language: f"{part[language]} – {asked}" if part.get(language) else asked for language, asked in released.text.items()}
    levels = column.hierarchy.levels[1:-1] if column.hierarchy else ()
    harmless = ("0",) if column.otherwise == "0" else ()
    return ComparedVariable(column.name, label, column.role, column.ordered, answers, values, before, released.codes, levels, harmless)


def _value(code: str, column: Variable, place: dict[str, int]) -> Value:
    """The answers that a released code covers. A code that names both an answer and nodes covers all of their answers."""
    if code == WITHHELD:
        return Value(code, tuple(range(len(place))), ALL)
    for name, step in zip(column.hierarchy.levels[1:-1] if column.hierarchy else (), column.ladder(), strict=True):
        members = tuple(place[answer] for answer, node in step.items() if node == code and answer in place)
        if len(members) > 1 or (members and code not in place):
            return Value(code, members, name)
    return Value(code, tuple(place[answer] for answer in column.merged(code) or (code,)))
