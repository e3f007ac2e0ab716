"""The chores beside the loop: counts to build, checkpoints to write, messages to erase from the journal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from services.analysis import metrics, store
from services.analysis.ingest import journal
from services.analysis.ingest.journal import Journal
from services.analysis.ingest.partition import Partition
from services.analysis.store import Checkpoint, Store
from services.runtime.error_location import place_of
from services.runtime.outage import Outages, refused

log = logging.getLogger(__name__)

LOOK = 0.25
"""Seconds between two looks at what there is to do."""
CHECKPOINT = 30.0
"""Seconds between checkpoints; a restart folds what came in since."""
RETRACTED = 1.0
"""Seconds until a checkpoint that still counts withdrawn answers is replaced, and they are gone from the database."""
ERASE = 500
"""Messages erased between two looks into the store."""
PAUSE = 1.0


class Builder:
    """Builds what counts are missing: at the start, for a new survey, for a new version."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._partitions = partitions
        self._outages = Outages(log, "counting")

    async def run(self) -> None:
        while True:
            for partition in self._partitions:
                for survey in partition.missing():
                    await self._build(partition, survey)
            await asyncio.sleep(LOOK)

    async def _build(self, partition: Partition, survey: str) -> None:
        try:
            begun = time.monotonic()
            await partition.build(survey)
            self._outages.works(survey)
            if (seconds := time.monotonic() - begun) > 1:
                log.info("%s in partition %d counted in %.1f s", survey, partition.number, seconds)
        except store.Unavailable as error:
            self._outages.failed(error, store.refused(error), survey)
            await asyncio.sleep(PAUSE)
        except Exception as error:  # one survey that cannot be counted must not keep the others from it
            self._outages.surprised(place_of(error), survey)
            await asyncio.sleep(PAUSE)


class Keeper:
    """Writes checkpoints. `every` gives the seconds between them: few for workers whose counts another one reads from the database."""

    def __init__(self, partitions: Sequence[Partition], store: Store, every: Callable[[], float] = lambda: CHECKPOINT) -> None:
        self._partitions, self._store, self._every = partitions, store, every
        self._written: dict[tuple[int, str], float] = {}
        self._outages = Outages(log, "writing checkpoints of")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            now = time.monotonic()
            for partition in self._partitions:
                for survey, count in list(partition.counts.items()):
                    since = now - self._written.setdefault((partition.number, survey), now)
                    if since >= (RETRACTED if count.retracted else self._every()):
                        await self._try(partition, survey)

    async def finish(self) -> None:
        """Everything, now."""
        for partition in self._partitions:
            for survey in list(partition.counts):
                await self._try(partition, survey)

    async def _try(self, partition: Partition, survey: str) -> None:
        self._written[partition.number, survey] = time.monotonic()
        try:
            if await self._write(partition, survey):
                self._outages.works(survey)
        except store.Unavailable as error:
            self._outages.failed(error, store.refused(error), survey)

    async def _write(self, partition: Partition, survey: str) -> bool:
        """Whether there was something to write."""
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


class Eraser:
    """Deletes from the journal what must not stay there. Until that is done it stands in the store, so nothing is forgotten.

    `allowed` says whether the journal is known to be the one that the numbers in the store belong to.
    """

    def __init__(self, store: Store, journal: Journal, allowed: Callable[[], bool]) -> None:
        self._store, self._journal, self._allowed = store, journal, allowed
        self._nudge = asyncio.Event()
        self._outages = Outages(log, "erasing from the journal")

    def nudge(self) -> None:
        self._nudge.set()

    async def run(self) -> None:
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
            except (*store.Unavailable, *journal.Unavailable) as error:
                self._outages.failed(error, store.refused(error) or refused(error))
                await asyncio.sleep(PAUSE)
            except Exception as error:  # erasing goes on after a surprise
                self._outages.surprised(place_of(error))
                await asyncio.sleep(PAUSE)

    async def once(self) -> int:
        seqs = await self._store.erasures(ERASE)
        for seq in seqs:
            await self._journal.erase(seq)
        if seqs:
            await self._store.erased(seqs)
            metrics.erased.inc(len(seqs))
        return len(seqs)
