"""A survey whose time is over at once: what an older version wrote, without the days from which grace is counted."""

from __future__ import annotations

import datetime

from nats.aio.client import Client

from proto import events, subjects
from proto.events import RetentionSet, SurveyClosed


async def end_at_once(client: Client, survey: str) -> None:
    """`client` may write to the control stream. Closes the survey and has its answers deleted from today on."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    js = client.jetstream(timeout=10)
    await js.publish(subjects.closing(survey), events.encode(SurveyClosed(survey)))
    await js.publish(subjects.retention(survey), events.encode(RetentionSet(survey, today)))
