"""Any two-way table of a survey, straight from the Burt matrix: exact, and public."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.instrument import Matrix, Multiple, Ranking
from proto.problem import Problem
from proto.snapshot import Cell, Snapshot, Table
from services.analysis import disclose
from services.analysis.disclose import rounded
from services.analysis.intervals import wilson
from services.analysis.layout import Counts, arrange
from services.analysis.state import State
from services.analysis.stats import published
from services.analysis.withhold import Hidden, small

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Side:
    """A question, a matrix row ("B02.cctv") or a stratum, as one side of a table."""

    name: str
    codes: tuple[str, ...]
    columns: list[list[int]]
    """For each code the columns that count it: one, or one per rank."""
    absent: list[int] = field(default_factory=list[int])
    exclusive: bool = True


def side(book: CodeBook, name: str) -> Side:
    """Raises Problem where the survey has no such question, or one without closed answers."""
    layout = arrange(book)
    for stratum in layout.strata:
        if stratum.name == name:
            return Side(name, tuple(code for code, _ in stratum.groups), [[column] for _, column in stratum.groups])
    question, _, row = name.partition(".")
    part = layout.part(question, row or None)
    if part is None:
        matrix = next((q for q in book.instrument.questions if q.id == question and isinstance(q, Matrix)), None)
        advice = f" Name one of its rows, such as {question}.{matrix.rows[0].code}." if matrix else ""
        raise Problem("not-found", f"There is no question, matrix row or stratum named '{name[:80]}'.{advice}")
    if not part.codes:
        raise Problem("not-found", f"'{name[:80]}' has no closed answers, so there is no table of it.")
    own = book.of(question, part.row)
    columns = [[i for i in own if book.columns[i].code == code] for code in part.codes]
    return Side(name, part.codes, columns, [part.skipped, part.missing], not isinstance(part.question, Multiple | Ranking))


@dataclass(frozen=True)
class Crossing:
    """The counts of a table, and the numbers of those of each row (column) who answered the other question."""

    cells: Counts
    rows: Counts
    columns: Counts
    row_totals: Counts
    column_totals: Counts
    both: int
    """How many answered both questions."""


def cross(state: State, row: Side, column: Side) -> Crossing:
    burt = state.burt
    by_row = np.array([burt[columns].sum(axis=0) for columns in row.columns])
    by_column = np.array([burt[columns].sum(axis=0) for columns in column.columns])
    cells = np.array([by_row[:, columns].sum(axis=1) for columns in column.columns]).T
    neither = burt[np.ix_(row.absent, column.absent)].sum()
    absent = burt[0, row.absent].sum() + burt[0, column.absent].sum() - neither
    return Crossing(
        cells,
        by_row[:, 0] - by_row[:, column.absent].sum(axis=1),
        by_column[:, 0] - by_column[:, row.absent].sum(axis=1),
        by_row[:, 0],
        by_column[:, 0],
        int(burt[0, 0] - absent),
    )


def exact(book: CodeBook, state: State, row: str, column: str, *, revision: int, as_of: str) -> Table:
    """Counts of each pair of answers; shares are of those of the row who answered the column's question. Raises Problem."""
    one, other = _sides(book, row, column)
    found = cross(state, one, other)
    of = np.broadcast_to(found.rows[:, None], found.cells.shape)
    low, high = wilson(found.cells, of)
    cells: dict[str, dict[str, Cell]] = {}
    for i, code in enumerate(one.codes):
        values = zip(other.codes, found.cells[i].tolist(), low[i].tolist(), high[i].tolist(), strict=True)
        answered = float(found.rows[i])
        cells[code] = {to: Cell(int(n), n / answered, (least, most)) if answered else Cell(int(n)) for to, n, least, most in values}
    instrument = book.instrument
    return Table(
        survey=instrument.id,
        version=instrument.version,
        revision=revision,
        as_of=as_of,
        row=row,
        column=column,
        responses=state.responses,
        policy=published(instrument.policy),
        cells=cells,
    )


def _sides(book: CodeBook, row: str, column: str) -> tuple[Side, Side]:
    if row == column:
        raise Problem("request-refused", "Choose two different questions.")
    return side(book, row), side(book, column)


def public(book: CodeBook, released: State, whole: Snapshot, row: str, column: str) -> Table:
    """The table under the rules of `disclose`; `whole` is the exact snapshot of the same released state. Raises Problem.

    Claim: no small count of this table, nor of its complement towards the totals of its rows and columns, is shown or
    follows from the others. Rows and columns that are hidden in the one-way figures are hidden here. The same table
    turned round hides the same cells, and so does the breakdown of the snapshot where it is the same table.
    """
    policy, limit = book.instrument.policy, book.instrument.policy.withhold_below
    if released.responses < policy.minimum:
        raise Problem("not-published-yet", f"{policy.minimum} answers are needed.")
    for name in (row, column):
        _demand_public(book, name)
    table = exact(book, released, row, column, revision=whole.revision, as_of=whole.as_of)
    one, other = _sides(book, row, column)
    found = cross(released, one, other)
    if row > column:
        turned = _mask(book, whole, cross(released, other, one), other, one)
        hidden = None if turned is None else turned.T
    else:
        hidden = _mask(book, whole, found, one, other)
    cells: dict[str, dict[str, Cell]] = {}
    for i, (code, line) in enumerate(table.cells.items()):
        quiet = small(int(found.row_totals[i] - found.rows[i]), limit)  # the share would tell how many did not answer
        shown = {to: Cell(cell.n) if quiet else rounded(cell) for to, cell in line.items()}
        cells[code] = {to: Cell(withheld=True) if hidden is None or hidden[i, j] else cell for j, (to, cell) in enumerate(shown.items())}
    return msgspec.structs.replace(table, cells=cells)


