"""What a data file holds once it is read: columns, rows, and how it was understood. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

OURS = ("import_line", "import_reasons", "import_row")
"""Columns that a rejects file has in front. A mended one can be imported: they are passed over."""
MOST_COLUMNS = 10_000
MOST_CELLS = 20_000_000
"""Rows and columns multiplied; a file is held in memory as a whole."""


class UnreadableFile(Exception):
    """The file cannot be read; the message says why."""


@dataclass(frozen=True)
class CsvRow:
    """`cells` by column; or `fault`, why there are none, and `raw`, the text of the row in the file."""

    line: int
    raw: str
    cells: dict[str, str] | None = None
    fault: str = ""


@dataclass(frozen=True)
class DataSheet:
    """`texts`: the question of each column, where a row of the header gives it. `understood`: how the file was read, in words."""

    columns: list[str]
    rows: list[CsvRow]
    texts: dict[str, str] = field(default_factory=dict[str, str])
    understood: str = ""
    header: tuple[str, ...] = ("name",)
    separator: str = ""
