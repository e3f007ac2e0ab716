"""What of a worksheet is hidden or merged, from its XML. Pure.

openpyxl tells neither of sheets that it reads row by row, so the three elements that say so are looked for in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Hidden = Literal["read", "skip"]
"""Whether hidden rows and columns count."""
LAST_COLUMN = 16_384

_ROW = re.compile(rb"<(?:\w+:)?row\s([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s([^>]*)>")
_ATTRIBUTE = re.compile(rb"\b(r|min|max|hidden|ref)\s*=\s*[\"']([^\"']*)")
_AREA = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]+):\$?([A-Z]{1,3})\$?([0-9]+)")


@dataclass(frozen=True)
class MergedArea:
    """Rows from 1, columns from 0, both ends included."""

    name: str
    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True)
class SheetLayout:
    """`hidden_rows` from 1, `hidden_columns` from 0."""

    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[MergedArea, ...] = ()


def layout(xml: bytes) -> SheetLayout:
    columns: set[int] = set()
    for found in _attributes(_COLUMN, xml):
        if _said(found):
            columns.update(range(int(found["min"]) - 1, min(int(found["max"]), LAST_COLUMN)))
    return SheetLayout(frozenset(_hidden_rows(xml)), frozenset(columns), tuple(_areas(xml)))


def _hidden_rows(xml: bytes) -> Iterator[int]:
    number = 0
    for found in _attributes(_ROW, xml):
        number = int(found.get("r", number + 1))
        if _said(found):
            yield number


def _areas(xml: bytes) -> Iterator[MergedArea]:
    for found in _attributes(_MERGED, xml):
        if match := _AREA.fullmatch(found.get("ref", "")):
            yield MergedArea(found["ref"], int(match[2]), place(match[1]), int(match[4]), place(match[3]))


def _attributes(element: re.Pattern[bytes], xml: bytes) -> Iterator[dict[str, str]]:
    for match in element.finditer(xml):
        yield {name.decode(): value.decode(errors="replace") for name, value in _ATTRIBUTE.findall(match[1])}


def _said(found: dict[str, str]) -> bool:
    return found.get("hidden") in ("1", "true")


def place(name: str) -> int:
    """The place of a column from 0, by its letters."""
    number = 0
    for letter in name:
        number = 26 * number + ord(letter) - 64
    return number - 1


def letters(place: int) -> str:
    """The letters of a column, by its place from 0."""
    name, number = "", place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name