def _mask(book: CodeBook, whole: Snapshot, found: Crossing, one: Side, other: Side) -> Mask | None:
    """Which cells to hide; None for all."""
    rows, columns = _margin(book, whole, one), _margin(book, whole, other)
    if rows is None or columns is None:
        return None
    for stratum, question, turned in ((one, other, False), (other, one, True)):
        broken_down = _in_breakdown(book, whole, stratum, question)
        if broken_down is not None:
            groups, hidden = broken_down
            if hidden is None:
                return None
            mask = np.array([[group not in groups or code in hidden for code in question.codes] for group in stratum.codes])
            return mask.T if turned else mask
    return hide(found, one.exclusive, other.exclusive, rows, columns, book.instrument.policy.withhold_below)


def _in_breakdown(book: CodeBook, whole: Snapshot, stratum: Side, question: Side) -> tuple[list[str], Hidden | None] | None:
    """The groups and the hidden codes of the snapshot's breakdown that is this very table; None where there is none."""
    instrument = book.instrument
    if stratum.name not in instrument.strata or question.name in instrument.strata:
        return None
    id, _, row = question.name.partition(".")
    asked = instrument.question(id)
    groups = disclose.with_figures(whole, instrument, stratum.name, asked)
    if not groups:
        return None
    limit = instrument.policy.withhold_below
    margin = disclose.verdict(asked, whole.questions[id], whole.responses, limit, disclose.classes(instrument, id))
    return groups, disclose.verdict_in_groups(whole, instrument, stratum.name, asked, margin)[row]


def _demand_public(book: CodeBook, name: str) -> None:
    public = {question.id for question in disclose.public_questions(book.instrument)}
    if name not in book.instrument.strata and name.partition(".")[0] not in public:
        raise Problem("not-found", f"'{name[:80]}' is not part of the public figures.")


def _margin(book: CodeBook, whole: Snapshot, one: Side) -> list[bool] | None:
    """Which codes the one-way figures hide; None where they hide everything."""
    instrument = book.instrument
    if one.name in instrument.strata:
        shown = disclose.shown_groups(whole, instrument, one.name)
        return None if shown is None else [code not in shown for code in one.codes]
    id, _, row = one.name.partition(".")
    question = instrument.question(id)
    together = disclose.classes(instrument, id)
    found = disclose.verdict(question, whole.questions[id], whole.responses, instrument.policy.withhold_below, together)[row]
    return None if found is None else [code in found for code in one.codes]


def hide(found: Crossing, one: bool, other: bool, rows: list[bool], columns: list[bool], limit: int) -> Mask | None:
    """Which cells to hide; None for all. `one`, `other`: whether rows and columns exclude each other; `rows`, `columns`:
    hidden in the margins.

    Those who did not answer one of the questions are a row and a column more: never printed, but had by subtraction.
    """
    if one and other:
        return _hide_exclusive(found, rows, columns, limit)
    return _hide_overlapping(found, one, other, rows, columns, limit)


def _small(counts: Counts, limit: int) -> Mask:
    return (counts > 0) & (counts < limit)


def _hide_exclusive(found: Crossing, rows: list[bool], columns: list[bool], limit: int) -> Mask | None:
    """Each small cell becomes a corner of a rectangle of hidden cells above zero (see `withhold.crossed`), the cheapest there is."""
    cells = found.cells
    left = found.row_totals - cells.sum(axis=1)
    under = found.column_totals - cells.sum(axis=0)
    full = np.block([[cells, left[:, None]], [under[None, :], np.zeros((1, 1))]])
    hidden = _small(full, limit)
    hidden[:-1][np.array(rows)] = True
    hidden[:, :-1][:, np.array(columns)] = True
    for i, j in np.argwhere(_small(full, limit)).tolist():
        core = i < len(cells) and j < cells.shape[1]
        area = full[:-1, :-1] if core else full
        away = hidden[:-1, :-1] if core else hidden
        cost = np.where(away, 0.0, area)
        price = cost + cost[i][None, :] + cost[:, j][:, None]
        price[(area == 0) | (area[i] == 0)[None, :] | (area[:, j] == 0)[:, None]] = np.inf
        price[i], price[:, j] = np.inf, np.inf
        best = int(np.argmin(price))
        if not np.isfinite(price.flat[best]):
            return None
        k, m = divmod(best, area.shape[1])
        hidden[i, m] = hidden[k, j] = hidden[k, m] = True
    return hidden[:-1, :-1]


def _hide_overlapping(found: Crossing, one: bool, other: bool, rows: list[bool], columns: list[bool], limit: int) -> Mask | None:
    """Small cells and small complements are hidden; a line with a single hidden cell gets a companion, until none has."""
    cells = found.cells
    hidden = _small(cells, limit)
    hidden |= _small(found.rows[:, None] - cells, limit) | _small(found.columns[None, :] - cells, limit)
    hidden |= _small(found.both - found.rows[:, None] - found.columns[None, :] + cells, limit) if not one and not other else False
    hidden |= np.array(rows)[:, None] | np.array(columns)[None, :]
    if one:  # those of a column who are in no row
        hidden |= _small(found.column_totals - cells.sum(axis=0), limit)[None, :]
    if other:
        hidden |= _small(found.row_totals - cells.sum(axis=1), limit)[:, None]
    while True:
        before = int(hidden.sum())
        for lines, masks in ((cells, hidden), (cells.T, hidden.T)):
            for line, mask in zip(lines, masks, strict=True):
                if int((mask & (line > 0)).sum()) == 1:
                    open_cells = np.where(mask | (line == 0), np.inf, line)
                    if not np.isfinite(open_cells.min()):
                        return None
                    mask[int(np.argmin(open_cells))] = True
        if int(hidden.sum()) == before:
            return hidden
