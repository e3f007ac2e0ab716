"""What an organiser does about events that could not be read: list them, have them read again, or give them up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from proto.problem import Problem
from services.analysis.ingest.journal import Journal
from services.analysis.store import Store

MOST = 1000
"""Events that are listed. All of them are counted."""
TOGETHER = 100
"""Events that the journal is asked for at once."""
PATIENCE = 20.0
"""Seconds for the workers to read them again; each looks once a second."""


async def listed(store: Store, journal: Journal) -> dict[str, Any]:
    """Numbers, reasons and, as `since`, the day (UTC, ISO) on which each was accepted. Nothing of what the events say, nor whose they are.

    The store keeps no time with them. The day is read from the journal, which has it while it holds the event, and nothing finer is told:
    whoever may list them sees the exact number of answers grow at any moment, so a day adds nothing to what he can know.
    """
    events, count = await store.unread(MOST)
    days: list[str | None] = []
    for start in range(0, len(events), TOGETHER):
        days += await asyncio.gather(*(journal.day(each["seq"]) for each in events[start : start + TOGETHER]))
    return {**count, "events": [each | {"since": day} for each, day in zip(events, days, strict=True)]}


async def retried(store: Store, seqs: Sequence[int] | None) -> dict[str, int]:
    """Has parked events read again from the journal, and says what became of them. `again`: by nobody yet."""
    chosen = await store.read_again(seqs)
    deadline = time.monotonic() + PATIENCE
    left = await store.unread_among(chosen)
    while left["again"] and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        left = await store.unread_among(chosen)
    return {"events": len(chosen), "recorded": len(chosen) - sum(left.values()), **left}


async def dropped(store: Store, journal: Journal, seqs: Sequence[int] | None, count: int) -> dict[str, int]:
    """Erases events from the journal, for good. Raises Problem unless it is exactly so many as whoever asks believes."""
    chosen = await store.to_drop(seqs)
    if len(chosen) != count:
        raise Problem("list-changed", f"It is {len(chosen):,} events now.")
    for seq in chosen:  # first there: until it is forgotten here too, its receipt is not told to be recorded
        await journal.erase(seq)
    await store.dropped(chosen)
    return {"dropped": len(chosen)}
