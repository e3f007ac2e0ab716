"""Writes to the control stream: surveys, closings and tokens become true when they are on disk and known here."""

from __future__ import annotations

import nats.errors
from nats.js.errors import APIError

from proto import events, subjects
from proto.events import ControlEvent, RetentionSet, SurveyClosed, SurveyPublished
from proto.problem import Problem
from services.intake.context import Intake

_LAST_SEQUENCE = "Nats-Expected-Last-Subject-Sequence"


async def announce(intake: Intake, event: ControlEvent) -> None:
    """Returns once this process follows what was written. Raises Problem where that is unknown."""
    headers = events.headers(event, events.tag(event))
    if isinstance(event, SurveyPublished):  # once for each version: written again, it would come after what closed the survey since
        headers[_LAST_SEQUENCE] = "0"
    try:
        ack = await intake.client.jetstream(timeout=5).publish(_subject(event), events.encode(event), headers=headers)
        await intake.follower.reached(ack.seq)
    except nats.errors.MaxPayloadError:
        raise Problem("too-large", "The instrument does not fit into one message.") from None
    except (nats.errors.Error, APIError, TimeoutError):
        raise Problem("busy", "Please try again.", retry_after=2) from None
    intake.catalogue.refresh(intake.registry)


def _subject(event: ControlEvent) -> str:
    match event:
        case SurveyPublished():
            return subjects.survey(event.survey, event.version)
        case SurveyClosed():
            return subjects.closing(event.survey)
        case RetentionSet():
            return subjects.retention(event.survey)
        case _:
            return subjects.token(event.id)
