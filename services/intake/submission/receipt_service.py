"""What a receipt opens: looking up, changing and withdrawing one's own response."""

from __future__ import annotations

from typing import Literal

import msgspec

from proto import receipt as receipts
from proto.events import ResponseReplaced, ResponseSubmitted, ResponseWithdrawn
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.drafts import drafts, save_draft
from services.intake.streams.journal import OutOfReach, Written, entry
from services.intake.submission.committer import Busy, Outcome
from services.intake.submission.submit import RETRY_AFTER, find
from services.intake.submission.validation import accept_as

TRIES = 20
"""How often somebody may lose against another change of the same response before hearing that we are busy."""


DELETED = "Check the letters. Or it belonged to answers that are deleted because their time was over: then it opens nothing any more."


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a response is. Nothing but its survey is left of a withdrawn one."""

    status: Literal["accepted", "recorded", "withdrawn"]
    survey: str
    version: str | None = None
    digest: str | None = None


async def look_up(intake: Intake, receipt: str, survey: str = "*") -> State | Problem:
    """With a survey, a receipt of any other is unknown: the journal is asked for this survey alone, so it takes as long, too."""
    try:
        found = await _find(intake, receipt, survey)
        return found if isinstance(found, Problem) else await _state(intake, found)
    except OutOfReach:
        return _busy()


async def stored(intake: Intake, receipt: str, survey: str) -> ResponseSubmitted | ResponseReplaced | Problem:
    """The last event that carries answers under this receipt, for their author to check or to change."""
    try:
        found = await _find(intake, receipt, survey)
    except OutOfReach:
        return _busy()
    if isinstance(found, Problem):
        return found
    return Problem("withdrawn") if isinstance(found.event, ResponseWithdrawn) else found.event


async def replace(intake: Intake, receipt: str, body: bytes, survey: str = "*") -> State | Problem:
    """Puts the answers in this body in place of the earlier ones, while the survey is open."""
    for _ in range(TRIES):
        try:
            found = await _find(intake, receipt, survey)
            if isinstance(found, Problem):
                return found
            if isinstance(found.event, ResponseWithdrawn):
                return Problem("withdrawn")
            known = intake.catalogue.surveys.get(found.event.survey)
            if known is None or not intake.registry.is_open(known.id):
                return Problem("survey-closed")
            event = accept_as(ResponseReplaced, known, body, found.event.id, intake.latest_today())
            if isinstance(event, list):
                return Problem("answers-refused", errors=tuple(event))
            if event.digest == found.event.digest:
                return await _state(intake, found)
            if await intake.committer.commit(entry(event, after=found.seq)) is Outcome.WRITTEN:
                return State(status="accepted", survey=known.id, version=event.version, digest=event.digest)
        except Problem as unreadable:
            return unreadable
        except (Busy, OutOfReach):
            return _busy()
    return _busy()


async def withdraw(intake: Intake, receipt: str, survey: str = "*") -> State | Problem:
    """Takes the response back, also after the survey closed. Once this returns, that it is withdrawn is on disk."""
    for _ in range(TRIES):
        try:
            found = await _find(intake, receipt, survey)
            if isinstance(found, Problem):
                return found
            withdrawn = State(status="withdrawn", survey=found.event.survey)
            if isinstance(found.event, ResponseWithdrawn):
                return withdrawn
            event = ResponseWithdrawn(found.event.id, found.event.survey)
            if await intake.committer.commit(entry(event, after=found.seq)) is Outcome.WRITTEN:
                await save_draft.forget(intake, found.event.survey, drafts.code_of(receipt))  # a change that was saved and not sent
                return withdrawn
        except (Busy, OutOfReach):
            return _busy()
    return _busy()


async def _find(intake: Intake, receipt: str, survey: str = "*") -> Written | Problem:
    """What shows by itself is told without asking the journal.

    Of deleted answers nothing is left to tell whose they were. So in a survey whose time is over, every receipt that could be one of
    its own is told that; asked for in any survey, it is unknown.
    """
    mistake = receipts.mistake(receipt)
    if mistake is None or not mistake.certain:
        found = await find(intake, receipts.response_id(receipt), survey)
        if found is not None:
            return found
    if mistake is not None:
        return Problem("receipt-mistyped", "Compare it with your copy, group by group.")
    if intake.registry.over(survey, intake.today()):
        return Problem("answers-deleted", extra={"on": intake.registry.deletion_day(survey)})
    over = survey == "*" and any(intake.registry.over(each, intake.today()) for each in intake.registry.retention)
    return Problem("receipt-unknown", DELETED if over else "Check the letters; a receipt is shown once, when a response is sent.")


def _busy() -> Problem:
    return Problem("busy", "Please send the same again.", retry_after=RETRY_AFTER)


async def _state(intake: Intake, found: Written) -> State:
    event = found.event
    if isinstance(event, ResponseWithdrawn):
        return State(status="withdrawn", survey=event.survey)
    status = "recorded" if await intake.journal.recorded(found) else "accepted"
    return State(status=status, survey=event.survey, version=event.version, digest=event.digest)
