"""Erases what intake keeps of a survey once its answers are deleted: the keys of its drafts, the data of its invitations.

The list of addresses for the results stays: those people were promised the results. The organiser deletes it after sending them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from proto.registry import Registry
from services.intake.streams.cas_store import StreamOutOfReach
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
"""Seconds between two checks for surveys that are over."""


async def erase_ended_surveys(registry: Registry, today: Callable[[], str], erasers: Sequence[Callable[[str], Awaitable[None]]]) -> None:
    """Runs until cancelled: calls every eraser once with each survey that is over, and again where one raised StreamOutOfReach.

    Every process runs it, since each has its own memory; erasing twice does no harm.
    """
    done, outages = set[str](), Outages(log, "erasing what is over")
    while True:
        for survey in registry.retention.keys() - done:
            if registry.over(survey, today()):
                try:
                    for erase in erasers:
                        await erase(survey)
                    done.add(survey)
                    outages.works(survey)
                except StreamOutOfReach as error:
                    outages.failed(error, survey)
        await asyncio.sleep(CHECK_SECONDS)
