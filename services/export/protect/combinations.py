"""Rows with the same quasi-identifiers, counted once: what follows works on distinct combinations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PACKED = 2**62
DENSE, SPARSE = 1 << 20, 16
"""Up to so many possible combinations, or so many for each row, are looked up in one array; more are sorted."""


@dataclass(frozen=True)
class Combinations:
    """`places[v, u]`: variable v of combination u. `counts[u]`: its rows. `of_row[r]`: the combination of row r. Sorted by content."""

    places: NDArray[np.int16]
    counts: NDArray[np.int64]
    of_row: NDArray[np.int64]


def combine(columns: list[NDArray[np.int64]], sizes: list[int]) -> Combinations:
    """Distinct combinations of columns whose values lie below `sizes`."""
    key, possible = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column, size in zip(columns, sizes, strict=True):
        if possible * size > PACKED:  # so many columns: number what occurs, and go on from there
            distinct, key = np.unique(key, return_inverse=True)
            possible = len(distinct)
        key = key * size + column
        possible *= size
    if possible <= max(DENSE, SPARSE * len(key)):
        occurs = np.zeros(possible, dtype=bool)
        occurs[key] = True
        distinct = np.flatnonzero(occurs)
        number = np.empty(possible, dtype=np.int32)
        number[distinct] = np.arange(len(distinct), dtype=np.int32)
        of_row = number[key].astype(np.int64)
        counts = np.bincount(of_row)
    else:
        distinct, of_row, counts = np.unique(key, return_inverse=True, return_counts=True)
    example = np.empty(len(distinct), dtype=np.int64)
    example[of_row] = np.arange(len(of_row))
    places = np.stack([column[example] for column in columns]).astype(np.int16)
    return Combinations(places, counts.astype(np.int64), of_row)
