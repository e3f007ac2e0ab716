"""A table of answers as the protecting core sees it: codes, hierarchies, sensitive answers, and the public list they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.export.gate.refused import Refused
from services.export.profiles import Profile
from services.export.protect.authorities import authorities
from services.export.protect.hierarchy import Hierarchy
from services.export.protect.request import Frame, Sensitive
from services.export.variables import MISSING, SKIPPED, Variable

COUNTRY, BAND = "alpha2", "band"
"""How the hierarchies begin whose values the public list of authorities has too."""

ABSENT = -1


@dataclass(frozen=True)
class Reading:
    """`codes[r, v]`: the answer of row r to identifier v, as its place in the values of `hierarchies[v]`."""

    identifiers: tuple[Variable, ...]
    hierarchies: tuple[Hierarchy, ...]
    codes: NDArray[np.integer[Any]]
    sensitive: tuple[Sensitive, ...]
    frame: Frame | None


def read(columns: Sequence[Variable], full: pd.DataFrame, profile: Profile, order: NDArray[np.int64] | slice = slice(None)) -> Reading:
    """The rows of `full` in this order. Raises Refused where a quasi-identifier cannot be made coarser."""
    identifiers = tuple(column for column in columns if column.role == "quasi_identifier")
    if not identifiers:
        raise Refused("No quasi-identifier is declared, so that nobody's group can be counted. Give one question that role.")
    hierarchies = tuple(hierarchy(column) for column in identifiers)
    codes = np.stack([codes_of(full, column)[order] for column in identifiers]).T  # column by column in memory, as they are read
    sensitive = tuple(sensitive_of(column, codes_of(full, column)[order]) for column in columns if column.role == "sensitive")
    return Reading(identifiers, hierarchies, codes, sensitive, _frame(identifiers, hierarchies, profile))


def codes_of(full: pd.DataFrame, column: Variable) -> NDArray[np.integer[Any]]:
    """Each row's place among the codes of its variable, ABSENT for what is none of them. Shape (rows,); not to be written to."""
    given = pd.Categorical(full[column.name], copy=False)  # a long table has many columns: none is copied or widened
    if tuple(given.categories) == column.codes:
        return given.codes
    place = {code: index for index, code in enumerate(column.codes)}
    return np.array([*(place.get(code, ABSENT) for code in given.categories), ABSENT], dtype=np.int16)[given.codes]


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


def _frame(identifiers: tuple[Variable, ...], hierarchies: tuple[Hierarchy, ...], profile: Profile) -> Frame | None:
    """The authorities of Europe, where the survey asks where an authority is, in the words of their list."""
    begins = [column.hierarchy.levels[0] if column.hierarchy else "" for column in identifiers]
    if not profile.units or COUNTRY not in begins:
        return None
    return authorities(_listed(), hierarchies, begins.index(COUNTRY), begins.index(BAND) if BAND in begins else None, profile.units)


@cache
def _listed() -> str:
    return files("proto").joinpath("reference/lau_2019_by_population_band.csv").read_text(encoding="utf-8")
