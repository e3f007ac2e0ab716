"""Keeps what was made from a revision (tables, files, drawings), so that each is made once however many ask for it."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable

from proto.problem import Problem
from services.analysis.gateway.http_body import Encoded

ROOM = 32 * 1024 * 1024
"""Bytes; beyond it what was asked for longest ago is forgotten."""
WAITING = 64
"""Most that may be in the making at a time; beyond it the answer is 503."""

Key = tuple[object, ...]


class Shelf:
    def __init__(self, room: int = ROOM, waiting: int = WAITING) -> None:
        self._room, self._most = room, waiting
        self._kept: OrderedDict[Key, Encoded] = OrderedDict()
        self._making: dict[Key, asyncio.Task[Encoded]] = {}
        self._waiting: Counter[Key] = Counter()
        self._size = 0

    async def get(self, key: Key, make: Callable[[], Awaitable[Encoded]], keep: Callable[[Encoded], bool] = bool) -> Encoded:
        """What is kept under this key, else what `make` makes; those who ask meanwhile wait for the same. Raises what it raises. Once
        the last of those who wait is gone, making ends.

        The key names the revision, so nothing here is ever out of date. `keep` says whether it is worth keeping.
        """
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return found
        making = self._making.get(key)
        if making is None:
            if len(self._making) >= self._most:
                raise Problem("unavailable", "Very many tables are asked for just now.", retry_after=2)
            making = self._making[key] = asyncio.ensure_future(self._make(key, make, keep))
        self._waiting[key] += 1
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            if self._waiting[key] == 1 and not making.done():
                making.cancel()
                self._making.pop(key, None)
            raise
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]

    async def _make(self, key: Key, make: Callable[[], Awaitable[Encoded]], keep: Callable[[Encoded], bool]) -> Encoded:
        try:
            made = await make()
        finally:
            if self._making.get(key) is asyncio.current_task():
                del self._making[key]
        if keep(made):
            self._kept[key] = made
            self._size += len(made.plain)
            while self._size > self._room:
                self._size -= len(self._kept.popitem(last=False)[1].plain)
        return made
