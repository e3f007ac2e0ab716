"""Single-flight LRU cache of rendered output."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable

from proto.problem import Problem
from services.runtime.http.encoded_body import Encoded

ROOM = 32 * 1024 * 1024
"""Bytes. Beyond that the least recently used entries are dropped."""
WAITING = 64
"""Most entries rendered at a time. Beyond that the answer is 503."""

Key = tuple[object, ...]


class RenderCache:
    def __init__(self, room: int = ROOM, waiting: int = WAITING) -> None:
        self._room, self._most = room, waiting
        self._kept: OrderedDict[Key, Encoded] = OrderedDict()
        self._making: dict[Key, asyncio.Task[Encoded]] = {}
        self._waiting: Counter[Key] = Counter()
        self._size = 0

    async def get(self, key: Key, make: Callable[[], Awaitable[Encoded]], keep: Callable[[Encoded], bool] = bool) -> Encoded:
        """Returns the cached entry, else the result of `make`, for which all concurrent callers wait. Raises what `make` raises.

        When the last waiting caller is cancelled, so is `make`. The key holds the revision, so no entry is ever out of date. `keep`:
        returns whether to cache a result.
        """
        if (cached := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return cached
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
            rendered = await make()
        finally:
            if self._making.get(key) is asyncio.current_task():
                del self._making[key]
        if keep(rendered):
            self._kept[key] = rendered
            self._size += len(rendered.plain)
            while self._size > self._room:
                self._size -= len(self._kept.popitem(last=False)[1].plain)
        return rendered
