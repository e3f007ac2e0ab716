"""Special uniques: rare answers that single a row out although its quasi-identifiers do not (SUDA: Elliot, Manning, Ford 2002).

A row is a minimal sample unique in a set of answers when nobody else has the same ones, and that is true of no part of the set.
The fewer answers it takes, the more outsiders could know them: a row unique by one answer counts more than by three.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

DEPTH = 3


@dataclass(frozen=True)
class Uniques:
    """`counts[r, s]`: the minimal unique sets of s + 1 answers of row r. `scores[r]`: SUDA's score, 0 where there is none.

    `shares[c]`: the part of all minimal unique sets in which column c takes part.
    """

    counts: NDArray[np.int64]
    scores: NDArray[np.float64]
    shares: NDArray[np.float64]

    @property
    def rows(self) -> NDArray[np.bool_]:
        """Rows that are unique by at most this many answers."""
        return self.counts.sum(axis=1) > 0


def uniques(columns: NDArray[np.integer], depth: int = DEPTH) -> Uniques:
    """Minimal sample uniques by up to `depth` of these answers (1 to 3). `columns`: rows × answers, as codes from 0; missing is a code.

    The score of a set of s out of m answers is the product of m - i for i from s to depth: how many larger sets it makes unique.
    """
    rows, many = columns.shape
    codes = [_numbered(column) for column in columns.T]
    sizes = [int(code.max()) + 1 if rows else 0 for code in codes]
    counts, scores, part = np.zeros((rows, depth), dtype=np.int64), np.zeros(rows), np.zeros(many)

    def found(who: NDArray[np.bool_], where: tuple[int, ...]) -> None:
        number = int(who.sum())
        counts[who, len(where) - 1] += 1
        scores[who] += prod(max(many - i, 1) for i in range(len(where), depth + 1))
        part[list(where)] += number

    alone = [_alone(code) for code in codes]
    for a, who in enumerate(alone):
        found(who, (a,))
    if depth < 2:
        return _read(counts, scores, part)
    pairs: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for a, b in combinations(range(many), 2):
        pair, _ = _pack(codes[a] * sizes[b] + codes[b], sizes[a] * sizes[b])
        unique = _alone(pair)
        pairs[a, b] = unique
        found(unique & ~alone[a] & ~alone[b], (a, b))
    for a, b in combinations(range(many), 2) if depth > 2 else ():
        pair, size = _pack(codes[a] * sizes[b] + codes[b], sizes[a] * sizes[b])
        for c in range(b + 1, many):
            may = np.flatnonzero(~(pairs[a, b] | pairs[a, c] | pairs[b, c]))
            triple, _ = _pack(pair * sizes[c] + codes[c], size * sizes[c])
            who = np.zeros(rows, dtype=bool)
            who[may] = _alone(triple, may)
            found(who, (a, b, c))
    return _read(counts, scores, part)


def _alone(key: NDArray[np.int64], rows: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.bool_]:
    """Which of the rows have a key that no other row has. A byte for each key: a long table of counts would not stay in the cache."""
    return (np.bincount(key) == 1)[key[rows]]


def _numbered(column: NDArray[np.integer]) -> NDArray[np.int64]:
    """The codes that occur, counted from 0 in their order."""
    return (np.cumsum(np.bincount(column) > 0) - 1)[column]


def _pack(key: NDArray[np.int64], possible: int) -> tuple[NDArray[np.int64], int]:
    """Keys small enough to count by; numbered anew where too many are possible."""
    if possible <= max(1 << 16, 4 * len(key)):
        return key, possible
    distinct, number = np.unique(key, return_inverse=True)
    return number.astype(np.int64), len(distinct)


def _read(counts: NDArray[np.int64], scores: NDArray[np.float64], part: NDArray[np.float64]) -> Uniques:
    return Uniques(counts, scores, part / max(int(counts.sum()), 1))
