"""Cells of a spreadsheet, .xlsx or .xls, as texts: values alone, no formula is computed and no address fetched."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from deploy.cli.exchange.report import UnreadableForm

LARGEST_UNZIPPED = 200_000_000
MOST_EMPTY = 100
MOST_ROWS = 20_000
MOST_COLUMNS = 400
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class Sheet(msgspec.Struct):
    """`rows` holds the number of each row as a spreadsheet shows it, and its cells; rows without any are left out."""

    name: str
    rows: list[tuple[int, list[str]]]


def is_workbook(content: bytes) -> bool:
    return content.startswith((_ZIP, _OLE))


def sheets(content: bytes) -> dict[str, Sheet]:
    """The sheets by their names in small letters; those that are no part of an XLSForm without rows. Raises UnreadableForm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of looks that it does not know, which say nothing here
        return _xlsx(content) if content.startswith(_ZIP) else _xls(content)


def column(index: int) -> str:
    """The letters of a column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _xlsx(content: bytes) -> dict[str, Sheet]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_UNZIPPED:
                raise UnreadableForm(f"it is larger than {LARGEST_UNZIPPED // 1_000_000} MB once unzipped")
        book: Any = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except UnreadableForm:
        raise
    except Exception:  # openpyxl raises whatever a broken part of the file leads to
        raise UnreadableForm("it is no spreadsheet that can be read", "Open it in a spreadsheet program and save it as .xlsx.") from None
    found: dict[str, Sheet] = {}
    try:
        for sheet in book.worksheets:
            if sheet.title.strip().lower() not in NAMES:
                found[sheet.title.strip().lower()] = Sheet(sheet.title, [])
            else:
                sheet.reset_dimensions()
                found[sheet.title.strip().lower()] = Sheet(sheet.title, _filled(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)))
    except UnreadableForm:
        raise
    except Exception:
        raise UnreadableForm("a sheet of it cannot be read", "Open it in a spreadsheet program and save it as .xlsx.") from None
    return found


def _xls(content: bytes) -> dict[str, Sheet]:
    import xlrd

    try:
        book: Any = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True)
        found: dict[str, Sheet] = {}
        for name in cast("list[str]", book.sheet_names()):
            if name.strip().lower() not in NAMES:
                found[name.strip().lower()] = Sheet(name, [])
            else:
                sheet: Any = book.sheet_by_name(name)
                found[name.strip().lower()] = Sheet(name, _filled(_xls_rows(sheet)))
    except UnreadableForm:
        raise
    except Exception:
        raise UnreadableForm("it is no spreadsheet that can be read", "Open it in a spreadsheet program and save it as .xlsx.") from None
    return found


def _xls_rows(sheet: Any) -> Iterator[list[object]]:
    for row in range(sheet.nrows):
        yield [
            bool(cell.value) if cell.ctype == 4 else None if cell.ctype == 5 else cell.value
            for cell in cast("list[Any]", sheet.row(row))[:MOST_COLUMNS]
        ]


def _filled(rows: Iterable[Iterable[object]]) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    empty = 0
    for number, row in enumerate(rows, 1):
        cells = [_text(value) for value in row]
        if not any(cells):
            empty += 1
            if empty >= MOST_EMPTY:
                break
            continue
        empty = 0
        found.append((number, cells))
        if len(found) > MOST_ROWS:
            raise UnreadableForm(f"a sheet of it has more than {MOST_ROWS:,} rows")
    return found


def _text(value: object) -> str:
    """A cell as text: 1.0 is "1", a truth TRUE or FALSE; a cell with an error holds nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 10**15:
            return str(int(value))
        case str():
            return "" if re.fullmatch(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)", value) else value.replace("\u00a0", " ").strip()
        case _:
            return str(value)


NAMES = frozenset({"survey", "choices", "settings", "choices and columns", "cascades", "platea"})
"""The sheets of an XLSForm; the others of a workbook are not opened."""
