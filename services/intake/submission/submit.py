"""Submitting a response: the way that API and form share."""

from __future__ import annotations

import msgspec

from proto import receipt as receipts
from proto.events import ResponseWithdrawn
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.invitations import ticket_claims
from services.intake.streams.journal import OutOfReach, Written, entry
from services.intake.submission.committer import Busy, Outcome
from services.intake.submission.validation import Accepted, accept

RETRY_AFTER = 2
"""Seconds after which a client may try again."""
NOT_KNOWN = "Whether it was stored is not known."
NOT_BY_THIS = "This request stored nothing; one sent before with the same receipt may have."
"""Of a receipt that the client chose, another intake may know more."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the respondent hears. `new` is False where the same response was there already."""

    receipt: str
    status: str
    survey: str
    version: str
    digest: str
    new: bool = True


async def submit(intake: Intake, survey: str, body: bytes, key: str | None, ticket: str | None = "") -> Kept | Problem:
    """Takes the response in this body under the receipt `key`, or under a new one. A response that is returned is on disk.

    Where a survey is answered by invitation, each ticket allows one response. None is an organiser's, who needs none.
    """
    known = intake.catalogue.surveys.get(survey)
    if known is None or not known.invited or ticket is None:
        return await _submit(intake, survey, body, key)
    mine = await intake.invitations.check(survey, ticket)
    if isinstance(mine, Problem):
        return mine
    outcome = await _submit(intake, survey, body, key, mine.token)
    return Problem("invitation-spent") if isinstance(outcome, Problem) and outcome.code == "withdrawn" else outcome


async def _submit(intake: Intake, survey: str, body: bytes, key: str | None, token: bytes | None = None) -> Kept | Problem:
    """`token`: of the ticket that allows it, where one is needed."""
    if key is not None and not receipts.acceptable(key):
        return Problem("receipt-unfit", "Send 22 to 128 letters, digits, - or _ that nobody can guess, or leave the header out.")
    known = intake.catalogue.surveys.get(survey)
    if known is None:
        return Problem("survey-unknown")
    receipt = key or receipts.make()
    id = receipts.response_id(receipt)
    try:
        accepted = accept(known, body, receipt, id, intake.latest_today())
    except Problem as unreadable:
        return unreadable
    if isinstance(accepted, list):
        return Problem("answers-refused", errors=tuple(accepted))
    try:
        if not intake.registry.is_open(survey):
            # Somebody whose answer got lost may ask again after the end; nothing new is taken.
            found = await find(intake, id) if key else None
            return Problem("survey-closed") if found is None else await _compare(intake, accepted, found)
        if token is not None and (refused := await ticket_claims.claim(intake, survey, token, id)):
            return busy(receipt, NOT_BY_THIS) if refused.code == "busy" else refused
        outcome = await intake.committer.commit(entry(accepted.event))
        found = None if outcome is Outcome.WRITTEN else await find(intake, id)
        if token is not None and (found or outcome is Outcome.WRITTEN):
            ticket_claims.settle(intake, survey, token, id)
        if outcome is Outcome.WRITTEN:
            return _kept(accepted)
        return await _compare(intake, accepted, found, new=outcome is Outcome.PERHAPS)
    except Busy:
        return busy(receipt, "Nothing was stored." if key is None else NOT_BY_THIS)
    except OutOfReach:
        return busy(receipt, NOT_KNOWN)


async def find(intake: Intake, id: str, survey: str = "*") -> Written | None:
    """The last event about a response, in this survey or in any. None where there is certainly none. Raises OutOfReach."""
    return await intake.journal.last(id, survey)


def busy(receipt: str, known: str) -> Problem:
    """The receipt goes back with it, so that sending the same again can never count twice."""
    advice = f"{known} Please send the same again, with this receipt as Idempotency-Key: however often it is sent, it counts once."
    return Problem("busy", advice, retry_after=RETRY_AFTER, extra={"receipt": receipt})


async def _compare(intake: Intake, accepted: Accepted, found: Written | None, *, new: bool = False) -> Kept | Problem:
    """The answer to a receipt that the journal knows: the same again, or a refusal."""
    if found is None:
        return busy(accepted.receipt, NOT_KNOWN)
    if isinstance(found.event, ResponseWithdrawn):
        return Problem("withdrawn")
    if found.event.digest != accepted.event.digest:
        return Problem("receipt-in-use", "To change the answers, send them with PUT to the receipt's address.")
    return _kept(accepted, "recorded" if await intake.journal.recorded(found) else "accepted", new=new)


def _kept(accepted: Accepted, status: str = "accepted", *, new: bool = True) -> Kept:
    event = accepted.event
    return Kept(receipt=accepted.receipt, status=status, survey=event.survey, version=event.version, digest=event.digest, new=new)
