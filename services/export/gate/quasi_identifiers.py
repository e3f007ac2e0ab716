"""A table of answers as the protecting core sees it: codes, hierarchies, sensitive answers, and the public list they are held against."""

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
from services.export.gate.refused import Refused
from services.export.protect.authorities import authorities
from services.export.protect.hierarchy import Hierarchy
from services.export.protect.request import Frame, Sensitive

COUNTRY, BAND = "alpha2", "band"
"""How the hierarchies begin whose values the public list of authorities has too."""

ABSENT = -1
EVERYBODY = Hierarchy("", ("everybody",), ((),))
"""Of a survey without quasi-identifiers: nothing tells its respondents apart, so that all who come in together are one class."""


@dataclass(frozen=True)
class Reading:
    """`codes[r, v]`: the answer of row r to identifier v, as its place in the values of `hierarchies[v]`.

    Without identifiers the one hierarchy is EVERYBODY.
    """

    identifiers: tuple[Variable, ...]
    hierarchies: tuple[Hierarchy, ...]
    codes: NDArray[np.integer[Any]]
    sensitive: tuple[Sensitive, ...]
    frame: Frame | None

    def seen_by(self, profile: Profile) -> Reading:
        """Without the public list, where the profile does not count on it."""
        return self if profile.units else replace(self, frame=None)


def read(columns: Sequence[Variable], full: pd.DataFrame, units: int, order: NDArray[np.int64] | slice = slice(None)) -> Reading:
    """The rows of `full` in this order. `units`: how many of the public list are asked for, 0 for none.

    Raises Refused where a quasi-identifier cannot be made coarser.
    """
    identifiers = tuple(column for column in columns if column.role == "quasi_identifier")
    hierarchies = tuple(hierarchy(column) for column in identifiers) or (EVERYBODY,)
    given = [codes_of(full, column)[order] for column in identifiers] or [np.zeros(len(full), np.int8)]
    codes = np.stack(given).T  # column by column in memory, as they are read
    sensitive = tuple(sensitive_of(column, codes_of(full, column)[order]) for column in columns if column.role == "sensitive")
    return Reading(identifiers, hierarchies, codes, sensitive, _frame(identifiers, hierarchies, units))


def codes_of(full: pd.DataFrame, column: Variable) -> NDArray[np.integer[Any]]:
    """Each row's place among the codes of its variable, ABSENT for what is none of them. Shape (rows,); not to be written to."""
    given = pd.Categorical(full[column.name], copy=False)  # a long table has many columns: none is copied or widened
    if tuple(given.categories) == column.codes:
        return given.codes
    place = {code: index for index, code in enumerate(column.codes)}
    return np.array([*(place.get(code, ABSENT) for code in given.categories), ABSENT], dtype=np.int16)[given.codes]


def members(column: Variable, released: Sequence[str]) -> NDArray[np.bool_]:
    """Which codes of a variable each released value may stand for: what is withheld for any. Shape (values, codes).

    Values of a quasi-identifier that are none of its codes stand for nothing here: `measuring.read_back` knows them.
    """
    table = np.zeros((len(released), len(column.codes)), dtype=bool)
    place = {code: index for index, code in enumerate(column.codes)}
    for row, value in enumerate(released):
        if value == WITHHELD:
            table[row] = True
        table[row, [place[code] for code in column.merged(value) or [value] if code in place]] = True
    return table


def hierarchy(column: Variable) -> Hierarchy:
    """The steps of a variable between its values and "*". Levels that change nothing are no steps."""
    if column.hierarchy is None:
        raise Refused(f"The quasi-identifier {column.name} has no hierarchy, so it cannot be made coarser. Give it one, or another role.")
    steps = column.ladder()
    above: list[tuple[str, ...]] = []
    for code in column.codes:
        path = [code, *(step[code] for step in steps if code in step)]
        above.append(tuple(now for before, now in pairwise(path) if now != before and now != "*"))
    return Hierarchy(column.name, column.codes, tuple(above))


def sensitive_of(column: Variable, codes: NDArray[np.integer[Any]]) -> Sensitive:
    """To leave out an answer, or an option, tells nothing that has to be kept: a class may agree in that."""
    harmless = (MISSING, SKIPPED, *(("0",) if column.otherwise == "0" else ()))
    return Sensitive(column.name, codes, len(column.codes), tuple(column.codes.index(code) for code in harmless))


def _frame(identifiers: tuple[Variable, ...], hierarchies: tuple[Hierarchy, ...], units: int) -> Frame | None:
    """The authorities of Europe, where the survey asks where an authority is, in the words of their list."""
    begins = [column.hierarchy.levels[0] if column.hierarchy else "" for column in identifiers]
    if not units or COUNTRY not in begins:
        return None
    return authorities(_listed(), hierarchies, begins.index(COUNTRY), begins.index(BAND) if BAND in begins else None, units)


@cache
def _listed() -> str:
    return files("proto").joinpath("reference/lau_2019_by_population_band.csv").read_text(encoding="utf-8")
