"""Any two-way table of a survey, straight from the Burt matrix: exact, and public."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.instrument import Matrix, Multiple, Ranking
from proto.intervals import wilson
from proto.problem import Problem
from proto.snapshot import Association, Cell, Table
from services.analysis import disclose, rounding
from services.analysis.association import associate
from services.analysis.layout import Layout, arrange
from services.analysis.released import ReleasedState
from services.analysis.state import State
from services.analysis.stats import published


@dataclass(frozen=True)
class Side:
    """A question, a matrix row ("B02.cctv") or a stratum, as one side of a table: widened columns."""

    name: str
    codes: tuple[str, ...]
    columns: NDArray[np.intp]
    answered: int
    """The column of those who answered; of a stratum, everybody."""
    exclusive: bool = True
    """Whether one respondent gives one answer at most."""


def side(book: CodeBook, name: str) -> Side:
    """Raises Problem where the survey has no such question, or one without closed answers."""
    layout = arrange(book)
    for stratum in layout.strata:
        if stratum.name == name:
            columns = np.array([column for _, column in stratum.groups], np.intp)
            return Side(name, tuple(code for code, _ in stratum.groups), columns, 0)
    question, _, row = name.partition(".")
    part = layout.part(question, row or None)
    if part is None:
        matrix = next((q for q in book.instrument.questions if q.id == question and isinstance(q, Matrix)), None)
        advice = f" Name one of its rows, such as {question}.{matrix.rows[0].code}." if matrix else ""
        raise Problem("not-found", f"There is no question, matrix row or stratum named '{name[:80]}'.{advice}")
    if not part.codes:
        raise Problem("not-found", f"'{name[:80]}' has no closed answers, so there is no table of it.")
    columns = np.array(range(part.cells.start, part.cells.stop), np.intp)
    return Side(name, part.codes, columns, part.answered, not isinstance(part.question, Multiple | Ranking))


def exact(book: CodeBook, state: State, row: str, column: str, *, revision: int, as_of: str) -> Table:
    """Counts of each pair of answers; shares are of those of the row who answered the column's question. Raises Problem."""
    one, other = _sides(book, row, column)
    table, counts = _counted(book, state, one, other, revision, as_of)
    return msgspec.structs.replace(table, association=_association(one, other, counts, np.ones(counts.shape, np.bool_), 0.0))


def _sides(book: CodeBook, row: str, column: str) -> tuple[Side, Side]:
    if row == column:
        raise Problem("request-refused", "Choose two different questions.")
    return side(book, row), side(book, column)


def _counted(book: CodeBook, state: State, one: Side, other: Side, revision: int, as_of: str) -> tuple[Table, NDArray[np.float64]]:
    """The table without a word on association, and its counts."""
    wide = _rows(arrange(book), state, one)
    counts = wide[:, other.columns]
    # where noise put a part above its whole, the whole is as large as its largest part
    of = np.maximum(wide[:, other.answered], counts.max(axis=1))[:, None]
    low, high = wilson(counts, np.broadcast_to(of, counts.shape))
    cells: dict[str, dict[str, Cell]] = {}
    for i, code in enumerate(one.codes):
        values = zip(other.codes, counts[i].tolist(), low[i].tolist(), high[i].tolist(), strict=True)
        answered = float(of[i, 0])
        cells[code] = {to: Cell(int(n), n / answered, (least, most)) if answered else Cell(int(n)) for to, n, least, most in values}
    instrument = book.instrument
    table = Table(
        survey=instrument.id,
        version=instrument.version,
        revision=revision,
        as_of=as_of,
        row=one.name,
        column=other.name,
        responses=state.responses,
        policy=published(instrument.policy),
        cells=cells,
        answered={code: int(n) for code, n in zip(one.codes, wide[:, other.answered].tolist(), strict=True)},
    )
    return table, counts


def _association(one: Side, other: Side, counts: NDArray[np.float64], shown: NDArray[np.bool_], noise: float) -> Association:
    """Of the rows and columns that are shown."""
    if not one.exclusive or not other.exclusive:
        return Association(reason="overlapping")
    rows, columns = shown.any(axis=1), shown.any(axis=0)
    if not shown[rows][:, columns].all():
        return Association(reason="withheld")
    return associate(counts[rows][:, columns], noise)


def _rows(layout: Layout, state: State, one: Side) -> NDArray[np.float64]:
    """The widened rows of a side. Rows that follow from others are sums of theirs."""
    if len(state.burt) == layout.width:
        return state.burt[one.columns]
    ranks = layout.ranks(one.columns)
    rows = state.burt[one.columns] if ranks is None else state.burt[ranks].sum(axis=0)
    return layout.widen(rows)


def public(released: ReleasedState, row: str, column: str) -> Table:
    """The table as `disclose` allows it, the same as in the snapshot's breakdown. Turned round it has the same counts. Raises Problem."""
    book, snapshot = released.folder.codebook, released.public
    for name in (row, column):
        _demand_public(book, name)
    one, other = _sides(book, row, column)
    table, counts = _counted(book, released.noisy, one, other, snapshot.revision, snapshot.as_of)
    shown = released.shown[np.ix_(one.columns, other.columns)] & released.shown[one.columns, other.answered][:, None]
    cells = {
        code: {to: cell if there else Cell(withheld=True) for (to, cell), there in zip(line.items(), seen, strict=True)}
        for (code, line), seen in zip(table.cells.items(), shown.tolist(), strict=True)
    }
    association = _association(one, other, counts, shown, book.instrument.policy.variance)
    answered = {code: table.answered[code] for code, seen in zip(one.codes, shown, strict=True) if seen.any()}
    return rounding.of_table(msgspec.structs.replace(table, cells=cells, association=association, answered=answered))


def _demand_public(book: CodeBook, name: str) -> None:
    public = {question.id for question in disclose.public_questions(book.instrument)}
    if name not in book.instrument.strata and name.partition(".")[0] not in public:
        raise Problem("not-found", f"'{name[:80]}' is not part of the public figures.")
