"""Background job that deletes messages from the journal whose content must not stay there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from services.analysis import metrics
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.store import Store
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

ERASE = 500
"""Messages deleted between two looks into the store."""
PAUSE = 1.0
"""Seconds between two looks into the store, unless nudged."""


class JournalEraser:
    """Deletes the messages listed in the table `erasures`. A row is removed only after its message was deleted.

    `allowed`: returns whether the journal is known to be the one that the sequences in the store belong to.
    """

    def __init__(self, store: Store, journal: JournalConsumer, allowed: Callable[[], bool]) -> None:
        self._store, self._journal, self._allowed = store, journal, allowed
        self._nudge = asyncio.Event()
        self._outages = Outages(log, "erasing from the journal")

    def nudge(self) -> None:
        """There may be something to delete."""
        self._nudge.set()

    async def run(self) -> None:
        """Deletes until cancelled."""
        while True:
            try:
                done = self._allowed() and await self.once()
                if self._allowed():
                    self._outages.works()
                if not done:
                    self._nudge.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(PAUSE):
                            await self._nudge.wait()
            except Exception as error:  # erasing goes on after a surprise
                self._outages.failed(error)
                await asyncio.sleep(PAUSE)

    async def once(self) -> int:
        """Deletes at most ERASE messages, and returns how many."""
        seqs = await self._store.erasures(ERASE)
        for seq in seqs:
            await self._journal.erase(seq)
        if seqs:
            await self._store.erased(seqs)
            metrics.erased.inc(len(seqs))
        return len(seqs)
