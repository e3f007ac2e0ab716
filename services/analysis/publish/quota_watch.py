"""Says in the control stream which quotas are full, so that every intake knows: that alone, and never how many there are."""

from __future__ import annotations

import asyncio
import logging

from nats.aio.client import Client

from proto import events, subjects
from proto.events import QuotasFilled
from services.analysis.disclosure.quota_limits import threshold
from services.analysis.ingest.compiled_surveys import CompiledSurveys
from services.analysis.ingest.totals import Totals
from services.analysis.records import Position
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks."""


class QuotaWatch:
    """`secret`: the key of what is drawn (`services.analysis.disclosure.quota_limits`)."""

    def __init__(self, client: Client, totals: Totals, compiled: CompiledSurveys, secret: bytes) -> None:
        self._js = client.jetstream(timeout=5)
        self._totals, self._compiled, self._secret = totals, compiled, secret
        self._judged: dict[str, tuple[str, int]] = {}
        """Of each survey the version that was judged last, and how many responses there were."""
        self._seen: dict[str, tuple[str, int, dict[int, Position]]] = {}
        """Of each survey what was counted last: the version, how often own counts had moved, and how far others had counted."""
        self._outages = Outages(log, "counting quotas")

    async def run(self) -> None:
        """Runs until cancelled. The worker that speaks for all judges."""
        while True:
            for survey in self._compiled.surveys() if self._totals.speaks else ():
                try:
                    await self._judge(survey)
                    self._outages.works(survey)
                except Exception as error:  # one survey must not keep the others from it
                    self._outages.failed(error, survey)
            await asyncio.sleep(LOOK)

    async def _judge(self, survey: str) -> None:
        registry, folder = self._compiled.registry, self._compiled.folder(survey)
        instrument = registry.current(survey)
        if instrument is None or folder is None or not instrument.quotas:
            return
        full = registry.full_quotas(instrument)
        open_quotas = [quota for quota in instrument.quotas if quota.id not in full]
        if not open_quotas:
            return
        seen = instrument.version, self._totals.moves(survey), await self._totals.progress(survey)
        if self._seen.get(survey) == seen:
            return
        columns = [folder.codebook.quotas[quota.id] for quota in open_quotas]
        counted = await self._totals.counted(survey, [0, *columns])
        if counted is None:
            return
        responses, *counts = counted
        version, before = self._judged.get(survey, ("", 0))
        if version == instrument.version and responses < before + instrument.policy.batch:
            self._seen[survey] = seen
            return
        filled = {
            quota.id: quota.limit
            for quota, count in zip(open_quotas, counts, strict=True)
            if count >= threshold(self._secret, survey, quota)
        }
        if filled:
            event = QuotasFilled(survey, registry.full.get(survey, {}) | filled)
            await self._js.publish(subjects.quotas(survey), events.encode(event), headers=events.headers(event, events.tag(event)))
        self._judged[survey], self._seen[survey] = (instrument.version, responses), seen
