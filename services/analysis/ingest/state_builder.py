"""Background job that builds missing states: at the start, for a new survey, for a new version."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from services.analysis.ingest.partition import Partition
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

LOOK = 0.25
"""Seconds between two looks at what is missing."""
PAUSE = 1.0
"""Seconds until a failed build is tried again."""


class StateBuilder:
    """Builds the states that these partitions miss, one after the other."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._partitions = partitions
        self._outages = Outages(log, "counting")

    async def run(self) -> None:
        """Builds what is missing until cancelled."""
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
                log.info("counted", extra={"survey": survey, "partition": partition.number, "seconds": round(seconds, 1)})
        except Exception as error:  # one survey that cannot be counted must not keep the others from it
            self._outages.failed(error, survey)
            await asyncio.sleep(PAUSE)
