"""Rare answers that single somebody out are withheld, cell by cell.

Claim: in the released insensitive answers (1) no answer is told that fewer than k people gave, (2) no two and no three rare answers
together belong to a single person, and (3) in every variable as many cells are withheld as k, or none. Rare is what few people gave
(the caller says how few): such an answer is what an outsider may have heard of. This is the search for special uniques (Elliot, Manning
and Ford, SUDA, 2002; see `protect.uniques`) among rare answers alone, since among all answers every row of a long survey is unique.

How: answers below k go; of each unique pair or triple the rarest cell goes, those of most pairs and triples first; what that makes rarer
than k goes too, until nothing changes. Where fewer than k cells of a variable went, others with its rarest answers follow, in the order
of keyed hashes: so a withheld cell is one among k, and what stood there is uncertain where more than one answer was.

Does not protect against who knows four or more answers, or common ones. Refusals to answer are no answers and stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

UNTOLD = -1


def withhold(columns: Sequence[Ints], k: int, rare: int, rank: Ints, also: Sequence[NDArray[np.intp]] = ()) -> list[NDArray[np.intp]]:
    """For each column the rows to withhold there, among them those of `also`.

    `columns`: codes from 0, UNTOLD where nothing is told. `rank`: any order of the rows.
    """
    told = [column.copy() for column in columns]
    for column, cells in zip(told, also, strict=False):
        column[cells] = UNTOLD
    while True:
        for column in told:
            _small(column, k)
        if not _apart(told, rare) and not _fill(columns, told, k, rank):
            return [np.flatnonzero(now != column) for now, column in zip(told, columns, strict=True)]


def singled_out(columns: Sequence[Ints], k: int, rare: int) -> int:
    """Rows with an answer of fewer than k, or alone in two or three rare answers, counted afresh."""
    alone = np.zeros(len(columns[0]) if columns else 0, dtype=bool)
    for column in columns:
        alone |= _few(column, k)[column]
    table, _ = _rare(columns, rare)
    for row, _ in _uniques(table):
        alone[row] = True
    return int(alone.sum())


def _small(column: Ints, k: int) -> None:
    few = _few(column, k)
    if few.any():
        column[few[column]] = UNTOLD


def _few(column: Ints, k: int) -> Bools:
    """Which answers fewer than k gave; the last entry is of UNTOLD."""
    return np.append(np.bincount(column[column != UNTOLD]) < k, False)


def _rare(columns: Sequence[Ints], rare: int) -> tuple[Bools, list[tuple[int, int]]]:
    """Who gave which rare answer; rows × answers, the rarest first, and the column and code of each."""
    found: list[tuple[int, int, int]] = []
    for place, column in enumerate(columns):
        counts = np.bincount(column[column != UNTOLD])
        found += [(int(counts[code]), place, int(code)) for code in np.flatnonzero((counts > 0) & (counts <= rare))]
    found.sort()
    which = [(place, code) for _, place, code in found]
    rows = len(columns[0]) if columns else 0
    return np.column_stack([columns[place] == code for place, code in which]) if which else np.zeros((rows, 0), dtype=bool), which


def _uniques(table: Bools) -> list[tuple[int, tuple[int, ...]]]:
    """Rows that are alone in two, or in three of which no two are enough, of these answers."""
    found: list[tuple[int, tuple[int, ...]]] = []
    rows = np.flatnonzero(table.sum(axis=1) >= 2)
    some = table[rows]
    together = some.T.astype(np.float32) @ some.astype(np.float32)
    pairs = np.triu(together == 1, 1)
    first, second = np.nonzero(pairs)
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        found.append((int(rows[np.flatnonzero(some[:, a] & some[:, b])[0]]), (a, b)))
    more, three = together > 1, some.sum(axis=1) >= 3
    for a in range(table.shape[1]):
        having = np.flatnonzero(some[:, a] & three)
        if not len(having):
            continue
        within = some[having].astype(np.float32)
        triples = (within.T @ within == 1) & more & more[a][:, None] & more[a][None, :]
        triples[: a + 1] = False
        for b, c in zip(*(axis.tolist() for axis in np.nonzero(np.triu(triples, 1))), strict=True):
            found.append((int(rows[having[np.flatnonzero(within[:, b] * within[:, c])[0]]]), (a, b, c)))
    return found


def _apart(told: list[Ints], rare: int) -> bool:
    """Withholds the rarest cell of every unique pair and triple. Whether there was any."""
    table, which = _rare(told, rare)
    found = _uniques(table)
    for row, answers in found:
        if all(told[which[a][0]][row] == which[a][1] for a in answers):  # none of its cells has gone yet
            told[which[min(answers)][0]][row] = UNTOLD
    return bool(found)


def _fill(columns: Sequence[Ints], told: list[Ints], k: int, rank: Ints) -> bool:
    """Withholds further cells where fewer than k of a column are. Whether there were any."""
    changed = False
    for column, now in zip(columns, told, strict=True):
        gone = int(((now == UNTOLD) & (column != UNTOLD)).sum())
        left = np.flatnonzero(now != UNTOLD)
        if not 0 < gone < k or not len(left):
            continue
        counts = np.bincount(now[left])
        order = left[np.lexsort((rank[left], now[left], counts[now[left]]))]
        now[order[: k - gone]] = UNTOLD
        changed = True
    return changed
