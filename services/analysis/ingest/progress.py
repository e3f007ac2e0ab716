"""Watches how far recording is behind the journal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from services.analysis import metrics
from services.analysis.ingest.journal import Backlog, JournalConsumer
from services.analysis.ingest.partition import Partition
from services.analysis.store import Store
from services.runtime.outage_kind import Unavailable

LOOK = 1.0
"""Seconds between two checks."""
FRESH = 6.0
"""Seconds for which a check stays valid: longer than a slow check, or a lock that changes hands, takes."""


class Progress:
    """Covers all `count` partitions, whichever worker holds them, so each worker reports a dead one. `own`: this worker's."""

    def __init__(self, own: Sequence[Partition], count: int, journal: JournalConsumer, store: Store) -> None:
        self._own, self._count, self._journal, self._store = [partition.number for partition in own], count, journal, store
        self._backlog: dict[int, tuple[float, Backlog]] = {}
        """By partition: when it was checked (seconds since 1970), and its backlog."""
        self._held_at = dict.fromkeys(range(count), float("-inf"))
        self._seen_at = float("-inf")

    def tell(self) -> None:
        """Updates the metrics."""
        unheld = self.unheld()
        for number in range(self._count):
            _, backlog = self._backlog.get(number, (0.0, Backlog(0)))
            metrics.lag.labels(number).set(backlog.events)
            metrics.oldest.labels(number).set(self.oldest(number))
            metrics.held.labels(number).set(number not in unheld)

    async def watch_journal(self) -> None:
        while True:
            await asyncio.gather(*(self._look_at_journal(number) for number in range(self._count)))
            await asyncio.sleep(LOOK)

    async def watch_store(self) -> None:
        while True:
            await self._look_at_store()
            await asyncio.sleep(LOOK)

    @property
    def database(self) -> bool:
        """Whether the database answered within FRESH seconds."""
        return time.monotonic() - self._seen_at < FRESH

    @property
    def holds(self) -> bool:
        """Whether each of this worker's partitions is held, by this worker or by another one."""
        return not set(self.unheld()) & set(self._own)

    def unheld(self) -> list[int]:
        """Returns the partitions that no worker is known to hold."""
        now = time.monotonic()
        return [number for number, at in self._held_at.items() if now - at >= FRESH]

    def oldest(self, partition: int) -> float:
        """Returns how long the oldest unrecorded event has waited, in seconds; 0 where there is none."""
        _, backlog = self._backlog.get(partition, (0.0, Backlog(0)))
        return max(0.0, time.time() - backlog.since) if backlog.since is not None else 0.0

    def behind(self, seconds: float) -> list[int]:
        """Returns the partitions whose oldest unrecorded event has waited longer than this."""
        return [number for number in range(self._count) if self.oldest(number) > seconds]

    def complete(self) -> float:
        """Returns the time (seconds since 1970) up to which every accepted event is known to be recorded."""
        now = time.time()
        looked = [(at, backlog.since or at) for at, backlog in self._backlog.values()]
        if len(looked) < self._count:
            return now
        until = min(now if since == at and now - at < FRESH else since for at, since in looked)
        return min(now, until)

    async def _look_at_journal(self, partition: int) -> None:
        try:
            backlog = await self._journal.backlog(partition)
        except Unavailable:
            return
        if backlog is not None:
            self._backlog[partition] = time.time(), backlog

    async def _look_at_store(self) -> None:
        try:
            held = await self._store.look()
        except Unavailable:
            return
        self._seen_at = time.monotonic()
        self._held_at |= dict.fromkeys(held & self._held_at.keys(), self._seen_at)
