"""Lets each invitation ticket send one response: a sender claims the ticket for a response id before writing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from proto import invitation, receipt
from proto.problem import Problem
from services.intake.invitations.invitations import Invitations
from services.intake.invitations.spent_tickets import SPENT
from services.intake.streams.cas_store import StreamOutOfReach
from services.intake.streams.journal import MAX_IN_TRANSIT, Journal, JournalOutOfReach

RETRY_AFTER = 5
"""Seconds after which the second sender may ask again."""
TRIES = 5


class TicketClaims:
    """`clock` returns Unix time."""

    def __init__(self, invitations: Invitations, journal: Journal, clock: Callable[[], float]) -> None:
        self._invitations, self._journal, self._clock = invitations, journal, clock
        self._first_seen: dict[bytes, float] = {}
        """When this process first met a claim whose response the journal did not have, by response id."""

    async def claim(self, survey: str, token: bytes, id: str) -> Problem | None:
        """Reserves the ticket for the response with this id. Returns None, or the refusal where another response has or may get it.

        A claim without a response expires after MAX_IN_TRANSIT; then another response may take the ticket.
        Raises JournalOutOfReach where that is unknown.
        """
        spent, name, own_id = self._invitations.spent, invitation.spent_name(token), bytes.fromhex(id)
        try:
            if await self._answered_before(survey, token, id):
                return Problem("invitation-spent")
            holder = await asyncio.shield(spent.change(survey, name, None, own_id))
            for _ in range(TRIES):
                if holder == own_id:
                    self._first_seen.pop(own_id, None)  # it is in transit again
                    return None
                if holder is None:
                    break  # the data of this survey is being erased
                if holder == SPENT:
                    written = await self._journal.last(id, survey)
                    return None if written else Problem("invitation-spent")  # a repetition is answered as any other
                if await self._journal.last(holder.hex(), survey):
                    spent.change(survey, name, holder, SPENT)
                    return Problem("invitation-spent")
                if self._clock() - self._first_seen.setdefault(holder, self._clock()) < MAX_IN_TRANSIT:
                    break
                del self._first_seen[holder]
                holder = await asyncio.shield(spent.change(survey, name, holder, own_id))
        except StreamOutOfReach:
            pass
        return Problem("busy", "Please send the same again.", retry_after=RETRY_AFTER)

    def settle(self, survey: str, token: bytes, id: str) -> None:
        """Marks the ticket as spent after its response was written. Does not wait; `sweep` repeats what fails here."""
        self._invitations.spent.change(survey, invitation.spent_name(token), bytes.fromhex(id), SPENT)

    async def sweep(self, surveys: Iterable[str]) -> None:
        """Replaces the ids of responses that are in the journal by SPENT. What is out of reach now is left to the next call."""
        spent = self._invitations.spent
        for survey in surveys:
            with contextlib.suppress(StreamOutOfReach, JournalOutOfReach):
                for name, holder in await spent.read(survey):
                    if holder != SPENT and await self._journal.last(holder.hex(), survey):
                        await asyncio.shield(spent.change(survey, name, holder, SPENT))

    async def is_spent(self, survey: str, token: bytes) -> bool:
        """Whether a response was sent with this ticket. False also where a stream is out of reach: `claim` decides for certain."""
        try:
            holder = (await self._invitations.spent.read(survey)).get(invitation.spent_name(token))
            return holder == SPENT or await self._answered_before(survey, token, "")
        except (StreamOutOfReach, JournalOutOfReach):
            return False

    async def _answered_before(self, survey: str, token: bytes, id: str) -> bool:
        """Whether release 0.1.0 took another response with this ticket; there the receipt was made from the ticket."""
        if not await self._invitations.has_former(survey):
            return False
        former = receipt.response_id(invitation.former_receipt(token))
        return former != id and await self._journal.last(former, survey) is not None
