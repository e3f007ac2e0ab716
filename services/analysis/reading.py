"""Rows of the Burt matrix, read once: counts, shares and intervals of every column, weighted ones too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from proto.intervals import wilson
from proto.snapshot import Cell, Weighted
from services.analysis.layout import Counts, Layout
from services.analysis.weighting import Weights


@dataclass
class Estimates:
    """Weighted shares of every column with their intervals; `n_eff` for those who answered the column's question, 0 for nobody."""

    n_eff: list[float]
    share: list[float]
    low: list[float]
    high: list[float]

    def cells(self, at: slice) -> list[Weighted]:
        intervals = zip(self.low[at], self.high[at], strict=True)
        return [Weighted(share, interval) for share, interval in zip(self.share[at], intervals, strict=True)]


@dataclass
class Reading:
    """Everybody, or one group."""

    n: list[int]
    answered: list[int]
    share: list[float]
    low: list[float]
    high: list[float]
    weighted: Estimates | None = None

    def cells(self, codes: tuple[str, ...], at: slice) -> dict[str, Cell]:
        """Count, share of those who answered the question, and its interval; no share where nobody did."""
        if not codes:
            return {}
        if self.answered[at.start] == 0:
            return {code: Cell(n) for code, n in zip(codes, self.n[at], strict=True)}
        columns = zip(codes, self.n[at], self.share[at], zip(self.low[at], self.high[at], strict=True), strict=True)
        if self.weighted is None or self.weighted.n_eff[at.start] == 0:
            return {code: Cell(n, share, interval) for code, n, share, interval in columns}
        weighted = self.weighted.cells(at)
        return {code: Cell(n, share, interval, weighted=w) for (code, n, share, interval), w in zip(columns, weighted, strict=True)}


def read(layout: Layout, rows: Counts) -> list[Reading]:
    """One pass over rows of the Burt matrix."""
    wide = layout.widen(rows)
    answered = layout.answered(wide)
    low, high = wilson(wide, answered)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = wide / answered
    whole = wide.astype(np.int64).tolist(), answered.astype(np.int64).tolist()
    columns = zip(*whole, share.tolist(), low.tolist(), high.tolist(), strict=True)
    return [Reading(*reading) for reading in columns]


def estimates(layout: Layout, weights: Weights, burt: Counts) -> Estimates | None:
    """The weighted shares of every column; None where figures are not weighted."""
    if not weights:
        return None
    wide = layout.widen(weights.rows(burt))
    answered = layout.answered(wide)
    return Estimates(*(values.tolist() for values in weighted_shares(wide[0], answered[0], answered[1])))


def weighted_shares(n: Counts, answered: Counts, squares: Counts) -> tuple[Counts, Counts, Counts, Counts]:
    """Effective size, share and interval of weighted counts. `answered`, `squares`: the sums of weights of those who
    answered, and of their squares. NaN, and an effective size of 0, where nobody did."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(n / answered, 0.0, 1.0)
        n_eff = np.where((answered > 0) & (squares > 0), answered**2 / squares, 0.0)
    low, high = wilson(np.where(share >= 1, n_eff, share * n_eff), n_eff)
    return n_eff, share, low, high
