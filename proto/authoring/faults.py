"""Faults: what is wrong with an author's file, at which line, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

Path = tuple[str | int, ...]

MOST = 1000
"""So many faults are told at once; a file with more is not a slip of the pen."""


class AuthoringFault(msgspec.Struct, frozen=True):
    """One thing to mend. `path` is a JSON pointer into the file; `advice` may be empty."""

    file: str
    line: int
    path: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        sentence = f"{self.file}:{self.line}: {self.message}"
        return f"{sentence} ({self.advice})" if self.advice else sentence


class TooManyFaults(Exception):
    """Raised once `MOST` faults are collected; the reader stops there."""


class Faults:
    """Collects faults, with the place of each value in the file.

    A value that could not be read is `broken`: later faults of its stand-in are not reported.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[AuthoringFault] = []
        self.lines: dict[Path, int] = {}
        self.lost: set[str] = set()
        self._places: dict[int, Path] = {}
        self._broken: set[Path] = set()
        self._touched: set[Path] = set()
        self._told: set[tuple[Path, str]] = set()

    def line(self, path: Path) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def remember(self, value: object, path: Path) -> None:
        """The caller keeps `value` alive for as long as it asks for its place."""
        self._places[id(value)] = path

    def place(self, value: object) -> Path:
        return self._places[id(value)]

    def broken(self, path: Path, message: str, advice: str = "", line: int | None = None) -> None:
        """Adds a fault of an unreadable value; nothing at or below `path` is reported again."""
        self._tell(path, message, advice, line)
        self.doubt(path)

    def doubt(self, path: Path) -> None:
        """Marks a value built from broken ones, whose faults would only repeat reported ones."""
        self._broken.add(path)
        for depth in range(len(path) + 1):
            self._touched.add(path[:depth])

    def add(self, path: Path, message: str, advice: str = "", line: int | None = None) -> None:
        if not any(path[:depth] in self._broken for depth in range(len(path) + 1)):
            self._tell(path, message, advice, line)

    def touched(self, path: Path) -> bool:
        """Is anything at, above or below `path` broken?"""
        return path in self._touched or any(path[:depth] in self._broken for depth in range(len(path)))

    def once(self, things: Iterable[tuple[str, Path]], what: str) -> None:
        """Adds a fault for each repeated name. `things`: names with their places."""
        first: dict[str, Path] = {}
        for name, path in things:
            if name in first and not self.touched(path):
                self.add(path, f"the {what} {name} is used twice", f"first in line {self.line(first[name])}")
            first.setdefault(name, path)

    def _tell(self, path: Path, message: str, advice: str, line: int | None) -> None:
        if (path, message) in self._told:
            return
        self._told.add((path, message))
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
        self.found.append(AuthoringFault(self.file, self.line(path) if line is None else line, pointer, message, advice))
        if len(self.found) >= MOST:
            raise TooManyFaults
