"""CSV that people open in a spreadsheet: no cell is taken for a formula. Pure.

Every CSV file that leaves goes through `Writer`; `data.csv` of a release alone does not: it is for programs, and its cells are codes.
An apostrophe stands before a cell that begins with = + - @, with one of these in full width, or with a tab or a line break (OWASP, CSV
Injection); plain numbers stay as they are.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Protocol

_BEGINS = re.compile("[ \xa0\u3000]*'*[ \xa0\u3000]*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*([eE][+-]?\d+)?\s?%?")


_END = "\r\n"


class Sink(Protocol):
    def write(self, text: str, /) -> object: ...


class Writer:
    """A writer of rows as `csv.writer` makes them, whose texts are all guarded."""

    def __init__(self, to: Sink, end: str = "\n", separator: str = ",") -> None:
        self._rows = csv.writer(_Lines(to, end), lineterminator=_END, delimiter=separator)

    def writerow(self, cells: Iterable[object]) -> None:
        self._rows.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in cells])

    def writerows(self, rows: Iterable[Iterable[object]]) -> None:
        for cells in rows:
            self.writerow(cells)


class _Lines:
    """Gives each line its end. `csv.writer` quotes a cell with a line break only where that is part of its own ends, so these are both."""

    def __init__(self, to: Sink, end: str) -> None:
        self._to, self._end = to, end

    def write(self, line: str) -> None:
        self._to.write(line.removesuffix(_END) + self._end)


_TURNED = re.compile(r"\d{1,4}[-/.:]\d{1,2}([-/.:]\d{1,4})?|0\d+|\d{16,}|\d+[eE]\d+")


def kept(text: str) -> str:
    """With an apostrophe before it where Excel would make a date, a time or another number of it: "1-2" is a band, "007" a code."""
    return f"'{text}" if _TURNED.fullmatch(text) else text


def guarded(text: str) -> str:
    return f"'{text}" if _BEGINS.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text.startswith("'") and guarded(text[1:]) != text[1:] else text
