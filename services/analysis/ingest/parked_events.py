"""Organiser actions on events that could not be read: list, read again, drop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from proto.problem import Problem
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.store import Store

MOST = 1000
"""Most events that are listed. All are counted."""
TOGETHER = 100
"""Requests to the journal in flight at once."""
PATIENCE = 20.0
"""Seconds to wait until the workers have read them again. Each worker checks once a second."""


async def listed(store: Store, journal: JournalConsumer) -> dict[str, Any]:
    """Returns sequences, reasons and, as `since`, the day (UTC, ISO) on which each event was accepted. No content, and no response id.

    The store keeps no time with them: the day comes from the journal. Nothing finer than a day is returned. An organiser who may list them
    can watch the exact number of answers grow at any moment, so a day adds nothing to what he can know.
    """
    events, count = await store.unread(MOST)
    days: list[str | None] = []
    for start in range(0, len(events), TOGETHER):
        days += await asyncio.gather(*(journal.day(event["seq"]) for event in events[start : start + TOGETHER]))
    return {**count, "events": [event | {"since": day} for event, day in zip(events, days, strict=True)]}


async def retried(store: Store, seqs: Sequence[int] | None) -> dict[str, int]:
    """Has parked events read again, and returns how many were recorded, wait or are parked. `again`: not read yet by any worker."""
    chosen = await store.read_again(seqs)
    deadline = time.monotonic() + PATIENCE
    left = await store.unread_among(chosen)
    while left["again"] and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        left = await store.unread_among(chosen)
    return {"events": len(chosen), "recorded": len(chosen) - sum(left.values()), **left}


async def dropped(store: Store, journal: JournalConsumer, seqs: Sequence[int] | None, count: int) -> dict[str, int]:
    """Erases events from the journal for good, and returns how many. Raises Problem `list-changed` unless there are exactly `count`."""
    chosen = await store.to_drop(seqs)
    if len(chosen) != count:
        raise Problem("list-changed", f"It is {len(chosen):,} events now.")
    for seq in chosen:  # before the store: until it is gone there too, its receipt is not reported as recorded
        await journal.erase(seq)
    await store.dropped(chosen)
    return {"dropped": len(chosen)}
