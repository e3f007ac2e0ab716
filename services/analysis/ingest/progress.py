"""How far recording is behind the journal, and whether every partition is held: looked at once a second, for metrics and readiness."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from services.analysis import metrics, store
from services.analysis.ingest import journal
from services.analysis.ingest.journal import Backlog, Journal
from services.analysis.ingest.partition import Partition
from services.analysis.store import Store

LOOK = 1.0
"""Seconds between two looks."""
FRESH = 6.0
"""Seconds for which what was seen counts as so: longer than a look that is slow under load, or a lock that changes hands, takes."""


class Progress:
    """Of all `count` partitions, whichever worker has them: so each worker tells of one that is dead. `own` are this worker's."""

    def __init__(self, own: Sequence[Partition], count: int, journal: Journal, store: Store) -> None:
        self._own, self._count, self._journal, self._store = [partition.number for partition in own], count, journal, store
        self._backlog: dict[int, tuple[float, Backlog]] = {}
        """By partition: when it was looked at (seconds since 1970), and what was seen."""
        self._held_at = dict.fromkeys(range(count), float("-inf"))
        self._seen_at = float("-inf")

    def tell(self) -> None:
        """Brings the metrics up to date."""
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
        """Whether the database answered lately."""
        return time.monotonic() - self._seen_at < FRESH

    @property
    def holds(self) -> bool:
        """Whether each partition that this worker is to count is counted, by this worker or, where it stands by, by another."""
        return not set(self.unheld()) & set(self._own)

    def unheld(self) -> list[int]:
        """Partitions that nobody counts, as far as is known."""
        now = time.monotonic()
        return [number for number, at in self._held_at.items() if now - at >= FRESH]

    def oldest(self, partition: int) -> float:
        """For how many seconds the oldest event that is not recorded has been waiting; 0 where there is none."""
        _, backlog = self._backlog.get(partition, (0.0, Backlog(0)))
        return max(0.0, time.time() - backlog.since) if backlog.since is not None else 0.0

    def behind(self, seconds: float) -> list[int]:
        """Partitions in which something has been waiting for longer than this."""
        return [number for number in range(self._count) if self.oldest(number) > seconds]

    def complete(self) -> float:
        """Until when (seconds since 1970) everything that was accepted is recorded, as far as is known."""
        now = time.time()
        looked = [(at, backlog.since or at) for at, backlog in self._backlog.values()]
        if len(looked) < self._count:
            return now
        until = min(now if since == at and now - at < FRESH else since for at, since in looked)
        return min(now, until)

    async def _look_at_journal(self, partition: int) -> None:
        try:
            backlog = await self._journal.backlog(partition)
        except journal.Unavailable:
            return
        if backlog is not None:
            self._backlog[partition] = time.time(), backlog

    async def _look_at_store(self) -> None:
        try:
            held = await self._store.look()
        except store.Unavailable:
            return
        self._seen_at = time.monotonic()
        self._held_at |= dict.fromkeys(held & self._held_at.keys(), self._seen_at)
