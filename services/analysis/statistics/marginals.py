"""Marginals of the Burt matrix: the count of every column with its share, its interval. Pure."""

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


class SumVariance(Protocol):
    """The variance that noise adds to sums of counts, over the widened columns of a layout."""

    def shares(self, shares: Counts) -> Counts:
        """The variance of n - share * answered for each widened column. `shares` and the result: shape (columns,)."""
        ...

    def of(self, columns: NDArray[np.intp], weights: Counts, base: float = 0.0) -> float:
        """The variance of Σ w n - base * answered. `columns`: of one question; `weights`: w, one per column."""
        ...


@dataclass
class Estimates:
    """Weighted shares of every widened column, with their 95 % intervals."""

    n_eff: list[float]
    """The effective size of those who answered the column's question; 0 where nobody did."""
    share: list[float]
    low: list[float]
    high: list[float]
    answered: Counts
    """The sum of the weights of those who answered. Shape (widened columns,)."""
    shown: NDArray[np.bool_] | None = None
    """Which of them are published; None for all."""
    accuracy: SumVariance | None = None
    """The noise of weighted sums; None for exact figures."""

    def cells(self, at: slice) -> list[Weighted | None]:
        """Returns the weighted share of each of these columns; None where it is not published."""
        columns = zip(self.share[at], self.low[at], self.high[at], strict=True)
        shares = [Weighted(share, (low, high)) for share, low, high in columns]
        if self.shown is None:
            return [*shares]
        return [share if is_shown else None for share, is_shown in zip(shares, self.shown[at].tolist(), strict=True)]

    def noise_variance_of(self, columns: NDArray[np.intp]) -> Callable[[Counts], float] | None:
        """Returns a function from weights to the variance that noise adds to Σ w n over these columns of one question.

        It is on the scale of the effective size. None for exact figures.
        """
        accuracy, first = self.accuracy, int(columns[0])
        if accuracy is None:
            return None
        scale = (self.n_eff[first] / float(self.answered[first])) ** 2
        return lambda weights: accuracy.of(columns, weights) * scale


@dataclass
class Marginals:
    """Counts and shares of every widened column, of everybody or of one group."""

    n: list[int]
    answered: list[int]
    """How many answered the column's question."""
    share: list[float]
    low: list[float]
    high: list[float]
    weighted: Estimates | None = None
    accuracy: SumVariance | None = None
    """The noise of the counts; None for exact figures."""

    def cells(self, codes: tuple[str, ...], at: slice) -> dict[str, Cell]:
        """Returns, by code, the count, its share of those who answered the question, and the interval; no share where nobody did."""
        if not codes:
            return {}
        if self.answered[at.start] == 0:
            return {code: Cell(n) for code, n in zip(codes, self.n[at], strict=True)}
        columns = zip(codes, self.n[at], self.share[at], zip(self.low[at], self.high[at], strict=True), strict=True)
        if self.weighted is None or self.weighted.n_eff[at.start] == 0:
            return {code: Cell(n, share, interval) for code, n, share, interval in columns}
        weighted = self.weighted.cells(at)
        return {code: Cell(n, share, interval, weighted=w) for (code, n, share, interval), w in zip(columns, weighted, strict=True)}


def read_marginals(layout: Layout, rows: Counts, accuracies: Sequence[SumVariance] = ()) -> list[Marginals]:
    """Reads rows of the Burt matrix in one pass: everybody's, or those of groups. Shape (rows, columns).

    `accuracies`: of each row, where the counts have noise. Noise widens the intervals.
    """
    wide = layout.widen(rows)
    answered = layout.answered(wide)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = wide / answered
    noise = np.array([accuracy.shares(row) for accuracy, row in zip(accuracies, share, strict=True)]) if accuracies else 0.0
    low, high = wilson(wide, answered, noise)
    whole = wide.astype(np.int64).tolist(), answered.astype(np.int64).tolist()
    columns = zip(*whole, share.tolist(), low.tolist(), high.tolist(), strict=True)
    marginals = [Marginals(*values) for values in columns]
    for of_row, accuracy in zip(marginals, accuracies, strict=False):
        of_row.accuracy = accuracy
    return marginals


def estimates(layout: Layout, weights: Weights, rows: Counts, accuracy: SumVariance | None = None) -> Estimates | None:
    """Returns the weighted shares of every column; None where figures are not weighted.

    `rows`: the rows of the Burt matrix of the weights' columns. `accuracy`: the noise of weighted sums, where they have noise.
    """
    if not weights:
        return None
    wide = layout.widen(weights.sums(rows))
    answered = layout.answered(wide)
    shares = weighted_shares(wide[0], answered[0], answered[1], accuracy.shares if accuracy else None)
    return Estimates(*(values.tolist() for values in shares), answered=answered[0], accuracy=accuracy)


def weighted_shares(
    n: Counts, answered: Counts, squares: Counts, noise: Callable[[Counts], Counts] | None = None
) -> tuple[Counts, Counts, Counts, Counts]:
    """Returns effective size, share, low and high end of the 95 % interval of weighted counts, each of the shape of `n`.

    `answered`, `squares`: the sums of the weights of those who answered, and of their squares. Where nobody did, the effective size is 0
    and the others are NaN. `noise`: returns the variance that noise adds to counts with these shares.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(n / answered, 0.0, 1.0)
        n_eff = np.where((answered > 0) & (squares > 0), answered**2 / squares, 0.0)
        off = 0.0 if noise is None else noise(share) * (n_eff / answered) ** 2
    low, high = wilson(np.where(share >= 1, n_eff, share * n_eff), n_eff, off)
    return n_eff, share, low, high
