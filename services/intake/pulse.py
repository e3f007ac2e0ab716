"""Leaves a server that is frozen: its connections stay open, and only a ping tells."""

from __future__ import annotations

import asyncio

import nats.errors
from nats.aio.client import Client

PONG = 1  # nats-py wants whole seconds
"""Seconds in which a server answers a ping, however much it has to write."""


class Pulse:
    """For a client that knows several servers; one with a single server has nowhere to go, and waits."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._feeling: asyncio.Task[None] | None = None

    def doubt(self) -> None:
        """Asks the server for a sign of life, once at a time, and goes to another one where there is none."""
        if self._client.is_connected and len(self._client.servers) > 1 and (self._feeling is None or self._feeling.done()):
            self._feeling = asyncio.create_task(self._feel())

    async def _feel(self) -> None:
        try:
            await self._client.flush(PONG)
        except nats.errors.TimeoutError:
            await self._client.force_reconnect()
        except (nats.errors.Error, OSError):
            pass  # the client itself has noticed
