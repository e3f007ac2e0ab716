"""Weighted two-way tables: where one side is a margin, the Burt matrix holds all that the weights need."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.problem import Problem
from proto.snapshot import Cell, Table, Weighted
from services.analysis.disclosure.edition_tables import Crossed
from services.analysis.disclosure.published_state import ReleasedState
from services.analysis.disclosure.weighted_public import outweighed, weighted_accuracy
from services.analysis.state.layout import Counts, arrange
from services.analysis.state.state import State
from services.analysis.statistics.marginals import weighted_shares
from services.analysis.statistics.tables import Side, side
from services.analysis.statistics.weighting import Weights, fit


def exact(table: Table, book: CodeBook, state: State) -> Table:
    """The table with weighted shares: of each row in its cells, and of all rows together under `total`. Raises Problem.

    Any other table than of a margin would need counts of three questions at once, which are not kept.
    """
    weights = fit(book, state.burt[0])
    return _weigh(table, book, weights, state.burt[weights.columns] if weights else state.burt[:0])


def public(table: Table, released: ReleasedState) -> Table:
    """The same of a published table: cells that it withholds stay as they are, and so do those that noise would outweigh; where a
    guarantee holds nothing is weighted. Raises Problem."""
    tables, weights = released.tables, released.weights
    assert tables is not None
    if tables.publication.parameters.guarantee is not None:
        return msgspec.structs.replace(table, weighting=weights.of.published)
    return _weigh(table, tables.book, weights.of, weights.rows, tables)


def _weigh(table: Table, book: CodeBook, weights: Weights, rows: Counts, tables: Crossed | None = None) -> Table:
    margins = [margin.of for margin in book.instrument.margins]
    one, other = side(book, table.row), side(book, table.column)
    if margins and one.name not in margins and other.name not in margins:
        told = (
            f"Weighted are tables of {' or '.join(margins)} by any question: for others, three questions would have to be counted at once."
        )
        raise Problem("request-refused", told)
    if not weights:
        return msgspec.structs.replace(table, weighting=weights.published)
    every = np.array((weights.of**2).sum())
    if one.name in margins:
        sums, squares, worth = _by_group(book, rows, weights, one)
        found = [
            _shares(sums[i, other.columns], sums[i, other.answered], squares[i, other.answered], _Doubt(tables, worth[i]), other.columns)
            for i in range(len(one.codes))
        ]
        n = sums[:, other.columns].sum(axis=0)
        total = _shares(n, sums[:, other.answered].sum(), squares[:, other.answered].sum(), _Doubt(tables, every), other.columns)
    else:
        sums, squares, worth = _by_group(book, rows, weights, other)
        n, doubt = sums[:, one.columns].T, _Doubt(tables, worth, float(every))
        found = [_shares(n[i], n[i].sum(), squares[:, column].sum(), doubt, None) for i, column in enumerate(one.columns.tolist())]
        total = _shares(sums[:, one.answered], sums[:, one.answered].sum(), squares[:, one.answered].sum(), doubt, None)
    cells = {
        code: {to: _with(cell, share) for (to, cell), share in zip(table.cells[code].items(), shares, strict=True)}
        for code, shares in zip(one.codes, found, strict=True)
    }
    of_all = {to: share for to, share in zip(other.codes, total, strict=True) if share}
    return msgspec.structs.replace(table, cells=cells, total=of_all, weighting=weights.published)


@dataclass(frozen=True)
class _Doubt:
    """How far noise puts weighted sums off. `squares`: of their weights; of each, where they are of different groups, and then `base`: of
    all groups together."""

    tables: Crossed | None
    squares: Counts
    base: float = 0.0

    def of(self, shares: Counts, columns: NDArray[np.intp] | None) -> Counts:
        """The variance of weighted counts with these shares; 0 where there is no noise, or none is known."""
        if self.tables is None:
            return np.zeros(len(shares))
        if columns is None:
            parameters = self.tables.publication.parameters
            return parameters.table_variance(self.tables.responses, len(self.tables.cells.blocks.sizes)) * (
                self.squares + shares**2 * self.base
            )
        accuracy = weighted_accuracy(self.tables, float(self.squares))
        wide = np.zeros(len(accuracy.q))
        wide[columns] = shares
        return accuracy.shares(wide)[columns]


def _by_group(book: CodeBook, rows: Counts, weights: Weights, margin: Side) -> tuple[Counts, Counts, Counts]:
    """For each code of a margin's side the widened row of weighted counts, and of squared weights, zero where it has no portion; and the
    sum of the squares of its weights."""
    margins = book.instrument.margins
    axis = [each.of for each in margins].index(margin.name)
    places: NDArray[np.intp] = np.indices([len(each.portions) for each in margins])[axis].ravel()
    codes = [portion.code for portion in margins[axis].portions]
    groups = np.array([places == (codes.index(code) if code in codes else -1) for code in margin.codes], np.float64)
    layout = arrange(book)
    squares = groups * weights.of**2
    return layout.widen((groups * weights.of) @ rows), layout.widen(squares @ rows), squares.sum(axis=1)


def _shares(n: Counts, answered: float, worth: float, doubt: _Doubt, columns: NDArray[np.intp] | None) -> list[Weighted | None]:
    """None for each where nobody answered, and of a share that noise would outweigh."""
    whole = max(float(answered), float(n.max(initial=0.0)))  # noise may put a part above its whole
    if whole <= 0 or worth <= 0:
        return [None] * len(n)
    _, share, low, high = weighted_shares(n, np.full(len(n), whole), np.full(len(n), worth), lambda shares: doubt.of(shares, columns))
    hidden = outweighed(np.sqrt(doubt.of(share, columns)) / whole, high - low)
    found = zip(share.tolist(), low.tolist(), high.tolist(), hidden.tolist(), strict=True)
    return [None if gone else Weighted(share, (low, high)) for share, low, high, gone in found]


def _with(cell: Cell, weighted: Weighted | None) -> Cell:
    return cell if cell.withheld or cell.share is None else msgspec.structs.replace(cell, weighted=weighted)
