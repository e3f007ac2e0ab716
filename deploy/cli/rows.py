"""Lines of an NDJSON file, and the receipt of each row of a file: the same row has the same one."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from deploy.cli.cells import day, readings, tidy
from deploy.cli.datafile.sheet import OURS, CsvRow
from deploy.cli.mapping import ColumnMapping
from proto.instrument import AnyQuestion, Date, Instrument, Integer, Numeric


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
        json.loads(line, object_pairs_hook=_once)
    except KeyError as twice:
        return NdjsonRow(number, raw, fault=f"the line has the key {twice} twice")
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return NdjsonRow(number, raw, fault=f"the line is not readable JSON: {error}")
    if isinstance(content, dict) and content.keys() == {"line", "reasons", "row"}:
        content = cast("dict[str, Any]", content)["row"]  # a mended line of a rejects file
    if not isinstance(content, dict) or not isinstance(content.get("answers"), dict):
        return NdjsonRow(number, raw, fault='the line must be an object with "answers"')
    return NdjsonRow(number, raw, cast("dict[str, Any]", content))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises KeyError for a key that stands twice: one of its values would be lost."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise KeyError(key[:60])
        found[key] = value
    return found


def whole_numbers(value: Any) -> Any:
    """The JSON value with 3 in place of 3.0: it is one number, and programs write either."""
    match value:
        case dict():
            return {name: whole_numbers(entry) for name, entry in cast("dict[str, Any]", value).items()}
        case float():
            return int(value) if value.is_integer() else value
        case _:
            return value


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


def answered_by(row: CsvRow, columns: Mapping[str, ColumnMapping], instrument: Instrument) -> bytes:
    """What makes a row the same row under a map of format 2: the cells that answer something, by what they answer.

    So a row stays the same when its file gets, loses or renames columns, when 1.5 is written 1.50, and when the map's codes are mended.
    """
    known = {question.id: question for question in instrument.asked}
    found: dict[str, list[str]] = {}
    for name, column in columns.items():
        if cell := (row.cells or {}).get(name, ""):
            question = known[column.target]
            found.setdefault(".".join(filter(None, column.slot)), []).append(_plain(question, cell))
    return b"answers " + msgspec.json.encode({slot: sorted(cells) for slot, cells in found.items()}, order="sorted")


def _plain(question: AnyQuestion, cell: str) -> str:
    if isinstance(question, Integer | Numeric) and len(numbers := readings(cell)) == 1:
        return f"{next(iter(numbers)).normalize():f}"
    return (day(cell, None) or cell) if isinstance(question, Date) else tidy(cell)


def identified_by(row: CsvRow, names: Iterable[str]) -> bytes:
    """What makes a row the same row where the map names the columns that tell rows apart."""
    cells = row.cells or {}
    return b"identity " + msgspec.json.encode([cells[name] for name in names])
