"""Writes to the control stream."""

from __future__ import annotations

import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError

from proto import events, subjects
from proto.events import ControlEvent, QuotasFilled, RetentionSet, SurveyClosed, SurveyPublished
from proto.problem import Problem
from services.runtime.nats_client import Follower

_LAST_SEQUENCE = "Nats-Expected-Last-Sequence"
_LAST_OF_SUBJECT = "Nats-Expected-Last-Subject-Sequence"


async def publish_control_event(client: Client, follower: Follower, event: ControlEvent, after: int | None = None) -> None:
    """Returns once the event is on disk and `follower` has applied it. Raises Problem ("busy") where that is unknown, or "too-large".

    `after`: the sequence of the last event that it follows from; where another one came since, it is refused ("busy").
    """
    headers = events.headers(event, events.tag(event))
    if after is not None:
        headers[_LAST_SEQUENCE] = str(after)
    if isinstance(event, SurveyPublished):  # each version once: a second writing would come after an event that closed the survey
        headers[_LAST_OF_SUBJECT] = "0"
    try:
        ack = await client.jetstream(timeout=5).publish(_subject(event), events.encode(event), headers=headers)
        await follower.reached(ack.seq)
    except nats.errors.MaxPayloadError:
        raise Problem("too-large", "The instrument does not fit into one message.") from None
    except (nats.errors.Error, APIError, TimeoutError):
        raise Problem("busy", "Please try again.", retry_after=2) from None


def _subject(event: ControlEvent) -> str:
    match event:
        case SurveyPublished():
            return subjects.survey(event.survey, event.version)
        case SurveyClosed():
            return subjects.closing(event.survey)
        case RetentionSet():
            return subjects.retention(event.survey)
        case QuotasFilled():
            return subjects.quotas(event.survey)
        case _:
            return subjects.token(event.id)
