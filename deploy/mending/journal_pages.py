"""Reads the journal from one number to another, as fast as the server gives it: pages of events by direct get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from nats.aio.client import Client

from proto import subjects

PAGE = 1000
BYTES = 4 << 20
PATIENCE = 10.0
"""Seconds without an event after which the server has lost the request."""


class Message(NamedTuple):
    seq: int
    subject: str
    data: bytes

    @property
    def id(self) -> str:
        """The last part of the subject: the id of the response."""
        return self.subject.rpartition(".")[2]


async def pages(client: Client, first: int, last: int) -> AsyncIterator[list[Message]]:
    """What the journal holds from number `first` to number `last`, in order. Raises TimeoutError where the server does not answer."""
    async with _inbox(client) as (inbox, arrived):
        seq = first
        while seq <= last:
            request = {"seq": seq, "batch": PAGE, "max_bytes": BYTES}
            await client.publish(f"$JS.API.DIRECT.GET.{subjects.RESPONSES}", json.dumps(request).encode(), reply=inbox)
            page, more = await _page(arrived)
            if messages := [message for message in page if message.seq <= last]:
                yield messages
            if not page or not more:
                return
            seq = page[-1].seq + 1


async def _page(arrived: asyncio.Queue[Any]) -> tuple[list[Message], bool]:
    """One answer of the server, and whether there may be more after it."""
    page: list[Message] = []
    while True:
        message = await asyncio.wait_for(arrived.get(), PATIENCE)
        headers: dict[str, str] = message.headers or {}
        if "Nats-Sequence" not in headers:  # 204: this request is served; 404: nothing is left
            return page, headers.get("Status") != "404"
        page.append(Message(int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data))


@asynccontextmanager
async def _inbox(client: Client) -> AsyncGenerator[tuple[str, asyncio.Queue[Any]]]:
    inbox = client.new_inbox()
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    subscription = await client.subscribe(inbox, cb=arrived.put, pending_msgs_limit=4 * PAGE, pending_bytes_limit=16 * BYTES)
    try:
        yield inbox, arrived
    finally:
        await subscription.unsubscribe()
