"""A table of answers in the form that the protecting core takes: codes, hierarchies, sensitive answers, public list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.export.dataset.profiles import Profile
from services.export.dataset.variables import MISSING, SKIPPED, WITHHELD, Variable
from services.export.gate.refused import ReleaseRefused
from services.export.protect.authorities import authorities
from services.export.protect.hierarchy import ValueHierarchy
from services.export.protect.request import Frame, Sensitive

COUNTRY, BAND = "alpha2", "band"
"""First levels of the hierarchies whose values are in the public list of authorities too."""

ABSENT = -1
EVERYBODY = ValueHierarchy("", ("everybody",), ((),))
"""The hierarchy of a survey without quasi-identifiers: all who enter at the same release form one class."""


@dataclass(frozen=True)
class QuasiIdentifierTable:
    """`codes[r, v]`: the answer of row r to identifier v, as an index into the values of `hierarchies[v]`.

    Without identifiers the one hierarchy is EVERYBODY. `frame`: the public list that releases are held against; None where there is none.
    """

    identifiers: tuple[Variable, ...]
    hierarchies: tuple[ValueHierarchy, ...]
    codes: NDArray[np.integer[Any]]
    sensitive: tuple[Sensitive, ...]
    frame: Frame | None

    @staticmethod
    def of(
        columns: Sequence[Variable], answers: pd.DataFrame, units: int, order: NDArray[np.int64] | slice = slice(None)
    ) -> QuasiIdentifierTable:
        """The rows of `answers` in this order. `units`: entries of the public list that must share a released value, 0 for no list.

        Raises ReleaseRefused where a quasi-identifier cannot be made coarser.
        """
        identifiers = tuple(column for column in columns if column.role == "quasi_identifier")
        hierarchies = tuple(hierarchy(column) for column in identifiers) or (EVERYBODY,)
        by_column = [codes_of(answers, column)[order] for column in identifiers] or [np.zeros(len(answers), np.int8)]
        codes = np.stack(by_column).T  # column by column in memory, as they are read
        sensitive = tuple(sensitive_of(column, codes_of(answers, column)[order]) for column in columns if column.role == "sensitive")
        return QuasiIdentifierTable(identifiers, hierarchies, codes, sensitive, _frame(identifiers, hierarchies, units))

    def seen_by(self, profile: Profile) -> QuasiIdentifierTable:
        """Without the public list, where the profile does not count on it."""
        return self if profile.units else replace(self, frame=None)


def codes_of(full: pd.DataFrame, column: Variable) -> NDArray[np.integer[Any]]:
    """The index of each row's answer in `column.codes`, ABSENT where it is none of them. Shape (rows,); read-only."""
    given = pd.Categorical(full[column.name], copy=False)  # a long table has many columns: none is copied or widened
    if tuple(given.categories) == column.codes:
        return given.codes
    place = {code: index for index, code in enumerate(column.codes)}
    return np.array([*(place.get(code, ABSENT) for code in given.categories), ABSENT], dtype=np.int16)[given.codes]


def members(column: Variable, released: Sequence[str]) -> NDArray[np.bool_]:
    """Which codes of a variable each released value may mean; a withheld value may mean any. Shape (values, codes).

    A generalised value of a quasi-identifier means no code here: see `measuring.read_back`.
    """
    table = np.zeros((len(released), len(column.codes)), dtype=bool)
    place = {code: index for index, code in enumerate(column.codes)}
    for row, value in enumerate(released):
        if value == WITHHELD:
            table[row] = True
        table[row, [place[code] for code in column.merged(value) or [value] if code in place]] = True
    return table


def hierarchy(column: Variable) -> ValueHierarchy:
    """The steps of a variable between its values and "*", without levels that change nothing. Raises ReleaseRefused."""
    if column.hierarchy is None:
        raise ReleaseRefused(
            f"The quasi-identifier {column.name} has no hierarchy, so it cannot be made coarser. Give it one, or another role."
        )
    steps = column.ladder()
    above: list[tuple[str, ...]] = []
    for code in column.codes:
        path = [code, *(step[code] for step in steps if code in step)]
        above.append(tuple(now for before, now in pairwise(path) if now != before and now != "*"))
    return ValueHierarchy(column.name, column.codes, tuple(above))


def sensitive_of(column: Variable, codes: NDArray[np.integer[Any]]) -> Sensitive:
    """A sensitive variable. No answer, or an option not ticked, is harmless: all people of a class may agree in it."""
    harmless = (MISSING, SKIPPED, *(("0",) if column.otherwise == "0" else ()))
    return Sensitive(column.name, codes, len(column.codes), tuple(column.codes.index(code) for code in harmless))


def _frame(identifiers: tuple[Variable, ...], hierarchies: tuple[ValueHierarchy, ...], units: int) -> Frame | None:
    """The public list of European authorities, if the survey asks for the country in the codes of that list; else None."""
    begins = [column.hierarchy.levels[0] if column.hierarchy else "" for column in identifiers]
    if not units or COUNTRY not in begins:
        return None
    return authorities(_listed(), hierarchies, begins.index(COUNTRY), begins.index(BAND) if BAND in begins else None, units)


@cache
def _listed() -> str:
    return files("proto").joinpath("reference/lau_2019_by_population_band.csv").read_text(encoding="utf-8")
