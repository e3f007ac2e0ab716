"""Records of an Excel workbook (.xlsx): values as they would stand in a CSV file."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from deploy.cli.datafile.sheet import UnreadableFile

LARGEST = 200_000_000
"""Bytes of an unpacked workbook; more is taken for an attack."""
EMPTY_ROWS = 100
"""So many empty rows in turn end a sheet: some claim a million rows."""


def records(data: bytes, name: str | None, decimal: str) -> Iterator[tuple[int, list[str]]]:
    """Row numbers and cells of a sheet. `decimal`: the mark with which numbers are written. Raises UnreadableFile.

    A formula gives the value that was stored with it; a cell with an error gives its sign, such as #N/A.
    """
    values, formulas = (_sheet(data, name, stored) for stored in (True, False))
    empty = 0
    for number, (row, written) in enumerate(zip_longest(values, formulas, fillvalue=()), 1):
        cells = [_text(cell.value, decimal) for cell in row]
        for place, cell in enumerate(written):
            if cell.data_type == "f" and (place >= len(row) or row[place].value is None):
                raise UnreadableFile(f"cell {cell.coordinate} is a formula without a stored value; open the file and save it")
        empty = 0 if any(cells) else empty + 1
        if empty > EMPTY_ROWS:
            return
        if not empty:
            yield number, cells


def _sheet(data: bytes, name: str | None, stored: bool) -> Iterator[tuple[Any, ...]]:
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
    return sheet.iter_rows()


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
