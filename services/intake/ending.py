"""What intake keeps of a survey besides its answers goes when they go: what opens its drafts, and what there is to know of its invitations.

The list of those who want the results stays, for they were promised to hear of them; it goes when the organiser has sent them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from proto.outage import Outages, refused
from proto.registry import Registry
from services.intake.invitations import Invitations
from services.intake.seals import Seals
from services.intake.wholes import OutOfReach

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
