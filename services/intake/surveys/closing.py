"""Says in the control stream that a survey closed on its date, so that figures and the deletion of answers follow as after any closing.

That nothing is taken any more does not wait for it: every intake reads the date by its own clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nats.aio.client import Client

from proto.events import SurveyClosed
from proto.problem import Problem
from proto.registry import Registry
from services.intake.surveys import control
from services.runtime.nats_client import Follower

CHECK_SECONDS = 1.0
"""Seconds between two looks at the clock."""


async def close_on_time(
    client: Client, follower: Follower, registry: Registry, clock: Callable[[], float], today: Callable[[], str]
) -> None:
    """Runs until cancelled. `clock` returns Unix time, `today` the ISO date in UTC.

    Every intake runs it, and one of them writes the event: it follows from all that was said up to then, so none comes after a reopening
    or a new version that its writer did not know.
    """
    while True:
        for survey in registry.surveys():
            seq = follower.seq
            if registry.is_open(survey) and registry.phase(survey, clock()) == "closed":
                event = SurveyClosed(survey, on=today(), lifts=registry.lifted.get(survey))
                try:
                    await control.publish_control_event(client, follower, event, after=seq)
                except Problem:  # another intake was first, or the stream is out of reach; `follower` logs that
                    continue
        await asyncio.sleep(CHECK_SECONDS)
