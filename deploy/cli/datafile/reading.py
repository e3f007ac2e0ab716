"""A data file read as a whole: separated text or a workbook, told apart by what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from deploy.cli.datafile import header, workbook
from deploy.cli.datafile.decoding import decoded
from deploy.cli.datafile.separated import SEPARATORS, Separated
from deploy.cli.datafile.sheet import MOST_CELLS, MOST_COLUMNS, OURS, CsvRow, DataSheet, UnreadableFile
from deploy.cli.datafile.sheet_layout import Hidden, SheetLayout
from services.runtime.spreadsheet_csv import unguarded

LARGEST = 200_000_000
MOST_SHARED = 1 << 16
_REJECTS = ",".join(OURS).encode()
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class FileOptions:
    """How a file is to be read, where its author says so. `header`: kinds of its first rows; `decimal`: of numbers in a workbook.
    `hidden`: whether its hidden rows and columns count."""

    encoding: str | None = None
    separator: str | None = None
    header: tuple[str, ...] | None = None
    sheet: str | None = None
    decimal: str = "."
    hidden: Hidden | None = None


def read_sheet(data: bytes, options: FileOptions = FileOptions()) -> DataSheet:  # frozen
    """Raises UnreadableFile where columns cannot be told. A row that cannot be read is kept with its fault."""
    if data.startswith(_OLD_EXCEL):
        raise UnreadableFile("it is an old Excel file (.xls); open it and save it as .xlsx")
    if len(data) > LARGEST:
        raise UnreadableFile(f"it is larger than {LARGEST:,} bytes; import it in parts")
    if data.startswith(b"PK\x03\x04"):
        rows, layout = workbook.records(data, options.sheet, options.decimal, options.hidden)
        if not rows:
            raise UnreadableFile("the sheet is empty")
        return _workbook(rows, layout, options)
    if data.startswith(_REJECTS):
        options = FileOptions(separator=",")
    text, encoding = decoded(data, options.encoding)
    separated = Separated(text, options.separator)
    names = {sign: name for name, sign in SEPARATORS.items()}
    return _separated(separated, options, f"{encoding}, {names.get(separated.separator, repr(separated.separator))}")


def _separated(file: Separated, options: FileOptions, how: str) -> DataSheet:
    first: list[list[str]] = []
    starts: list[int] = []
    for line, _, cells in islice(file.records(file.start, None), header.MOST + 1):
        if isinstance(cells, str):
            if not first:
                raise UnreadableFile(f"the header is broken: {cells}")
            starts.append(line - 1)
            break
        first.append(cells)
        starts.append(line - 1)
    kinds, names, texts, source = _names(first, options)
    at = starts[len(kinds)] if len(starts) > len(kinds) else len(file.lines)
    rows = ((line, raw, cells) for line, raw, cells in file.records(at, len(names)))
    return replace(_sheet(names, texts, rows, kinds, how, source), separator=file.separator)


def _workbook(rows: list[tuple[int, list[str]]], layout: SheetLayout, options: FileOptions) -> DataSheet:
    first = [cells for _, cells in rows[: header.MOST]]
    kinds = options.header or header.recognised(first)[0]
    _check_merged(rows, kinds, layout)
    kinds, names, texts, source = _names(first, options)

    def records() -> Iterator[tuple[int, str, list[str] | str]]:
        for number, cells in rows[len(kinds) :]:
            wide = any(cells[len(names) :])
            fault = f"the row has {len(cells)} cells, the header {len(names)}"
            yield number, "\t".join(cells), fault if wide else [*cells, *[""] * (len(names) - len(cells))][: len(names)]

    return _sheet(names, texts, records(), kinds, "Excel workbook", source)


def _check_merged(rows: list[tuple[int, list[str]]], kinds: tuple[str, ...], layout: SheetLayout) -> None:
    """Gives each column under a merged question its text. Raises UnreadableFile where rows or columns lack their own."""
    at = {number: place for place, (number, _) in enumerate(rows)}
    for area in layout.merged:
        place = at.get(area.first_row, len(rows))
        value = rows[place][1][area.first_column] if place < len(rows) and area.first_column < len(rows[place][1]) else ""
        if not value:
            continue
        if place >= len(kinds):
            raise UnreadableFile(f"the cells {area.name} are merged; part them, so that each row and column has its own")
        if area.last_column == area.first_column or kinds[place] == "ignore":
            continue
        if kinds[place] == "name" and "option" not in kinds:
            raise UnreadableFile(
                f"the cells {area.name} of the header are merged; part them, or say --header name,option if the options stand below,"
                " --header ignore,name if the names do"
            )
        cells = rows[place][1]
        cells.extend([""] * (area.last_column + 1 - len(cells)))
        cells[area.first_column : area.last_column + 1] = [value] * (area.last_column + 1 - area.first_column)


def _names(first: list[list[str]], options: FileOptions) -> tuple[tuple[str, ...], list[str], dict[str, str], str]:
    ours = [cell.strip() for cell in first[0][: len(OURS)]] == list(OURS)
    kinds, source = (("name",), "") if ours else (options.header, "") if options.header else header.recognised(first)
    if len(first) < len(kinds):
        raise UnreadableFile(f"it has fewer than {len(kinds)} header rows")
    names, texts = header.named(first[: len(kinds)], kinds)
    if len(names) > MOST_COLUMNS:
        raise UnreadableFile(f"it has {len(names):,} columns; at most {MOST_COLUMNS:,} can be read")
    return kinds, list(map(unguarded, names)) if ours else names, texts, source


def _sheet(
    names: list[str],
    texts: dict[str, str],
    records: Iterator[tuple[int, str, list[str] | str]],
    kinds: tuple[str, ...],
    how: str,
    source: str,
) -> DataSheet:
    """Columns without a name and without a cell are left out; spreadsheets leave them behind."""
    found: list[tuple[int, str, list[str] | str]] = []
    shared: dict[str, str] = {}

    def once(cell: str) -> str:
        """The same text for equal cells, which come often: a large file takes half the memory."""
        return shared.setdefault(cell, cell) if len(shared) < MOST_SHARED else shared.get(cell, cell)

    for line, raw, cells in records:
        found.append((line, raw, cells) if isinstance(cells, str) else (line, "", [once(cell.strip()) for cell in cells]))
        if len(found) * len(names) > MOST_CELLS:
            raise UnreadableFile(f"it has more than {MOST_CELLS // len(names):,} rows of {len(names):,} columns; import it in parts")
    used = {place for _, _, cells in found if not isinstance(cells, str) for place, cell in enumerate(cells) if cell}
    kept = [place for place, name in enumerate(names) if name or place in used]
    if fault := header.faults([names[place] for place in kept]):
        raise UnreadableFile(fault)
    columns = [names[place] for place in kept]
    rows = [
        CsvRow(line, raw, fault=cells) if isinstance(cells, str) else CsvRow(line, raw, {names[place]: cells[place] for place in kept})
        for line, raw, cells in found
        if isinstance(cells, str) or any(cells)
    ]
    if columns[: len(OURS)] == list(OURS):
        rows = list(map(_as_it_came, rows))
    rows_of_header = f"{len(kinds)} header row{'s' if len(kinds) > 1 else ''}{f' ({source})' if source else ''}"
    return DataSheet(columns, rows, texts, f"{len(rows):,} rows, {how}, {rows_of_header}", kinds)


def _as_it_came(row: CsvRow) -> CsvRow:
    """A row of a rejects file, without what keeps spreadsheets from taking a cell for a formula."""
    return row if row.cells is None else replace(row, cells={name: unguarded(cell) for name, cell in row.cells.items()})
