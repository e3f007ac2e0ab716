"""Public two-way tables, read from the published counts of one edition. Pure."""

from __future__ import annotations

import msgspec
import numpy as np

from proto.codebook import CodeBook
from proto.problem import Problem
from proto.snapshot import Cell, Table
from services.analysis.disclosure import public_view, rounding
from services.analysis.disclosure.accuracy import Accuracy
from services.analysis.disclosure.edition_tables import EditionTables, publication_of
from services.analysis.disclosure.published_policy import published_policy
from services.analysis.disclosure.published_state import PublishedState
from services.analysis.state.layout import Counts, Layout
from services.analysis.statistics.tables import Side, association_of, side_alone, sides, table_of

GUARANTEED = (
    "The figures of this survey have a proven guarantee, which covers each question, and each that is broken down by a group that the "
    "questionnaire names. Any other two questions are not crossed: the noise would outweigh what they tell."
)


def public(published: PublishedState, row: str, column: str) -> Table:
    """Returns the table of the last edition of tables, with the counts of the snapshot's breakdown. Turned round it has the same counts.

    Rows and columns with fewer respondents than the minimum are withheld. Raises Problem where the table is not public, not covered by the
    guarantee, or not published yet.
    """
    tables = _tables(published)
    book, layout, revision = tables.book, tables.layout, published.public.revision
    for name in (row, column):
        _demand_public(book, name)
    one, other = sides(book, row, column)
    if tables.publication.parameters.guarantee is not None:
        _demand_guaranteed(book, row, column)
    wide, accuracies = _published(tables, one, other)
    counts = wide[:, other.columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = wide / np.maximum(wide[:, layout.of], wide)
    noise = np.array([accuracy.shares(share)[other.columns] for accuracy, share in zip(accuracies, shares, strict=True)])
    policy = published_policy(book, tables.responses, tables.singles_edition)
    table = table_of(book, one, other, wide, policy, responses=tables.responses, revision=revision, as_of=tables.as_of, noise=noise)
    enough = public_view.enough(tables)
    shown = enough[one.columns][:, None] & enough[other.columns] & (wide[:, other.answered] > 0)[:, None]
    cells = {
        code: {to: cell if there else Cell(withheld=True) for (to, cell), there in zip(line.items(), seen, strict=True)}
        for (code, line), seen in zip(table.cells.items(), shown.tolist(), strict=True)
    }
    rows, columns = (side_alone(of, tables.single, least=book.instrument.policy.minimum) for of in (one, other))
    variance = tables.publication.parameters.table_variance(tables.responses, _degree(tables, one, other))
    association = association_of(one, other, counts, shown, variance)
    answered = {code: table.answered[code] for code, seen in zip(one.codes, shown, strict=True) if seen.any()}
    return rounding.of_table(
        msgspec.structs.replace(table, cells=cells, association=association, answered=answered, rows=rows, columns=columns)
    )


def _tables(published: PublishedState) -> EditionTables:
    """Returns the two-way tables. Raises Problem `not-published-yet` before their first edition."""
    if published.tables is None:
        least = publication_of(published.folder.codebook, published.noise).parameters.table_batch
        raise Problem("not-published-yet", f"Two-way tables follow once {least} answers are in: fewer could point to single respondents.")
    return published.tables


def _columns(layout: Layout, one: Side) -> list[list[int]]:
    """Returns, for each code of a side, the columns of the code book that its count is the sum of."""
    ranks = layout.ranks(one.columns)
    return [[int(column)] for column in one.columns] if ranks is None else ranks.T.tolist()


def _blocks(tables: EditionTables, one: Side) -> list[int]:
    """Returns the blocks of cells that a side is made of."""
    if one.answered == 0:  # a stratum
        return tables.cells.all_of(int(column) for column in one.columns)
    id, _, row = one.name.partition(".")
    part = tables.layout.part(id, row or None)
    assert part is not None
    columns = [column for of_code in _columns(tables.layout, one) for column in of_code]
    return tables.cells.all_of([*columns, part.missing, part.skipped] if row == "" else [*columns, part.missing])


def _degree(tables: EditionTables, one: Side, other: Side) -> int:
    """Returns with how many blocks, at most, a block of the two sides is crossed. The noise of a table grows with it."""
    pairs = [(a, b) for a in _blocks(tables, one) for b in _blocks(tables, other) if a != b]
    return max((tables.publication.blocks.crossed(a, b) for a, b in pairs), default=0)


def _published(tables: EditionTables, one: Side, other: Side) -> tuple[Counts, list[Accuracy]]:
    """Returns the widened rows of a side, filled in the blocks of the other side, and the accuracy of each row."""
    layout, blocks = tables.layout, _blocks(tables, other)
    columns = _columns(layout, one)
    rows = tables.rows([column for of_code in columns for column in of_code], blocks)
    starts = np.cumsum([0, *(len(of_code) for of_code in columns[:-1])])
    wide = layout.widen(np.add.reduceat(rows, starts, axis=0))
    return wide, [tables.accuracy_in(of_code[0], blocks) for of_code in columns]


def _demand_public(book: CodeBook, name: str) -> None:
    public = {question.id for question in public_view.public_questions(book.instrument)}
    if name not in book.instrument.strata and name.partition(".")[0] not in public:
        raise Problem("not-found", f"'{name[:80]}' is not part of the public figures.")


def _demand_guaranteed(book: CodeBook, row: str, column: str) -> None:
    """Raises Problem where the guarantee does not cover this table."""
    strata = book.instrument.strata
    declared = {question.id for question in book.instrument.questions if "crosstab" in question.stats}
    pairs = [(row, column), (column, row)]
    if not any(one in strata and other not in strata and other.partition(".")[0] in declared for one, other in pairs):
        raise Problem("request-refused", GUARANTEED)
