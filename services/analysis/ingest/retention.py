"""Background job that deletes the answers to surveys whose retention is over. Their figures stay in the checkpoints.

Claim. At no moment, also not after a kill, do figures depend on answers that are deleted.

Argument. Nothing is recorded while a part is deleted. The checkpoint that counts every answer of the partition is written in the
transaction that deletes. Answers that arrive late are counted first, too. Deleted rows, former answers, and answers that could never be
read are erased from the journal, as withdrawn answers are (table `erasures`).

Assumes that the survey is closed and never gets another version, which intake ensures: a checkpoint cannot be counted again.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Callable, Sequence

from services.analysis.ingest.compiled_surveys import CompiledSurveys
from services.analysis.ingest.partition import Partition
from services.analysis.records import Checkpoint
from services.analysis.store import Store
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two checks which surveys are over."""
PART = 10_000
"""Most answers deleted in one transaction. Meanwhile their partition records nothing."""


class RetentionJob:
    """`today`: returns the UTC date. `erase`: called when there is something to erase from the journal."""

    def __init__(
        self,
        partitions: Sequence[Partition],
        compiled: CompiledSurveys,
        store: Store,
        erase: Callable[[], None],
        today: Callable[[], datetime.date],
    ) -> None:
        self._partitions, self._compiled, self._store = partitions, compiled, store
        self._erase, self._today = erase, today
        self._outages = Outages(log, "deleting answers")

    async def run(self) -> None:
        """Deletes what is over until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            today = self._today()
            registry = self._compiled.registry
            for survey in {*self._compiled.surveys(), *registry.retention}:
                if registry.over(survey, today.isoformat()) and survey in registry.closed:
                    for partition in self._partitions:
                        await self._try(partition, survey, today)

    async def _try(self, partition: Partition, survey: str, today: datetime.date) -> None:
        try:
            await self._end(partition, survey, today)
            if partition.held:
                self._outages.works(survey)
        except Exception as error:  # deleting goes on after a surprise
            self._outages.failed(error, survey)

    async def _end(self, partition: Partition, survey: str, today: datetime.date) -> None:
        total, before = 0, -1
        while total > before and partition.held and await self._store.has_answers(survey, partition.number):
            before, total = total, total + await self._part(partition, survey, today)
            self._erase()
        if total:
            log.info("answers are deleted: their time is over", extra={"survey": survey, "partition": partition.number, "count": total})
        if partition.held and (unread := await self._store.delete_unread(survey, partition.number, self._known(survey))):
            self._erase()
            fields = {"survey": survey, "partition": partition.number, "count": unread}
            log.warning("answers are deleted that were never read", extra=fields)

    def _known(self, survey: str) -> list[str]:
        return [version for version in self._compiled.registry.versions.get(survey, {}) if self._compiled.knows(survey, version)]

    async def _part(self, partition: Partition, survey: str, today: datetime.date) -> int:
        async with partition.recording:
            count, position = partition.counts.get(survey), partition.position
            if count is None or not partition.settled(survey):
                return 0
            last = Checkpoint(position, count.digest, await asyncio.to_thread(count.state.dump, count.digest))
            deleted = await self._store.delete_answers(survey, partition.number, last, today, PART)
            count.saved, count.retracted = position, False
        return deleted
