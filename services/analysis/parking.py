"""What an organiser does about events that could not be read: list them, have them read again, or give them up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from proto.problem import Problem
from services.analysis.journal import Journal
from services.analysis.store import Store

MOST = 1000
"""Events that are listed. All of them are counted."""
PATIENCE = 20.0
"""Seconds for the workers to read them again; each looks once a second."""


async def listed(store: Store) -> dict[str, Any]:
    """Numbers and reasons. Nothing of what the events say, nor whose they are."""
    events, count = await store.unread(MOST)
    return {**count, "events": events}


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
