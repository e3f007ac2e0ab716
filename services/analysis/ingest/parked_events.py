"""Organiser actions on events that could not be read: list, read again, drop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from proto.problem import Problem
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.store import Store

MOST = 1000
"""Most events that are listed. All are counted."""
TOGETHER = 100
"""Requests to the journal in flight at once."""
PATIENCE = 20.0
"""Seconds to wait until the workers have read them again. Each worker checks once a second."""


class UnreadEvent(msgspec.Struct, frozen=True):
    """An accepted event that was not recorded. `seq`: its sequence in the journal. `since`: the day (UTC, ISO) on which it was accepted.

    `version`: what it waits for. None where its version, its survey or its day is not known.
    """

    seq: int
    partition: int
    survey: str | None
    version: str | None
    reason: str
    state: Literal["parked", "waiting"]
    since: str | None


class UnreadEvents(msgspec.Struct, frozen=True):
    """How many events are parked and how many wait; a thousand of them at most are listed."""

    parked: int
    waiting: int
    events: list[UnreadEvent]


class EventsReadAgain(msgspec.Struct, frozen=True):
    """How many events were to be read again, and what became of them. `again`: not read yet by any worker."""

    events: int
    recorded: int
    again: int
    waiting: int
    parked: int


class EventsDropped(msgspec.Struct, frozen=True):
    """How many events were erased."""

    dropped: int


async def listed(store: Store, journal: JournalConsumer) -> UnreadEvents:
    """Returns what could not be read, without content or response ids.

    The store keeps no time with them: the day comes from the journal. Nothing finer than a day is returned. An organiser who may list them
    can watch the exact number of answers grow at any moment, so a day adds nothing to what he can know.
    """
    events, count = await store.unread(MOST)
    days: list[str | None] = []
    for start in range(0, len(events), TOGETHER):
        days += await asyncio.gather(*(journal.day(event["seq"]) for event in events[start : start + TOGETHER]))
    return UnreadEvents(**count, events=[UnreadEvent(**event, since=day) for event, day in zip(events, days, strict=True)])


async def retried(store: Store, seqs: Sequence[int] | None) -> EventsReadAgain:
    """Has parked events read again, and waits until the workers have done so, at most PATIENCE seconds."""
    chosen = await store.read_again(seqs)
    deadline = time.monotonic() + PATIENCE
    left = await store.unread_among(chosen)
    while left["again"] and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        left = await store.unread_among(chosen)
    return EventsReadAgain(len(chosen), len(chosen) - sum(left.values()), **left)


async def dropped(store: Store, journal: JournalConsumer, seqs: Sequence[int] | None, count: int) -> EventsDropped:
    """Erases events from the journal for good, and returns how many. Raises Problem `list-changed` unless there are exactly `count`."""
    chosen = await store.to_drop(seqs)
    if len(chosen) != count:
        raise Problem("list-changed", f"It is {len(chosen):,} events now.")
    for seq in chosen:  # before the store: until it is gone there too, its receipt is not reported as recorded
        await journal.erase(seq)
    await store.dropped(chosen)
    return EventsDropped(len(chosen))
