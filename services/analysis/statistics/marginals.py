"""Rows of the Burt matrix, read once: counts, shares and intervals of every column, weighted ones too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from proto.intervals import wilson
from proto.snapshot import Cell, Weighted
from services.analysis.state.layout import Counts, Layout
from services.analysis.statistics.weighting import Weights


class Accuracy(Protocol):
    """The variance that noise adds to sums of counts, over the widened columns of a layout."""

    def shares(self, shares: Counts) -> Counts:
        """The variance of n - share * answered for each widened column. `shares` and the result: shape (columns,)."""
        ...

    def of(self, columns: NDArray[np.intp], weights: Counts, base: float = 0.0) -> float:
        """The variance of Σ w n - base * answered. `columns`: of one question; `weights`: w, one per column."""
        ...


@dataclass
class Estimates:
    """Weighted shares of every column with their intervals; `n_eff` for those who answered the column's question, 0 for nobody. `told`:
    which of them are published. `accuracy`: of weighted sums with noise."""

    n_eff: list[float]
    share: list[float]
    low: list[float]
    high: list[float]
    answered: Counts
    told: NDArray[np.bool_] | None = None
    accuracy: Accuracy | None = None

    def cells(self, at: slice) -> list[Weighted | None]:
        columns = zip(self.share[at], self.low[at], self.high[at], strict=True)
        every = [Weighted(share, (low, high)) for share, low, high in columns]
        return [*every] if self.told is None else [each if told else None for each, told in zip(every, self.told[at].tolist(), strict=True)]

    def doubt_of(self, columns: NDArray[np.intp]) -> Callable[[Counts], float] | None:
        """The variance that noise gives to sums over columns of one question, on the scale of the effective size."""
        accuracy, first = self.accuracy, int(columns[0])
        if accuracy is None:
            return None
        scale = (self.n_eff[first] / float(self.answered[first])) ** 2
        return lambda weights: accuracy.of(columns, weights) * scale


@dataclass
class Reading:
    """Everybody, or one group."""

    n: list[int]
    answered: list[int]
    share: list[float]
    low: list[float]
    high: list[float]
    weighted: Estimates | None = None
    accuracy: Accuracy | None = None
    """Of figures with noise."""

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


def read(layout: Layout, rows: Counts, accuracies: Sequence[Accuracy] = ()) -> list[Reading]:
    """One pass over rows of the Burt matrix. `accuracies`: of each row, where they have noise; it goes into the intervals."""
    wide = layout.widen(rows)
    answered = layout.answered(wide)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = wide / answered
    noise = np.array([one.shares(each) for one, each in zip(accuracies, share, strict=True)]) if accuracies else 0.0
    low, high = wilson(wide, answered, noise)
    whole = wide.astype(np.int64).tolist(), answered.astype(np.int64).tolist()
    columns = zip(*whole, share.tolist(), low.tolist(), high.tolist(), strict=True)
    readings = [Reading(*reading) for reading in columns]
    for reading, accuracy in zip(readings, accuracies, strict=False):
        reading.accuracy = accuracy
    return readings


def estimates(layout: Layout, weights: Weights, rows: Counts, accuracy: Accuracy | None = None) -> Estimates | None:
    """The weighted shares of every column; None where figures are not weighted. `rows`: of the Burt matrix, those of the weights' columns.
    `accuracy`: of weighted sums, where these have noise."""
    if not weights:
        return None
    wide = layout.widen(weights.sums(rows))
    answered = layout.answered(wide)
    told = weighted_shares(wide[0], answered[0], answered[1], accuracy.shares if accuracy else None)
    return Estimates(*(values.tolist() for values in told), answered=answered[0], accuracy=accuracy)


def weighted_shares(
    n: Counts, answered: Counts, squares: Counts, noise: Callable[[Counts], Counts] | None = None
) -> tuple[Counts, Counts, Counts, Counts]:
    """Effective size, share and interval of weighted counts. `answered`, `squares`: the sums of weights of those who
    answered, and of their squares. NaN, and an effective size of 0, where nobody did. `noise`: the variance of counts with such shares."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(n / answered, 0.0, 1.0)
        n_eff = np.where((answered > 0) & (squares > 0), answered**2 / squares, 0.0)
        off = 0.0 if noise is None else noise(share) * (n_eff / answered) ** 2
    low, high = wilson(np.where(share >= 1, n_eff, share * n_eff), n_eff, off)
    return n_eff, share, low, high
