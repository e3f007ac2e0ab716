"""Watches over what no child can help itself with: a disk that fills up, and a journal that stopped writing because of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from deploy.child import Child
from deploy.data_folder import ROOM, DataFolder
from deploy.nats_server import NatsServer

INTERVAL = 5.0
BETWEEN_RENEWALS = 60.0
ENOUGH = ROOM // 8
"""Bytes with which it is worth trying to write again."""


async def watch_disk(data: DataFolder, say: Callable[[str], None]) -> None:
    """One line when the disk fills up, another when it has room again."""
    tight = False
    while True:
        free = data.free()
        if tight != (free < ROOM):
            tight = not tight
            say(f"The disk that holds {data.path} {f'has only {free // 2**20} MB left' if tight else 'has room again'}.")
        await asyncio.sleep(INTERVAL)


async def watch_journal(data: DataFolder, nats: NatsServer, child: Child, say: Callable[[str], None]) -> None:
    """Starts nats again when it refuses to write although there is room. Until then, intake answers 503: nothing is lost."""
    last = -BETWEEN_RENEWALS
    while True:
        await asyncio.sleep(INTERVAL)
        due = time.monotonic() - last >= BETWEEN_RENEWALS
        if due and await nats.has_stopped_writing() and data.free() >= ENOUGH:
            last = time.monotonic()
            say("The journal stopped writing when the disk was full; starting nats again.")
            await child.renew()
