"""Rare answers: rows that one, two or three answers single out, whoever knows them (SUDA, see `protect.uniques`). Pure."""

from __future__ import annotations

from math import comb

import msgspec
import numpy as np

from services.export.protect.uniques import uniques
from services.export.report.compared import ComparedVariable

WORK = 36_000_000
"""Rows × triples that are looked at; a million rows have triples of seven variables, ten thousand and fewer of twenty-four."""
TRIPLES = 2_100


class Rare(msgspec.Struct, frozen=True):
    """`sets`: unique sets of one, two, three answers of which no part is unique. `rows`: the share of rows that have any.

    `variables`: those with the rarest answers; all combinations of these were looked at, in every row.
    """

    variables: tuple[str, ...]
    sets_before: tuple[int, ...]
    sets: tuple[int, ...]
    rows_before: float
    rows: float


def rare(fields: list[ComparedVariable]) -> Rare:
    rows = len(fields[0].before)
    many = 3
    while many < len(fields) and comb(many + 1, 3) <= min(TRIPLES, WORK // max(rows, 1)):
        many += 1
    chosen = sorted(sorted(range(len(fields)), key=lambda place: (-fields[place].rarity, place))[:many])
    before = uniques(np.column_stack([fields[place].before for place in chosen]))
    after = uniques(np.column_stack([fields[place].after for place in chosen]))
    return Rare(
        tuple(fields[place].name for place in chosen),
        tuple(before.counts.sum(axis=0).tolist()),
        tuple(after.counts.sum(axis=0).tolist()),
        float(before.rows.mean()),
        float(after.rows.mean()),
    )
