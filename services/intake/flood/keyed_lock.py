"""Per-key async lock with a bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MAX_WAITING = 20
"""Callers per key, including the one that holds the lock."""


class QueueFull(Exception):
    """Too many callers already wait for this key."""


@dataclass
class _Queue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class KeyedLock:
    """A key without holder or waiters takes no memory."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncGenerator[None]:
        """Holds the lock of this key, first come first served. Raises QueueFull."""
        queue = self._queues.setdefault(key, _Queue())
        if queue.waiting >= self._max_waiting:
            raise QueueFull
        queue.waiting += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                del self._queues[key]
