"""Background job that writes checkpoints, from which a restart goes on counting."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from services.analysis import metrics
from services.analysis.ingest.partition import Partition
from services.analysis.records import Checkpoint
from services.analysis.store import Store
from services.runtime.outage_kind import Unavailable
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

LOOK = 0.25
"""Seconds between two looks at which checkpoints are due."""
CHECKPOINT = 30.0
"""Seconds between checkpoints. A restart folds the responses that came since the last one."""
RETRACTED = 1.0
"""Seconds until a checkpoint that still counts withdrawn answers is replaced, and they are deleted from the database."""


class Checkpointer:
    """`every`: returns the seconds between checkpoints. They are few where another worker reads the counts from the database."""

    def __init__(self, partitions: Sequence[Partition], store: Store, every: Callable[[], float] = lambda: CHECKPOINT) -> None:
        self._partitions, self._store, self._every = partitions, store, every
        self._written: dict[tuple[int, str], float] = {}
        self._outages = Outages(log, "writing checkpoints")

    async def run(self) -> None:
        """Writes the checkpoints that are due until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            now = time.monotonic()
            for partition in self._partitions:
                for survey, count in list(partition.counts.items()):
                    since = now - self._written.setdefault((partition.number, survey), now)
                    if since >= (RETRACTED if count.retracted else self._every()):
                        await self._try(partition, survey)

    async def finish(self) -> None:
        """Writes a checkpoint of each count now."""
        for partition in self._partitions:
            for survey in list(partition.counts):
                await self._try(partition, survey)

    async def _try(self, partition: Partition, survey: str) -> None:
        self._written[partition.number, survey] = time.monotonic()
        try:
            if await self._write(partition, survey):
                self._outages.works(survey)
        except Unavailable as error:
            self._outages.failed(error, survey)

    async def _write(self, partition: Partition, survey: str) -> bool:
        """Returns whether there was something to write."""
        async with partition.folding:
            count, position = partition.counts.get(survey), partition.position
            if count is None or not partition.settled(survey) or (count.saved == position and not count.retracted):
                return False
            state, had_retractions, count.retracted = count.state.copy(), count.retracted, False
        try:
            data = await asyncio.to_thread(state.dump, count.digest)
            await self._store.save_checkpoint(survey, partition.number, Checkpoint(position, count.digest, data))
        except BaseException:
            count.retracted |= had_retractions
            raise
        count.saved = position
        metrics.checkpoints.inc()
        return True
