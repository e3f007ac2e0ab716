"""Rows of a CSV or NDJSON file, one by one: a broken row is reported with its reason, the others are read."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec

from services.runtime.spreadsheet_csv import unguarded

OURS = ("import_line", "import_reasons", "import_row")
"""Columns that a rejects file has in front. A mended one can be imported: they are passed over."""
LONGEST = 500
"""Lines one row may run over (line breaks inside quotes); a quote left open that long is a slip."""


class UnreadableFile(Exception):
    """The file cannot be imported; the message says why."""


@dataclass(frozen=True)
class CsvRow:
    """`cells` by column, or `fault`: why there are none. `raw`: the text of the row in the file."""

    line: int
    raw: str
    cells: dict[str, str] | None = None
    fault: str = ""


@dataclass(frozen=True)
class Sheet:
    columns: list[str]
    rows: list[CsvRow]


def read_csv(data: bytes) -> Sheet:
    """Raises UnreadableFile where the header cannot be read. The separator is the header's: comma, semicolon or tab."""
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    if not lines:
        raise UnreadableFile("the file is empty")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in lines[0]:
        raise UnreadableFile("the file is not UTF-8 text")
    try:
        separator = _separator(lines[0].decode())
    except UnicodeDecodeError:
        raise UnreadableFile("the file is not UTF-8 text") from None
    taken, columns = _record(lines, 0, separator, None)
    if isinstance(columns, str):
        raise UnreadableFile(f"the header is broken: {columns}")
    columns = [column.strip() for column in columns]
    ours = columns[: len(OURS)] == list(OURS)
    columns = list(map(unguarded, columns)) if ours else columns
    twice = sorted(column for column, count in Counter(columns).items() if count > 1)
    if twice:
        raise UnreadableFile(f"the header names {twice[0]!r} twice" if twice[0] else "the header has more than one column without a name")
    rows = list(_rows(lines, taken, separator, columns))
    return Sheet(columns, list(map(_as_it_came, rows)) if ours else rows)


def _as_it_came(row: CsvRow) -> CsvRow:
    """A row of a rejects file, without what keeps spreadsheets from taking a cell for a formula."""
    return row if row.cells is None else replace(row, cells={name: unguarded(cell) for name, cell in row.cells.items()})


def _rows(lines: list[bytes], at: int, separator: str, columns: list[str]) -> Iterator[CsvRow]:
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        taken, cells = _record(lines, at, separator, len(columns))
        raw = b"".join(lines[at : at + taken]).decode(errors="replace").rstrip("\r\n")
        if isinstance(cells, str):
            yield CsvRow(at + 1, raw, fault=cells)
        elif any(cell.strip() for cell in cells):
            yield CsvRow(at + 1, raw, dict(zip(columns, (cell.strip() for cell in cells), strict=True)))
        at += taken


def _record(lines: list[bytes], at: int, separator: str, width: int | None) -> tuple[int, list[str] | str]:
    """Returns how many lines the record at line `at` takes, and its cells or its fault.

    Quotes may hold line breaks, so lines are added until quotes are even. If that gives no sound row, only the first line is rejected and
    reading continues with the next: a slip costs one row, not the rest of the file.
    """
    text, taken = b"", 0
    while taken < min(LONGEST, len(lines) - at):
        text += lines[at + taken]
        taken += 1
        if text.count(b'"') % 2 == 0:
            break
    cells = _cells(text, separator, width)
    if isinstance(cells, str) and taken > 1:
        alone = _cells(lines[at], separator, width)
        return 1, alone if isinstance(alone, str) else "a quote is opened and not closed"
    return taken, cells


def _cells(text: bytes, separator: str, width: int | None) -> list[str] | str:
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of the row is not UTF-8"
    if "\0" in decoded:
        return "the row holds a character that cannot be stored (U+0000)"
    try:
        records = list(csv.reader(io.StringIO(decoded, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        reason = str(error)
        return "a quote is opened and not closed" if "end of data" in reason else f"the quotes are broken ({reason})"
    if len(records) != 1:
        return "the quotes are broken"
    if width is not None and len(records[0]) != width:
        return f"the row has {len(records[0])} cells, the header {width}"
    return records[0]


def _separator(header: str) -> str:
    outside = "".join(header.split('"')[::2])
    return max((",", ";", "\t"), key=outside.count)


@dataclass(frozen=True)
class NdjsonRow:
    """One line of an NDJSON file: an object with `answers` and perhaps `language`, or `fault`."""

    line: int
    raw: str
    content: dict[str, Any] | None = None
    fault: str = ""


def read_ndjson(data: bytes) -> list[NdjsonRow]:
    return [_body(number, line) for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1) if line.strip()]


def _body(number: int, line: bytes) -> NdjsonRow:
    raw = line.decode(errors="replace").rstrip("\r")
    try:
        content: Any = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return NdjsonRow(number, raw, fault=f"the line is not readable JSON: {error}")
    if isinstance(content, dict) and content.keys() == {"line", "reasons", "row"}:
        content = cast("dict[str, Any]", content)["row"]  # a mended line of a rejects file
    if not isinstance(content, dict) or not isinstance(content.get("answers"), dict):
        return NdjsonRow(number, raw, fault='the line must be an object with "answers"')
    return NdjsonRow(number, raw, cast("dict[str, Any]", content))


def receipts(key: bytes, survey: str, contents: Iterable[bytes]) -> Iterator[str]:
    """A receipt for each row: HMAC-SHA-256 of its content and of how often that content came before.

    The same file gives the same receipts in any order of rows, two equal rows count as two, and without the key nobody can compute the
    receipt of a row that they know or guess.
    """
    seen: Counter[bytes] = Counter()
    for content in contents:
        seen[content] += 1
        message = b"platea-import-1\0%s\0%d\0%s" % (survey.encode(), seen[content], content)
        yield urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)).rstrip(b"=").decode()


def content_of(row: CsvRow | NdjsonRow) -> bytes:
    """What makes a row the same row: its cells or its JSON, whatever its place, order of columns or spaces."""
    if isinstance(row, NdjsonRow):
        return msgspec.json.encode(row.content, order="sorted")
    cells = row.cells or {}
    return msgspec.json.encode({name: cell for name, cell in cells.items() if cell and name not in OURS}, order="sorted")
