"""What intake keeps of a survey besides its answers goes when they go: what opens its drafts, and what there is to know of its invitations.

The list of those who want the results stays, for they were promised to hear of them; it goes when the organiser has sent them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from proto.registry import Registry
from services.intake.drafts.draft_keys import Seals
from services.intake.invitations.invitations import Invitations
from services.intake.streams.cas_store import OutOfReach
from services.runtime.outage import Outages, refused

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at what is over."""


async def by_the_clock(registry: Registry, today: Callable[[], str], seals: Seals, invitations: Invitations) -> None:
    """For as long as it runs. Each intake does it for itself, since each remembers; doing it again erases nothing more."""
    done, outages = set[str](), Outages(log, "erasing what is kept of")
    while True:
        for survey in registry.retention.keys() - done:
            if registry.over(survey, today()):
                try:
                    await seals.erase(survey)
                    await invitations.forget(survey)
                    done.add(survey)
                    outages.works(survey)
                except OutOfReach as error:
                    outages.failed(error, refused(error), survey)
        await asyncio.sleep(LOOK)
