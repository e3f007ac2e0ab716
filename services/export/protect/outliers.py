"""Top or bottom coding: numbers far out are released as "at least" or "at most"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.export.protect.refusal import Unprotectable


@dataclass(frozen=True)
class Capped:
    """`values` within `lowest` and `highest`; `below` and `above` say how many stood at or beyond each. NaN stays NaN."""

    values: NDArray[np.float64]
    lowest: float
    highest: float
    below: int
    above: int


def cap(values: NDArray[np.float64], k: int, share: float = 0.0) -> Capped:
    """Caps a column so that at least k rows, and at least that share of the rows with a number, lie at either end.

    Raises Unprotectable where fewer than 2 k rows have a number.
    """
    known = np.sort(values[~np.isnan(values)])
    if len(known) < 2 * k:
        raise Unprotectable(f"{len(known)} numbers are too few to cap both ends at {k} rows.")
    at = min(max(k, int(np.ceil(share * len(known)))), len(known) // 2) - 1
    lowest, highest = float(known[at]), float(known[-1 - at])
    return Capped(np.clip(values, lowest, highest), lowest, highest, int((known <= lowest).sum()), int((known >= highest).sum()))
