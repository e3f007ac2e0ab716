"""Weighted two-way tables: where one side is a margin, the Burt matrix holds all that the weights need."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.problem import Problem
from proto.snapshot import Cell, Table, Weighted
from services.analysis.layout import Counts, arrange
from services.analysis.reading import weighted_shares
from services.analysis.state import State
from services.analysis.tables import Side, side
from services.analysis.weighted_public import PublicWeights, near
from services.analysis.weighting import Weights, fit


def weigh(table: Table, book: CodeBook, state: State, public: PublicWeights | None = None) -> Table:
    """The table with weighted shares: of each row in its cells, and of all rows together under `total`. Raises Problem.

    Any other table would need counts of three questions at once, which are not kept. `state` is the one that the table was
    read from, exact or noisy; cells that it withholds stay as they are. `public`: the weights of a noisy one, where no share is
    weighted that would be too far from the exact one.
    """
    margins = [margin.of for margin in book.instrument.margins]
    one, other = side(book, table.row), side(book, table.column)
    if margins and one.name not in margins and other.name not in margins:
        told = (
            f"Weighted are tables of {' or '.join(margins)} by any question: for others, three questions would have to be counted at once."
        )
        raise Problem("request-refused", told)
    weights = fit(book, state.burt) if public is None else public.of
    if not weights:
        return msgspec.structs.replace(table, weighting=weights.published)
    if one.name in margins:
        sums, squares = _by_group(book, state, weights, one)
        n, answered, worth = sums[:, other.columns], sums[:, other.answered], squares[:, other.answered]
        every = n.sum(axis=0), answered.sum(), worth.sum()
    else:
        sums, squares = _by_group(book, state, weights, other)
        n = sums[:, one.columns].T
        answered, worth = n.sum(axis=1), squares[:, one.columns].sum(axis=0)
        every = sums[:, one.answered], sums[:, one.answered].sum(), squares[:, one.answered].sum()
    rows, total = [_shares(n[i], answered[i], worth[i]) for i in range(len(one.codes))], _shares(*every)
    if public is not None:
        sound = _near(public, book, state, table, one, other, rows)
        rows = [[share if fine else None for share, fine in zip(*line, strict=True)] for line in zip(rows, sound, strict=True)]
        total = [share if fine else None for share, fine in zip(total, public.shares[other.columns].tolist(), strict=True)]
    cells = {
        code: {to: _with(cell, found) for (to, cell), found in zip(table.cells[code].items(), shares, strict=True)}
        for code, shares in zip(one.codes, rows, strict=True)
    }
    told = {to: found for to, found in zip(other.codes, total, strict=True) if found}
    return msgspec.structs.replace(table, cells=cells, total=told, weighting=weights.published)


def _near(
    public: PublicWeights, book: CodeBook, state: State, table: Table, one: Side, other: Side, rows: list[list[Weighted | None]]
) -> list[list[bool]]:
    """Which shares are near enough to the exact ones: not those with much noise, those whose counts lag behind the table's, and
    those of groups of which much of the weight lies in cells that are not shown."""
    by_row = any(margin.of == one.name for margin in book.instrument.margins)
    margin = one if by_row else other
    groups = _cells_of(book, margin)
    squares = np.array([float((public.of.of[group] ** 2).sum()) for group in groups])
    sums, _ = _by_group(book, state, public.of, margin)
    plain, _ = _by_group(book, state, replace(public.of, of=(public.of.of > 0).astype(np.float64)), margin)
    if by_row:
        answered, through, whole = sums[:, other.answered], plain[:, other.columns], plain[:, other.answered]
        part, every = squares[:, None], squares[:, None]
        hidden = np.array([public.hidden_of(group) for group in groups])[:, None]
    else:
        answered, through, whole = sums[:, one.columns].sum(axis=0), plain[:, one.columns].T, plain[:, one.columns].sum(axis=0)
        part, every = squares[None, :], squares.sum()
        hidden = public.hidden
    told = np.array([[np.nan if cell.share is None else cell.share for cell in table.cells[code].values()] for code in one.codes])
    share = np.array([[np.nan if each is None else each.share for each in line] for line in rows])
    width = np.array([[np.nan if each is None else each.ci95[1] - each.ci95[0] for each in line] for line in rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = np.sqrt(public.variance * (part + share**2 * every)) / answered[:, None]
        behind = through / whole[:, None] - told
    return near(noise, behind, hidden, width).tolist()


def _cells_of(book: CodeBook, margin: Side) -> list[NDArray[np.bool_]]:
    """For each code of a margin's side which cells are in it; none where it has no portion."""
    margins = book.instrument.margins
    axis = [each.of for each in margins].index(margin.name)
    places: NDArray[np.intp] = np.indices([len(each.portions) for each in margins])[axis].ravel()
    codes = [portion.code for portion in margins[axis].portions]
    return [places == (codes.index(code) if code in codes else -1) for code in margin.codes]


def _by_group(book: CodeBook, state: State, weights: Weights, margin: Side) -> tuple[Counts, Counts]:
    """For each code of a margin's side the widened row of weighted counts, and of squared weights. Zero where it has no portion."""
    layout, rows = arrange(book), state.burt[weights.columns]
    groups = np.array(_cells_of(book, margin), np.float64)
    return layout.widen((groups * weights.of) @ rows), layout.widen((groups * weights.of**2) @ rows)


def _shares(n: Counts, answered: float, worth: float) -> list[Weighted | None]:
    """None for each where nobody answered."""
    whole = max(float(answered), float(n.max(initial=0.0)))  # noise may put a part above its whole
    if whole <= 0 or worth <= 0:
        return [None] * len(n)
    _, share, low, high = weighted_shares(n, np.full(len(n), whole), np.full(len(n), worth))
    return [Weighted(*each) for each in zip(share.tolist(), zip(low.tolist(), high.tolist(), strict=True), strict=True)]


def _with(cell: Cell, weighted: Weighted | None) -> Cell:
    return cell if cell.withheld or cell.share is None else msgspec.structs.replace(cell, weighted=weighted)
