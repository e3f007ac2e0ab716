"""Background checks of a running stack: free disk space, the journal, withdrawn answers left in files."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from deploy.mending.mending import MendingReport
from deploy.provisioning.forgetting import Forgetter
from deploy.stack.child import Child
from deploy.stack.data_folder import ROOM, DataFolder
from deploy.stack.nats_server import NatsServer
from services.runtime.outage_kind import Unavailable

INTERVAL = 5.0
BETWEEN_RENEWALS = 60.0
HOMES = (10.0, 600.0)
"""Seconds between two looks whether journal and store belong together; doubled, up to the second, while they cannot be mended."""
FORGET = (60.0, 600.0)
"""Seconds until what was withdrawn is taken out of PostgreSQL's files for the first time, and between two times."""
SHARE = 100
"""Where tables are large: at least so many times as long between two times as one takes, while their tables are locked."""
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


async def watch_homes(mend: Callable[[], Awaitable[MendingReport]], say: Callable[[str], None]) -> None:
    """Mends journal and store when they no longer belong together, as after a loss inside NATS, and reports it.

    Skips a round where a server is away; other checks report that.
    """
    pause, last_sentence = HOMES[0], ""
    while True:
        await asyncio.sleep(pause)
        try:
            report = await mend()
        except Unavailable:
            continue
        sentence = report.sentence() if report.mended or not report.together else ""
        if sentence and sentence != last_sentence:
            say(sentence)
        pause, last_sentence = (HOMES[0], "") if report.together else (min(2 * pause, HOMES[1]), sentence)


async def watch_traces(data: DataFolder, forgetter: Forgetter) -> None:
    """Takes what was withdrawn or deleted out of PostgreSQL's files."""
    pause = FORGET[0]
    while True:
        await asyncio.sleep(pause)
        pause = FORGET[1]
        with contextlib.suppress(*Unavailable):
            pause = max(pause, SHARE * await forgetter.once(data.free() - ROOM))
