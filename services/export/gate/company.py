"""Whether rare answers leave anybody alone in a table as released: counted row by row, by other code than that which hid them (`rare`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.export.gate.rarity import KNOWN, UNTOLD, Answers, rarity

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ReleasedAnswers:
    """`released`: any number for each value that is shown, "withheld" being one. `withheld`: the cells that are. Shape (rows,)."""

    given: Answers
    released: Ints
    withheld: Bools


def exposed_rows(columns: Iterable[ReleasedAnswers], rows: int, k: int) -> Bools:
    """Rows that show an answer which fewer than k rows show, or share up to three rare answers with fewer than k rows. Shape (rows,)."""
    alone, several = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=np.int32)
    known: list[tuple[Bools, Ints]] = []
    for column in columns:
        codes, counts = column.given.codes, column.given.counts()
        small = np.bincount(column.released, minlength=1)[column.released] < k
        alone |= small & ((codes != UNTOLD) | column.withheld)
        if ((counts > 0) & (counts <= rarity(k))).any() and not column.withheld.all():
            known.append((np.append(counts, rows + rarity(k))[codes] <= rarity(k), column.released))
            several += known[-1][0]
    for row in np.flatnonzero(several >= 2).tolist():
        alone[row] |= _few([shown == shown[row] for rare, shown in known if rare[row]], k)
    return alone


def _few(alike: list[Bools], k: int) -> bool:
    """Whether fewer than k rows are alike in some two or three of these."""
    table = np.stack(alike)
    table = table[:, table.sum(axis=0) >= 2].astype(np.float32)
    pairs = table @ table.T
    if any(pairs[one, other] < k for one, other in combinations(range(len(table)), 2)):
        return True
    for place in range(len(table) - KNOWN + 1):
        rest = table[place + 1 :]
        triples = (rest * table[place]) @ rest.T
        if (triples[np.triu_indices(len(rest), 1)] < k).any():
            return True
    return False
