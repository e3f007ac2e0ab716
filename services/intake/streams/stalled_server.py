"""Leaves a NATS server that is frozen or cut off from the others. Its connections stay open; only missing answers show it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import nats.errors
from nats.aio.client import Client

PONG = 1  # nats-py wants whole seconds
"""Seconds in which a working server answers a ping, however much it has to write."""
SILENT = 3.0
"""Seconds without any answer from the journal after which another server is tried. During an election that neither helps nor harms."""
MOVING = 1.0
"""Seconds for which `connected` waits for a connection."""
SETTLED = 6.0
"""Seconds at a server before the next is tried: an election takes up to nine."""


class StalledServerWatch:
    """Reconnects a client that knows several servers. With a single server it does nothing."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._leaving: asyncio.Task[None] | None = None
        self._silent: float | None = None
        self._moved = float("-inf")

    async def connected(self) -> bool:
        """Whether the client is connected; waits a moment for a reconnection."""
        deadline = time.monotonic() + MOVING
        while not self._client.is_connected:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(MOVING / 20)
        return True

    def answered(self) -> None:
        self._silent = None

    def unanswered(self) -> None:
        """A request to the journal had no answer in time. After SILENT seconds of this, connects to another server."""
        now = time.monotonic()
        self._silent = self._silent or now
        if now - self._silent > SILENT and now - self._moved > SETTLED:
            self._moved, self._silent = now, None
            self._leave(self._client.force_reconnect)

    def doubt(self) -> None:
        """An answer takes long: pings the server, and connects to another one where there is no answer."""
        self._leave(self._ping)

    def _leave(self, how: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._client.is_connected and len(self._client.servers) > 1 and (self._leaving is None or self._leaving.done()):
            self._leaving = asyncio.create_task(how())

    async def _ping(self) -> None:
        try:
            await self._client.flush(PONG)
        except nats.errors.TimeoutError:
            await self._client.force_reconnect()
        except (nats.errors.Error, OSError):
            pass  # the client itself has noticed
