"""Rows that look the same: how many there are of each kind, and how a risk follows from it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from services.export.report.compared import Codes, Field, Ints

PACKED = 2**62
DENSE, SPARSE = 1 << 20, 16
"""Up to so many possible groups, or so many for each row, are counted in one array; more are sorted."""


def grouped(columns: Iterable[tuple[Codes, int]], rows: int) -> tuple[Ints, Ints]:
    """The group of each row, and the rows of each group. `columns`: codes and how many there may be."""
    key, possible = np.zeros(rows, dtype=np.int64), 1
    for codes, size in columns:
        if possible * size > PACKED:
            distinct, key = np.unique(key, return_inverse=True)
            possible = len(distinct)
        key = key * size + codes
        possible *= size
    if possible > max(DENSE, SPARSE * rows):
        _, of_row, counts = np.unique(key, return_inverse=True, return_counts=True)
        return of_row.astype(np.int64), counts
    counts = np.bincount(key, minlength=possible)
    occurs = np.flatnonzero(counts)
    number = np.zeros(possible, dtype=np.int64)
    number[occurs] = np.arange(len(occurs))
    return number[key], counts[occurs]


def before(fields: list[Field]) -> tuple[Ints, Ints]:
    return grouped(((field.before, len(field.answers)) for field in fields), len(fields[0].before))


def after(fields: list[Field]) -> tuple[Ints, Ints]:
    return grouped(((field.after, len(field.released)) for field in fields), len(fields[0].after))
