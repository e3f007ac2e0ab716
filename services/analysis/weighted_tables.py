"""Weighted two-way tables: where one side is a margin, the Burt matrix holds all that the weights need."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.problem import Problem
from proto.snapshot import Cell, Table, Weighted
from services.analysis.layout import Counts, arrange
from services.analysis.reading import weighted_shares
from services.analysis.state import State
from services.analysis.tables import Side, side
from services.analysis.weighting import Weights, fit


def weigh(table: Table, book: CodeBook, state: State) -> Table:
    """The table with weighted shares: of each row in its cells, and of all rows together under `total`. Raises Problem.

    Any other table would need counts of three questions at once, which are not kept. `state` is the one that the table was
    read from, exact or noisy; cells that it withholds stay as they are.
    """
    margins = [margin.of for margin in book.instrument.margins]
    one, other = side(book, table.row), side(book, table.column)
    if margins and one.name not in margins and other.name not in margins:
        told = (
            f"Weighted are tables of {' or '.join(margins)} by any question: for others, three questions would have to be counted at once."
        )
        raise Problem("request-refused", told)
    weights = fit(book, state.burt)
    if not weights:
        return replace(table, weighting=weights.published)
    if one.name in margins:
        sums, squares = _by_group(book, state, weights, one)
        n, answered, worth = sums[:, other.columns], sums[:, other.answered], squares[:, other.answered]
        every = n.sum(axis=0), answered.sum(), worth.sum()
    else:
        sums, squares = _by_group(book, state, weights, other)
        n = sums[:, one.columns].T
        answered, worth = n.sum(axis=1), squares[:, one.columns].sum(axis=0)
        every = sums[:, one.answered], sums[:, one.answered].sum(), squares[:, one.answered].sum()
    rows = [_shares(n[i], answered[i], worth[i]) for i in range(len(one.codes))]
    cells = {
        code: {to: _with(cell, found) for (to, cell), found in zip(table.cells[code].items(), shares, strict=True)}
        for code, shares in zip(one.codes, rows, strict=True)
    }
    total = {to: found for to, found in zip(other.codes, _shares(*every), strict=True) if found}
    return replace(table, cells=cells, total=total, weighting=weights.published)


def _by_group(book: CodeBook, state: State, weights: Weights, margin: Side) -> tuple[Counts, Counts]:
    """For each code of a margin's side the widened row of weighted counts, and of squared weights. Zero where it has no portion."""
    margins, layout = book.instrument.margins, arrange(book)
    axis = [each.of for each in margins].index(margin.name)
    places: NDArray[np.intp] = np.indices([len(each.portions) for each in margins])[axis].ravel()
    codes = [portion.code for portion in margins[axis].portions]
    found = np.zeros((2, len(margin.codes), state.burt.shape[1]))
    for i, code in enumerate(margin.codes):
        if code in codes:
            at = np.flatnonzero(places == codes.index(code))
            of = weights.of[at]
            found[:, i] = np.vstack([of, of**2]) @ state.burt[np.array(weights.columns)[at]]
    return layout.widen(found[0]), layout.widen(found[1])


def _shares(n: Counts, answered: float, worth: float) -> list[Weighted | None]:
    """None for each where nobody answered."""
    whole = max(float(answered), float(n.max(initial=0.0)))  # noise may put a part above its whole
    if whole <= 0 or worth <= 0:
        return [None] * len(n)
    _, share, low, high = weighted_shares(n, np.full(len(n), whole), np.full(len(n), worth))
    return [Weighted(*each) for each in zip(share.tolist(), zip(low.tolist(), high.tolist(), strict=True), strict=True)]


def _with(cell: Cell, weighted: Weighted | None) -> Cell:
    return cell if cell.withheld or cell.share is None else replace(cell, weighted=weighted)
