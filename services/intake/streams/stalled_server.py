"""Leaves a server that is frozen, or cut off from the others. Its connections stay open: only a ping, or the lack of answers, tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import nats.errors
from nats.aio.client import Client

PONG = 1  # nats-py wants whole seconds
"""Seconds in which a server answers a ping, however much it has to write."""
SILENT = 3.0
"""Seconds without any answer from the journal after which another server is tried. During an election that does not help, nor harm."""
MOVING = 1.0
"""Seconds for which a connection is waited for."""
SETTLED = 6.0
"""Seconds at a server before the next is tried: an election takes up to nine."""


class StalledServerWatch:
    """For a client that knows several servers; one with a single server has nowhere to go, and waits."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._leaving: asyncio.Task[None] | None = None
        self._silent: float | None = None
        self._moved = float("-inf")

    async def connected(self) -> bool:
        """Whether there is a server to ask. Going to another one takes a moment, which is waited for."""
        deadline = time.monotonic() + MOVING
        while not self._client.is_connected:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(MOVING / 20)
        return True

    def answered(self) -> None:
        self._silent = None

    def unanswered(self) -> None:
        """A question to the journal had no answer in time."""
        now = time.monotonic()
        self._silent = self._silent or now
        if now - self._silent > SILENT and now - self._moved > SETTLED:
            self._moved, self._silent = now, None
            self._leave(self._client.force_reconnect)

    def doubt(self) -> None:
        """An answer takes long: asks the server for a sign of life, and goes to another one where there is none."""
        self._leave(self._feel)

    def _leave(self, how: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._client.is_connected and len(self._client.servers) > 1 and (self._leaving is None or self._leaving.done()):
            self._leaving = asyncio.create_task(how())

    async def _feel(self) -> None:
        try:
            await self._client.flush(PONG)
        except nats.errors.TimeoutError:
            await self._client.force_reconnect()
        except (nats.errors.Error, OSError):
            pass  # the client itself has noticed
