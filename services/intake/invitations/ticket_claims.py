"""A ticket allows one response: whoever sends with it claims it first, under a receipt of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from proto import invitation, receipt
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.invitations.spent_tickets import SPENT
from services.intake.streams.cas_store import OutOfReach
from services.intake.streams.journal import OutOfReach as JournalOutOfReach

HELD = 60
"""Seconds for which a claim stands although the journal does not know its response: longer than a submission is under way. Then whoever
made it is taken to have failed, and another page may send."""
AGAIN = 5
"""Seconds after which whoever comes second may ask again."""
TRIES = 5


async def claim(intake: Intake, survey: str, token: bytes, id: str) -> Problem | None:
    """Makes the ticket that of the response with this id. A refusal where another response has it, or may be about to.

    Raises JournalOutOfReach where that cannot be told.
    """
    spent, name, mine = intake.invitations.spent, invitation.spent_name(token), bytes.fromhex(id)
    try:
        if await _answered_before(intake, survey, token, id):
            return Problem("invitation-spent")
        standing = await asyncio.shield(spent.change(survey, name, None, mine))
        for _ in range(TRIES):
            if standing == mine:
                intake.claims_seen.pop(mine, None)  # it is on its way again
                return None
            if standing is None:
                break  # all of this survey's is being erased
            if standing == SPENT:
                known = await intake.journal.last(id, survey)
                return None if known else Problem("invitation-spent")  # a repetition is answered as any other
            if await intake.journal.last(standing.hex(), survey):
                spent.change(survey, name, standing, SPENT)
                return Problem("invitation-spent")
            if intake.clock() - intake.claims_seen.setdefault(standing, intake.clock()) < HELD:
                break
            del intake.claims_seen[standing]
            standing = await asyncio.shield(spent.change(survey, name, standing, mine))
    except OutOfReach:
        pass
    return Problem("busy", "Please send the same again.", retry_after=AGAIN)


def settle(intake: Intake, survey: str, token: bytes, id: str) -> None:
    """After the response was written. Nobody waits for it; what is not noted now is noted by `sweep`."""
    intake.invitations.spent.change(survey, invitation.spent_name(token), bytes.fromhex(id), SPENT)


async def sweep(intake: Intake, surveys: Iterable[str]) -> None:
    """Takes out the ids of responses that the journal has. What is out of reach now is done by the next round."""
    for survey in surveys:
        with contextlib.suppress(OutOfReach, JournalOutOfReach):
            for name, value in await intake.invitations.spent.read(survey):
                if value != SPENT and await intake.journal.last(value.hex(), survey):
                    await asyncio.shield(intake.invitations.spent.change(survey, name, value, SPENT))


async def is_spent(intake: Intake, survey: str, token: bytes) -> bool:
    """Whether a response was sent with this ticket, as far as that can be told now: who sends hears it for certain."""
    try:
        standing = (await intake.invitations.spent.read(survey)).get(invitation.spent_name(token))
        return standing == SPENT or await _answered_before(intake, survey, token, "")
    except (OutOfReach, JournalOutOfReach):
        return False


async def _answered_before(intake: Intake, survey: str, token: bytes, id: str) -> bool:
    """Whether release 0.1.0 took another response with this ticket: its receipt was that of the ticket."""
    if not await intake.invitations.has_former(survey):
        return False
    former = receipt.response_id(invitation.former_receipt(token))
    return former != id and await intake.journal.last(former, survey) is not None
