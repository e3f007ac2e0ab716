"""A data file read as a whole: separated text or a workbook, told apart by what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from deploy.cli.datafile import header, workbook
from deploy.cli.datafile.decoding import decoded
from deploy.cli.datafile.separated import SEPARATORS, Separated
from deploy.cli.datafile.sheet import OURS, CsvRow, DataSheet, UnreadableFile
from services.runtime.spreadsheet_csv import unguarded

LARGEST = 200_000_000
_REJECTS = ",".join(OURS).encode()
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class FileOptions:
    """How a file is to be read, where its author says so. `header`: kinds of its first rows; `decimal`: of numbers in a workbook."""

    encoding: str | None = None
    separator: str | None = None
    header: tuple[str, ...] | None = None
    sheet: str | None = None
    decimal: str = "."


def read_sheet(data: bytes, options: FileOptions = FileOptions()) -> DataSheet:  # frozen
    """Raises UnreadableFile where columns cannot be told. A row that cannot be read is kept with its fault."""
    if data.startswith(_OLD_EXCEL):
        raise UnreadableFile("it is an old Excel file (.xls); open it and save it as .xlsx")
    if len(data) > LARGEST:
        raise UnreadableFile(f"it is larger than {LARGEST:,} bytes; import it in parts")
    if data.startswith(b"PK\x03\x04"):
        rows = list(workbook.records(data, options.sheet, options.decimal))
        if not rows:
            raise UnreadableFile("the sheet is empty")
        return _workbook(rows, options)
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


def _workbook(rows: list[tuple[int, list[str]]], options: FileOptions) -> DataSheet:
    kinds, names, texts, source = _names([cells for _, cells in rows[: header.MOST]], options)

    def records() -> Iterator[tuple[int, str, list[str] | str]]:
        for number, cells in rows[len(kinds) :]:
            wide = any(cells[len(names) :])
            fault = f"the row has {len(cells)} cells, the header {len(names)}"
            yield number, "\t".join(cells), fault if wide else [*cells, *[""] * (len(names) - len(cells))][: len(names)]

    return _sheet(names, texts, records(), kinds, "Excel workbook", source)


def _names(first: list[list[str]], options: FileOptions) -> tuple[tuple[str, ...], list[str], dict[str, str], str]:
    ours = [cell.strip() for cell in first[0][: len(OURS)]] == list(OURS)
    kinds, source = (("name",), "") if ours else (options.header, "") if options.header else header.recognised(first)
    if len(first) < len(kinds):
        raise UnreadableFile(f"it has fewer than {len(kinds)} header rows")
    names, texts = header.named(first[: len(kinds)], kinds)
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
    found = list(records)
    used = {place for _, _, cells in found if not isinstance(cells, str) for place, cell in enumerate(cells) if cell.strip()}
    kept = [place for place, name in enumerate(names) if name or place in used]
    if fault := header.faults([names[place] for place in kept]):
        raise UnreadableFile(fault)
    columns = [names[place] for place in kept]
    rows = [
        CsvRow(line, raw, fault=cells)
        if isinstance(cells, str)
        else CsvRow(line, raw, {names[place]: cells[place].strip() for place in kept})
        for line, raw, cells in found
        if isinstance(cells, str) or any(cell.strip() for cell in cells)
    ]
    if columns[: len(OURS)] == list(OURS):
        rows = list(map(_as_it_came, rows))
    rows_of_header = f"{len(kinds)} header row{'s' if len(kinds) > 1 else ''}{f' ({source})' if source else ''}"
    return DataSheet(columns, rows, texts, f"{len(rows):,} rows, {how}, {rows_of_header}", kinds)


def _as_it_came(row: CsvRow) -> CsvRow:
    """A row of a rejects file, without what keeps spreadsheets from taking a cell for a formula."""
    return row if row.cells is None else replace(row, cells={name: unguarded(cell) for name, cell in row.cells.items()})
