"""One after the other: whoever shares a name waits for those before them, and a few at most wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

WAITING = 20
"""In one line, with the one whose turn it is."""


class Crowded(Exception):
    """The line is full."""


@dataclass
class _Line:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Turns:
    def __init__(self, waiting: int = WAITING) -> None:
        self._most = waiting
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncGenerator[None]:
        """Raises Crowded."""
        line = self._lines.setdefault(name, _Line())
        if line.waiting >= self._most:
            raise Crowded
        line.waiting += 1
        try:
            async with line.turn:
                yield
        finally:
            line.waiting -= 1
            if not line.waiting:
                del self._lines[name]
