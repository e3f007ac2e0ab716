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
from services.analysis.disclosure import public_view, rounding
from services.analysis.disclosure.accuracy import Accuracy
from services.analysis.disclosure.edition_tables import Crossed, publication_of
from services.analysis.disclosure.published_state import ReleasedState
from services.analysis.state.layout import Layout, arrange
from services.analysis.state.state import State
from services.analysis.statistics.association import associate
from services.analysis.statistics.stats import published

GUARANTEED = (
    "The figures of this survey have a proven guarantee, which covers each question, and each that is broken down by a group that the "
    "questionnaire names. Any other two questions are not crossed: the noise would outweigh what they tell."
)


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
    layout = arrange(book)
    ranks = layout.ranks(one.columns)
    wide = layout.widen(state.burt[one.columns] if ranks is None else state.burt[ranks].sum(axis=0))
    counts = wide[:, other.columns]
    table = _table(book, one, other, wide, state.responses, revision, as_of)
    single = layout.widen(state.burt.diagonal()[None])[0]
    table = msgspec.structs.replace(table, rows=_side_alone(one, single), columns=_side_alone(other, single))
    return msgspec.structs.replace(table, association=_association(one, other, counts, np.ones(counts.shape, np.bool_), 0.0))


def public(released: ReleasedState, row: str, column: str) -> Table:
    """The table as of when tables last moved, the same as in the snapshot's breakdown. Turned round it has the same counts. Rows and
    columns with fewer than the minimum are withheld. Raises Problem."""
    tables = _tables(released)
    book, layout, revision = tables.book, tables.layout, released.public.revision
    for name in (row, column):
        _demand_public(book, name)
    one, other = _sides(book, row, column)
    if tables.publication.parameters.guarantee is not None:
        _demand_guaranteed(book, row, column)
    wide, accuracies = _published(tables, one, other)
    counts = wide[:, other.columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = wide / np.maximum(wide[:, layout.of], wide)
    noise = np.array([each.shares(share)[other.columns] for each, share in zip(accuracies, shares, strict=True)])
    table = _table(book, one, other, wide, tables.responses, revision, tables.as_of, noise, tables.singles_edition)
    enough = public_view.enough(tables)
    shown = enough[one.columns][:, None] & enough[other.columns] & (wide[:, other.answered] > 0)[:, None]
    cells = {
        code: {to: cell if there else Cell(withheld=True) for (to, cell), there in zip(line.items(), seen, strict=True)}
        for (code, line), seen in zip(table.cells.items(), shown.tolist(), strict=True)
    }
    rows, columns = (_side_alone(each, tables.single, least=book.instrument.policy.minimum) for each in (one, other))
    variance = tables.publication.parameters.table_variance(tables.responses, _degree(tables, one, other))
    association = _association(one, other, counts, shown, variance)
    answered = {code: table.answered[code] for code, seen in zip(one.codes, shown, strict=True) if seen.any()}
    return rounding.of_table(
        msgspec.structs.replace(table, cells=cells, association=association, answered=answered, rows=rows, columns=columns)
    )


def _tables(released: ReleasedState) -> Crossed:
    """Raises Problem before the first."""
    if released.tables is None:
        least = publication_of(released.folder.codebook, released.noise).parameters.table_batch
        raise Problem("not-published-yet", f"Two-way tables follow once {least} answers are in: fewer could point to single respondents.")
    return released.tables


def _sides(book: CodeBook, row: str, column: str) -> tuple[Side, Side]:
    if row == column:
        raise Problem("request-refused", "Choose two different questions.")
    return side(book, row), side(book, column)


def _columns(layout: Layout, one: Side) -> list[list[int]]:
    """For each code of a side the columns of the code book that its count is the sum of."""
    ranks = layout.ranks(one.columns)
    return [[int(column)] for column in one.columns] if ranks is None else ranks.T.tolist()


def _blocks(tables: Crossed, one: Side) -> list[int]:
    if one.answered == 0:  # a stratum
        return tables.cells.all_of(int(column) for column in one.columns)
    id, _, row = one.name.partition(".")
    part = tables.layout.part(id, row or None)
    assert part is not None
    columns = [column for each in _columns(tables.layout, one) for column in each]
    return tables.cells.all_of([*columns, part.missing, part.skipped] if row == "" else [*columns, part.missing])


def _degree(tables: Crossed, one: Side, other: Side) -> int:
    pairs = [(a, b) for a in _blocks(tables, one) for b in _blocks(tables, other) if a != b]
    return max((tables.publication.blocks.crossed(a, b) for a, b in pairs), default=0)


def _published(tables: Crossed, one: Side, other: Side) -> tuple[NDArray[np.float64], list[Accuracy]]:
    """The widened rows of a side, as far as the other one needs them, and how accurate each is."""
    layout, blocks = tables.layout, _blocks(tables, other)
    columns = _columns(layout, one)
    each = tables.rows([column for some in columns for column in some], blocks)
    starts = np.cumsum([0, *(len(some) for some in columns[:-1])])
    wide = layout.widen(np.add.reduceat(each, starts, axis=0))
    return wide, [tables.accuracy_in(some[0], blocks) for some in columns]


def _table(
    book: CodeBook,
    one: Side,
    other: Side,
    wide: NDArray[np.float64],
    responses: int,
    revision: int,
    as_of: str,
    noise: NDArray[np.float64] | float = 0.0,
    editions: int | None = None,
) -> Table:
    """The table without a word on association. `wide`: widened rows of the one side. `editions`: so many are published."""
    counts = wide[:, other.columns]
    # where noise put a part above its whole, the whole is as large as its largest part
    of = np.maximum(wide[:, other.answered], counts.max(axis=1))[:, None]
    low, high = wilson(counts, np.broadcast_to(of, counts.shape), noise)
    cells: dict[str, dict[str, Cell]] = {}
    for i, code in enumerate(one.codes):
        values = zip(other.codes, counts[i].tolist(), low[i].tolist(), high[i].tolist(), strict=True)
        answered = float(of[i, 0])
        cells[code] = {to: Cell(int(n), n / answered, (least, most)) if answered else Cell(int(n)) for to, n, least, most in values}
    instrument = book.instrument
    return Table(
        survey=instrument.id,
        version=instrument.version,
        revision=revision,
        as_of=as_of,
        row=one.name,
        column=other.name,
        responses=responses,
        policy=published(book, responses, editions),
        cells=cells,
        answered={code: int(n) for code, n in zip(one.codes, wide[:, other.answered].tolist(), strict=True)},
    )


def _association(one: Side, other: Side, counts: NDArray[np.float64], shown: NDArray[np.bool_], noise: float) -> Association:
    """Of the rows and columns that are shown."""
    if not one.exclusive or not other.exclusive:
        return Association(reason="overlapping")
    rows, columns = shown.any(axis=1), shown.any(axis=0)
    if not shown[rows][:, columns].all():
        return Association(reason="withheld")
    return associate(counts[rows][:, columns], noise)


def _side_alone(one: Side, single: NDArray[np.float64], least: int = 0) -> dict[str, Cell]:
    """Counts and shares of a side by itself. `single`: single counts in widened columns; groups of fewer than `least` are withheld."""
    counts = single[one.columns]
    whole = max(float(single[one.answered]), float(counts.max(initial=0.0)))
    shares = counts / whole if whole else counts
    group = one.answered == 0
    told = zip(one.codes, counts.tolist(), shares.tolist(), strict=True)
    return {code: Cell(withheld=True) if group and n < least else Cell(int(n), share) for code, n, share in told}


def _demand_public(book: CodeBook, name: str) -> None:
    public = {question.id for question in public_view.public_questions(book.instrument)}
    if name not in book.instrument.strata and name.partition(".")[0] not in public:
        raise Problem("not-found", f"'{name[:80]}' is not part of the public figures.")


def _demand_guaranteed(book: CodeBook, row: str, column: str) -> None:
    """Raises Problem where a table is none of those that a guarantee covers."""
    strata = book.instrument.strata
    declared = {question.id for question in book.instrument.questions if "crosstab" in question.stats}
    pairs = [(row, column), (column, row)]
    if not any(one in strata and other not in strata and other.partition(".")[0] in declared for one, other in pairs):
        raise Problem("request-refused", GUARANTEED)
