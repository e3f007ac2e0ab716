"""Rare answers of a table: selects the variables to look at, then releases each so that no row is alone in them.

Claim: what a scientific release of the same rows withholds or merges, a public one does too, so that both together tell no more than the
former. Of sensitive variables rare answers are hidden in public releases only: research needs them, and comes with a purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proto.instrument import NON_SUBSTANTIVE
from services.export.dataset.profiles import NARROW, Profile
from services.export.dataset.variables import JOINT, MISSING, SKIPPED, WITHHELD, Variable
from services.export.gate import company, rare
from services.export.gate.quasi_identifiers import codes_of
from services.export.gate.rarity import UNTOLD, Answers, RareColumn

Ints = NDArray[np.int64]

ELEVEN, PROMOTERS = tuple(map(str, range(11))), (7, 9)
"""The scale of the net promoter score (Reichheld 2003), and where its passives and its promoters begin."""


def hidden(columns: Sequence[Variable], full: pd.DataFrame, rows: Ints, profile: Profile) -> dict[str, RareColumn]:
    """How each variable with rare answers to hide is released, by name. `rows`: of `full`, in an order that stays between releases."""
    plain, secret = (_answers(columns, full, rows, role) for role in ("insensitive", "sensitive"))
    rank = np.arange(len(rows))
    rare_columns = rare.hide(list(plain.values()), NARROW.k, rank)
    if not profile.narrow:
        plain |= secret
        rare_columns = rare.hide(list(plain.values()), profile.k, rank, rare_columns)
    return dict(zip(plain, rare_columns, strict=True))


def alone(columns: Sequence[Variable], full: pd.DataFrame, rows: Ints, table: pd.DataFrame, profile: Profile) -> int:
    """Rows of `table` that rare answers point to, counted afresh. Row i came from row `rows[i]` of `full`."""
    roles = {"insensitive"} if profile.narrow else {"insensitive", "sensitive"}
    looked_at = (_column(column, full, rows, table) for column in columns if column.role in roles)
    return int(company.exposed_rows(looked_at, len(rows), profile.k).sum())


def _column(column: Variable, full: pd.DataFrame, rows: Ints, table: pd.DataFrame) -> company.ReleasedAnswers:
    shown = pd.Categorical(table[column.name], copy=False)
    withheld = np.array([*(value == WITHHELD for value in shown.categories), False])[shown.codes]
    return company.ReleasedAnswers(_telling_answers(column, codes_of(full, column)[rows]), shown.codes, withheld)


def released(column: Variable, codes: NDArray[np.integer], shown: RareColumn) -> tuple[NDArray[np.integer], list[str]]:
    """Returns the released values of a variable, as places, and the code of each place. `codes`: as given, shape (rows,)."""
    values = [*column.codes]
    place = np.arange(len(values))
    scale = column.scale
    for step in np.unique(shown.steps):
        members = [code for code, at in zip(column.codes, shown.steps.tolist(), strict=True) if at == step and code in scale]
        if len(members) > 1:
            place[[column.codes.index(code) for code in members]] = len(values)
            values.append(JOINT.join(members))
    places = place.astype(np.int16)[codes]
    if shown.withheld.any():
        places[shown.withheld] = len(values)
        values.append(WITHHELD)
    return places, values


def _answers(columns: Sequence[Variable], full: pd.DataFrame, rows: Ints, role: str) -> dict[str, Answers]:
    return {column.name: _telling_answers(column, codes_of(full, column)[rows]) for column in columns if column.role == role}


def _telling_answers(column: Variable, codes: NDArray[np.integer]) -> Answers:
    """The answers of a variable that can single somebody out; UNTOLD for those without substance."""
    silent = {MISSING, SKIPPED, *NON_SUBSTANTIVE}
    places = [UNTOLD if code in silent else place for place, code in enumerate(column.codes)]
    small = np.min_scalar_type(-1 - len(places))
    return Answers(np.array([*places, UNTOLD], small)[codes], len(column.codes), _sides(column) if column.scale else None)


def _sides(column: Variable) -> Ints:
    """On which side of its scale each answer lies: below, in or above the middle; from 0 to 10 detractors, passives and promoters."""
    sides, scale = np.full(len(column.codes), len(PROMOTERS)), column.scale
    for place, code in enumerate(scale):
        side = int(np.searchsorted(PROMOTERS, place, "right")) if scale == ELEVEN else int(np.sign(2 * place + 1 - len(scale)))
        sides[column.codes.index(code)] = side
    return sides
