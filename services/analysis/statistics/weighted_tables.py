"""Weighted two-way tables: where one side is a margin, the Burt matrix holds all that the weights need. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.problem import Problem
from proto.snapshot import Cell, Table, Weighted
from services.analysis.state.layout import Counts, arrange
from services.analysis.state.state import State
from services.analysis.statistics.marginals import weighted_shares
from services.analysis.statistics.tables import Side, side
from services.analysis.statistics.weighting import Weights, fit

Variance = Callable[[Counts], Counts]
"""From shares to the variance that noise adds to weighted counts with these shares."""


class TableNoise(Protocol):
    """The noise of published tables. `squares`: the sums of the squared weights of the groups."""

    def within_group(self, columns: NDArray[np.intp], squares: float) -> Variance:
        """Returns the variance of weighted counts in these widened columns, all of one group or of all groups together."""
        ...

    def across_groups(self, squares: Counts, base: float) -> Variance:
        """Returns the variance of weighted counts where each is of another group. `base`: the squares of all groups together."""
        ...

    def outweighs(self, deviation: Counts, width: Counts) -> NDArray[np.bool_]:
        """Returns whether noise with this standard deviation makes up more of an interval of this width than sampling does."""
        ...


class NoNoise:
    """Exact counts: every variance is 0, and no share is outweighed."""

    def within_group(self, columns: NDArray[np.intp], squares: float) -> Variance:
        return np.zeros_like

    def across_groups(self, squares: Counts, base: float) -> Variance:
        return np.zeros_like

    def outweighs(self, deviation: Counts, width: Counts) -> NDArray[np.bool_]:
        return np.zeros(len(width), np.bool_)


def exact(table: Table, book: CodeBook, state: State) -> Table:
    """Returns the table with weighted shares: of each row in its cells, and of all rows together under `total`.

    Raises Problem where no side is a margin: such a table would need counts of three questions at once, which are not kept.
    """
    weights = fit(book, state.burt[0])
    return weigh(table, book, weights, state.burt[weights.columns] if weights else state.burt[:0], NoNoise())


def weigh(table: Table, book: CodeBook, weights: Weights, rows: Counts, noise: TableNoise) -> Table:
    """Returns the table with weighted shares. Withheld cells stay as they are, and shares that noise outweighs are left out.

    `rows`: the rows of the Burt matrix of the weights' columns. Raises Problem as `exact` does.
    """
    if book.instrument.case_weight is not None:
        raise Problem(
            "request-refused",
            "Weighted are figures of one question, by the weights of the data: a table would need counts of three at once.",
        )
    margins = [margin.of for margin in book.instrument.margins]
    one, other = side(book, table.row), side(book, table.column)
    if margins and one.name not in margins and other.name not in margins:
        raise Problem(
            "request-refused",
            f"Weighted are tables of {' or '.join(margins)} by any question: for others, three questions would have to be counted at once.",
        )
    if not weights:
        return msgspec.structs.replace(table, weighting=weights.published)
    all_squares = float((weights.of**2).sum())
    if one.name in margins:
        sums, square_sums, squares = _by_group(book, rows, weights, one)
        by_row = [
            _shares(
                sums[i, other.columns],
                sums[i, other.answered],
                square_sums[i, other.answered],
                noise,
                noise.within_group(other.columns, float(squares[i])),
            )
            for i in range(len(one.codes))
        ]
        n, answered, answered_squares = sums[:, other.columns].sum(axis=0), sums[:, other.answered], square_sums[:, other.answered]
        total_variance = noise.within_group(other.columns, all_squares)
        total = _shares(n, answered.sum(), answered_squares.sum(), noise, total_variance)
    else:
        sums, square_sums, squares = _by_group(book, rows, weights, other)
        n, variance = sums[:, one.columns].T, noise.across_groups(squares, all_squares)
        by_row = [_shares(n[i], n[i].sum(), square_sums[:, column].sum(), noise, variance) for i, column in enumerate(one.columns.tolist())]
        answered = sums[:, one.answered]
        total = _shares(answered, answered.sum(), square_sums[:, one.answered].sum(), noise, variance)
    cells = {
        code: {to: _with(cell, share) for (to, cell), share in zip(table.cells[code].items(), shares, strict=True)}
        for code, shares in zip(one.codes, by_row, strict=True)
    }
    of_all = {to: share for to, share in zip(other.codes, total, strict=True) if share}
    return msgspec.structs.replace(table, cells=cells, total=of_all, weighting=weights.published)


def _by_group(book: CodeBook, rows: Counts, weights: Weights, margin: Side) -> tuple[Counts, Counts, Counts]:
    """Returns, for each code of a margin's side, the widened row of weighted counts, that of squared weights, and the sum of its squared
    weights. All are 0 where the code has no portion of the population."""
    margins = book.instrument.margins
    axis = [of.of for of in margins].index(margin.name)
    portions: NDArray[np.intp] = np.indices([len(of.portions) for of in margins])[axis].ravel()
    codes = [portion.code for portion in margins[axis].portions]
    groups = np.array([portions == (codes.index(code) if code in codes else -1) for code in margin.codes], np.float64)
    layout = arrange(book)
    squares = groups * weights.of**2
    return layout.widen((groups * weights.of) @ rows), layout.widen(squares @ rows), squares.sum(axis=1)


def _shares(n: Counts, answered: float, squares: float, noise: TableNoise, variance: Variance) -> list[Weighted | None]:
    """Returns the weighted shares of one row; None for each where nobody answered, and for a share that noise outweighs.

    `n`: weighted counts. `answered`, `squares`: the sums of the weights of those who answered, and of their squares.
    """
    whole = max(float(answered), float(n.max(initial=0.0)))  # noise may put a part above its whole
    if whole <= 0 or squares <= 0:
        return [None] * len(n)
    _, share, low, high = weighted_shares(n, np.full(len(n), whole), np.full(len(n), squares), variance)
    hidden = noise.outweighs(np.sqrt(variance(share)) / whole, high - low)
    columns = zip(share.tolist(), low.tolist(), high.tolist(), hidden.tolist(), strict=True)
    return [None if is_hidden else Weighted(share, (low, high)) for share, low, high, is_hidden in columns]


def _with(cell: Cell, weighted: Weighted | None) -> Cell:
    return cell if cell.withheld or cell.share is None else msgspec.structs.replace(cell, weighted=weighted)
