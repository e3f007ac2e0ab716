"""Records of an Excel workbook (.xlsx): values as they would stand in a CSV file."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from deploy.cli.datafile.sheet import MOST_COLUMNS, UnreadableFile
from deploy.cli.datafile.sheet_layout import Hidden, SheetLayout, layout, letters

LARGEST = 200_000_000
"""Bytes of an unpacked workbook; more is taken for an attack."""
EMPTY_ROWS = 100
"""So many empty rows in turn end a sheet: some claim a million rows."""


def records(data: bytes, name: str | None, decimal: str, hidden: Hidden | None = None) -> tuple[list[tuple[int, list[str]]], SheetLayout]:
    """Row numbers and cells of a sheet, and its layout. `decimal`: the mark with which numbers are written. Raises UnreadableFile.

    A formula gives the value that was stored with it; a cell with an error gives its sign, such as #N/A. Where rows or columns that hold
    something are hidden, `hidden` has to say whether they count.
    """
    sheet = _sheet(data, name, True)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        found = layout(packed.read(str(sheet._worksheet_path).lstrip("/")))
    rows = list(_records(sheet.iter_rows(), _sheet(data, name, False).iter_rows(), decimal))
    unseen_rows = [number for number, _ in rows if number in found.hidden_rows]
    unseen_columns = sorted({place for _, cells in rows for place, cell in enumerate(cells) if cell and place in found.hidden_columns})
    if (unseen_rows or unseen_columns) and hidden is None:
        raise UnreadableFile(f"{_named(unseen_rows, unseen_columns)} hidden; say --hidden read or --hidden skip")
    if hidden == "skip":
        rows = [(number, _without(cells, found.hidden_columns)) for number, cells in rows if number not in found.hidden_rows]
    return rows, found


def _records(values: Iterator[Any], formulas: Iterator[Any], decimal: str) -> Iterator[tuple[int, list[str]]]:
    empty = 0
    for number, (row, written) in enumerate(zip_longest(values, formulas, fillvalue=()), 1):
        if len(row) > MOST_COLUMNS:
            raise UnreadableFile(f"row {number} has {len(row):,} cells; at most {MOST_COLUMNS:,} columns can be read")
        cells = [_text(cell.value, decimal) for cell in row]
        for place, cell in enumerate(written):
            if cell.data_type == "f" and (place >= len(row) or row[place].value is None):
                raise UnreadableFile(f"cell {cell.coordinate} is a formula without a stored value; open the file and save it")
        empty = 0 if any(cells) else empty + 1
        if empty > EMPTY_ROWS:
            return
        if not empty:
            yield number, cells


def _without(cells: list[str], hidden: frozenset[int]) -> list[str]:
    """The cells with nothing in hidden columns, so that the others keep their places."""
    return ["" if place in hidden else cell for place, cell in enumerate(cells)] if hidden else cells


def _named(rows: list[int], columns: list[int]) -> str:
    told: list[str] = []
    for what, places in (("row", list(map(str, rows))), ("column", list(map(letters, columns)))):
        if places:
            more = f" and {len(places) - 3:,} more" if len(places) > 3 else ""
            told.append(f"{what}{'s' if len(places) > 1 else ''} {', '.join(places[:3])}{more}")
    return f"{' and '.join(told)} {'are' if len(rows) + len(columns) > 1 else 'is'}"


def _sheet(data: bytes, name: str | None, stored: bool) -> Any:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST:
                raise UnreadableFile(f"the workbook is larger than {LARGEST:,} bytes when unpacked")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=stored)
    except UnreadableFile:
        raise
    except Exception:  # openpyxl raises whatever a broken part of the file makes it meet
        raise UnreadableFile("the workbook is damaged, or no .xlsx file") from None
    sheets: dict[str, Any] = {sheet.title: sheet for sheet in book.worksheets}
    if name is None and len(sheets) > 1:
        raise UnreadableFile(f"the workbook has {len(sheets)} sheets ({', '.join(sheets)}); say --sheet")
    sheet = sheets.get(name) if name is not None else next(iter(sheets.values()), None)
    if sheet is None:
        raise UnreadableFile(f"the workbook has no sheet {name!r}, but {', '.join(sheets) or 'none'}")
    sheet.reset_dimensions()
    return sheet


def _text(value: Any, decimal: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}".replace(".", decimal)
        case datetime.datetime():
            return value.date().isoformat() if value.time() == datetime.time.min else value.isoformat(" ", "seconds")
        case _:
            return str(value)
