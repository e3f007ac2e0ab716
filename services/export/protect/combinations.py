"""Rows with the same quasi-identifiers, counted once: what follows works on distinct combinations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKED = 2**62
DENSE, SPARSE = 1 << 20, 16
"""Up to so many possible combinations, or so many for each row, are looked up in one array; more are sorted."""


@dataclass(frozen=True)
class Combinations:
    """`places[v, u]`: variable v of combination u. `counts[u]`: its rows. `of_row[r]`: the combination of row r. Sorted by content.

    `within[u]`: the given class that combination u lies in; sorted by that first.
    """

    places: NDArray[np.int16]
    counts: NDArray[np.int64]
    of_row: NDArray[np.int64]
    within: NDArray[np.int64]


def neighbours(sizes: Sequence[int], most: int, first: int, last: int) -> list[slice]:
    """The columns from `first` to before `last` in runs of at most so many possible combinations, or of one column."""
    begins, possible = list[int](), 0
    for place in range(first, last):
        possible *= sizes[place]
        if not begins or possible > most:
            begins.append(place)
            possible = sizes[place]
    return [slice(begin, end) for begin, end in zip(begins, [*begins[1:], last], strict=False)]


def combine(columns: list[NDArray[np.integer[Any]]], sizes: list[int], within: NDArray[np.int64] | None = None) -> Combinations:
    """Distinct combinations of columns whose values lie below `sizes`, apart for each class of `within` where there are classes."""
    keys = list(zip(columns, sizes, strict=True))
    of_row, counts = numbered(keys if within is None else [(within, int(within.max()) + 1), *keys], len(columns[0]))
    example = np.empty(len(counts), dtype=np.int64)
    example[of_row] = np.arange(len(of_row))
    places = np.stack([column[example].astype(np.int16) for column in columns])
    return Combinations(places, counts, of_row, np.zeros(len(counts), dtype=np.int64) if within is None else within[example])


def numbered(columns: Iterable[tuple[NDArray[np.integer[Any]], int]], rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The combination of each row, sorted by content, and its rows. `columns`: codes, and below what they lie. Raises ValueError."""
    key, possible = np.zeros(rows, dtype=np.int64), 1
    for column, size in columns:
        if possible * size > PACKED:  # so many columns: number what occurs, and go on from there
            distinct, key = np.unique(key, return_inverse=True)
            possible = len(distinct)
        key *= size
        key += column
        possible *= size
    if rows and int(key.min()) < 0:
        raise ValueError("A code lies below zero.")
    if possible > max(DENSE, SPARSE * rows):
        _, of_row, counts = np.unique(key, return_inverse=True, return_counts=True)
        return of_row.astype(np.int64), counts.astype(np.int64)
    occurs = np.zeros(possible, dtype=bool)
    occurs[key] = True
    distinct = np.flatnonzero(occurs)
    number = np.empty(possible, dtype=np.int32)
    number[distinct] = np.arange(len(distinct), dtype=np.int32)
    of_row = number[key].astype(np.int64)
    return of_row, np.bincount(of_row).astype(np.int64)
