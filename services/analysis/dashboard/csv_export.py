"""Published figures as CSV, one cell a line. Pure."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from proto.instrument import Instrument, WithRows
from proto.snapshot import Cell, Figures, PublishedPolicy, Snapshot, Table, Weighted
from services.analysis.dashboard.comparison import group_labels, labels_of_side
from services.analysis.dashboard.figure_view import labels_of
from services.analysis.dashboard.view import Only
from services.analysis.dashboard.words import DashboardWords
from services.runtime.spreadsheet_csv import Writer, kept

_VALUES = ("n", "share", "ci95_low", "ci95_high", "weighted_share", "weighted_ci95_low", "weighted_ci95_high", "withheld")
_EDITION = ("responses", "as_of", "revision", "version", "policy", "minimum", "batch")
ONE_WAY = (
    "question",
    "stratum",
    "group",
    "group_label",
    "row",
    "row_label",
    "code",
    "label",
    *_VALUES,
    "answered",
    "first_n",
    "rank_score",
    "places",
)
TWO_WAY = ("row", "row_code", "row_label", "column", "column_code", "column_label", *_VALUES, "answered")


def one_way(
    instrument: Instrument, snapshot: Snapshot, questions: Iterable[str], words: DashboardWords, only: Only = None, *, excel: bool = False
) -> str:
    """Returns the figures of these questions, for everybody and for each group, or for one group alone.

    Shares are of those who answered, `answered`. `places`: how often an option of a ranking was put on each rank. `excel`: see `_csv`.
    """
    lines = (line for id in questions for line in _of_question(instrument, snapshot, id, words, only))
    return _csv(ONE_WAY, lines, snapshot, words if excel else None)


def two_way(instrument: Instrument, table: Table, words: DashboardWords, *, excel: bool = False) -> str:
    """Returns a table. Shares are of those in the row who answered the column's question, `answered`."""
    rows = labels_of_side(instrument, table.row, list(table.cells), words)
    columns = labels_of_side(instrument, table.column, columns_of(table), words)
    lines = (
        [table.row, code, rows[code], table.column, to, columns[to], *_values(cell), _blank(table.answered.get(code))]
        for code, cells in table.cells.items()
        for to, cell in cells.items()
    )
    return _csv(TWO_WAY, lines, table, words if excel else None)


def columns_of(table: Table) -> list[str]:
    return list(next(iter(table.cells.values()))) if table.cells else []


def _csv(heads: tuple[str, ...], lines: Iterable[list[object]], edition: Snapshot | Table, excel: DashboardWords | None) -> str:
    """`excel`: the words of the language whose Excel is to open the file. With a decimal comma, Excel expects semicolons as separators."""
    policy: PublishedPolicy = edition.policy
    common = [edition.responses, edition.as_of, edition.revision, edition.version, policy.name, policy.minimum, policy.batch]
    text = io.StringIO()
    comma = excel is not None and excel.decimal_mark == ","
    writer = Writer(text, "\r\n", ";" if comma else ",")
    writer.writerow([*heads, *_EDITION])
    for line in lines:
        cells = [*line, *common]
        writer.writerow(cells if excel is None else [_in_excel(cell, comma=comma) for cell in cells])
    return text.getvalue()


def _in_excel(cell: object, *, comma: bool) -> object:
    if isinstance(cell, float):
        return str(cell).replace(".", ",") if comma else cell
    return kept(cell) if isinstance(cell, str) else cell


def _of_question(instrument: Instrument, snapshot: Snapshot, id: str, words: DashboardWords, only: Only) -> Iterator[list[object]]:
    asked = instrument.question(id)
    rows = {row.code: words.text(row.text) for row in asked.rows} if isinstance(asked, WithRows) else {}
    for stratum, group, label, figures in _of_groups(instrument, snapshot, id, words):
        if only not in (None, (stratum, group)):
            continue
        parts = [(code, row.cells, row.answered) for code, row in figures.rows.items()]
        for row, cells, answered in parts or [("", figures.shares, figures.answered)]:
            labels = labels_of(asked, cells, words)
            for code, cell in cells.items():
                first = figures.first.get(code)
                where = [id, stratum, group, label, row, rows.get(row, ""), code, labels[code]]
                score, places = figures.rank_score.get(code), " ".join(map(str, figures.places.get(code, ())))
                yield [*where, *_values(cell), _blank(answered), _blank(first and first.n), _blank(score), places]


def _of_groups(instrument: Instrument, snapshot: Snapshot, id: str, words: DashboardWords) -> Iterator[tuple[str, str, str, Figures]]:
    yield "", "", "", snapshot.questions[id]
    for name, groups in snapshot.breakdowns.items():
        labels = group_labels(instrument, name, list(groups), words)
        for code, group in groups.items():
            if id in group.questions:
                yield name, code, labels[code], group.questions[id]


def _values(cell: Cell) -> list[object]:
    weighted: Weighted | None = cell.weighted
    shares = [cell.share, *(cell.ci95 or (None, None)), *((weighted.share, *weighted.ci95) if weighted else (None, None, None))]
    return [_blank(cell.n), *map(_blank, shares), int(cell.withheld)]


def _blank(value: object) -> object:
    return "" if value is None else value
