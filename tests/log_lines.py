"""What services log, as their operators read it: every line in both formats, with its fields."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from services.runtime import logs

OF_TESTS = frozenset({"httpx", "httpcore", "hypothesis", "litestar.testing"})
"""Loggers of what only tests use."""


class LogLines(logging.Handler):
    """`lines`: of each record its fields. `text`: everything that was written, in the format for people and in that for collectors."""

    def __init__(self) -> None:
        super().__init__()
        self._people, self._collector = logs.formatter("test", "text"), logs.formatter("test", "json")
        self.lines: list[dict[str, Any]] = []
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in OF_TESTS:
            return
        line = self._collector.format(record)
        self.lines.append(json.loads(line))
        self.text += f"{self._people.format(record)}\n{line}\n"

    def levels(self, **fields: Any) -> list[str]:
        """The levels of the lines with these fields, in order."""
        return [line["level"] for line in self.lines if line.items() >= fields.items()]


@contextmanager
def recorded() -> Generator[LogLines]:
    """What all loggers of this process log, on every level, until the block ends."""
    lines, root = LogLines(), logging.getLogger()
    before = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(lines)
        root.setLevel(before)
