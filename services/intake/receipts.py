"""What a receipt opens: looking up, changing and withdrawing one's own response."""

from __future__ import annotations

from typing import Literal

import msgspec

from proto import receipt as receipts
from proto.events import ResponseReplaced, ResponseWithdrawn
from proto.problem import Problem
from services.intake.accept import accept_as
from services.intake.committer import Busy, Outcome
from services.intake.context import Intake
from services.intake.journal import OutOfReach, Written, entry
from services.intake.responses import RETRY_AFTER, find

TRIES = 20
"""How often somebody may lose against another change of the same response before hearing that we are busy."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a response is. Nothing but its survey is left of a withdrawn one."""

    status: Literal["accepted", "recorded", "withdrawn"]
    survey: str
    version: str | None = None
    digest: str | None = None


async def look_up(intake: Intake, receipt: str) -> State | Problem:
    try:
        found = await _find(intake, receipt)
        return _unknown() if found is None else await _state(intake, found)
    except OutOfReach:
        return _busy()


async def answers(intake: Intake, receipt: str) -> msgspec.Raw | Problem:
    """The answers under this receipt as JSON, for their author to change."""
    try:
        found = await _find(intake, receipt)
    except OutOfReach:
        return _busy()
    if found is None:
        return _unknown()
    return Problem("withdrawn") if isinstance(found.event, ResponseWithdrawn) else found.event.answers


async def replace(intake: Intake, receipt: str, body: bytes) -> State | Problem:
    """Puts the answers in this body in place of the earlier ones, while the survey is open."""
    for _ in range(TRIES):
        try:
            found = await _find(intake, receipt)
            if found is None:
                return _unknown()
            if isinstance(found.event, ResponseWithdrawn):
                return Problem("withdrawn")
            survey = found.event.survey
            known = intake.catalogue.surveys.get(survey)
            if known is None or not intake.registry.is_open(survey):
                return Problem("survey-closed")
            event = accept_as(ResponseReplaced, known, body, found.event.id, intake.today())
            if isinstance(event, list):
                return Problem("answers-refused", errors=tuple(event))
            if event.digest == found.event.digest:
                return await _state(intake, found)
            if await intake.committer.commit(entry(event, after=found.seq)) is Outcome.WRITTEN:
                return State(status="accepted", survey=survey, version=event.version, digest=event.digest)
        except Problem as unreadable:
            return unreadable
        except (Busy, OutOfReach):
            return _busy()
    return _busy()


async def withdraw(intake: Intake, receipt: str) -> State | Problem:
    """Takes the response back, also after the survey closed. Once this returns, that it is withdrawn is on disk."""
    for _ in range(TRIES):
        try:
            found = await _find(intake, receipt)
            if found is None:
                return _unknown()
            withdrawn = State(status="withdrawn", survey=found.event.survey)
            if isinstance(found.event, ResponseWithdrawn):
                return withdrawn
            event = ResponseWithdrawn(found.event.id, found.event.survey)
            if await intake.committer.commit(entry(event, after=found.seq)) is Outcome.WRITTEN:
                return withdrawn
        except (Busy, OutOfReach):
            return _busy()
    return _busy()


async def _find(intake: Intake, receipt: str) -> Written | None:
    """A receipt that could never have been one is simply unknown. One of ours may be typed with spaces."""
    typed = receipt.replace(" ", "")
    return await find(intake, receipts.response_id(typed)) if receipts.acceptable(typed) else None


def _unknown() -> Problem:
    return Problem("receipt-unknown", "Check the letters; a receipt is shown once, when a response is sent.")


def _busy() -> Problem:
    return Problem("busy", "Please send the same again.", retry_after=RETRY_AFTER)


async def _state(intake: Intake, found: Written) -> State:
    event = found.event
    if isinstance(event, ResponseWithdrawn):
        return State(status="withdrawn", survey=event.survey)
    status = "recorded" if await intake.journal.recorded(found) else "accepted"
    return State(status=status, survey=event.survey, version=event.version, digest=event.digest)
