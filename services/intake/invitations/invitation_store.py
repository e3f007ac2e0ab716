"""What intake keeps about invitations, in a stream that nobody else reads.

Claim: what is kept says which codes there are and which tickets are spent, and nothing about when or in which order, except between two
copies taken at different times. Each part is one message with one time, former writings are overwritten, and every ten minutes each is
written anew as it is, so that its time is that of the clock (`services.intake.streams.cas_store` says what this does not reach).
"""

from __future__ import annotations

from typing import Literal

from nats.aio.client import Client

from proto import subjects
from services.intake.streams.cas_store import CasStore, Record

Part = Literal["key", "marks", "spent", "codes", "used"]
PARTS: tuple[Part, ...] = ("key", "marks", "spent", "codes", "used")
"""`marks`: the codes by name, each with the mark of the number that is signed for it. `codes` and `used` are of release 0.1.0: codes
without a mark, and those that were exchanged then."""


class InvitationStore:
    def __init__(self, client: Client) -> None:
        self._parts = CasStore(client, subjects.INVITATIONS)

    async def read(self, survey: str, part: Part) -> Record:
        """Raises OutOfReach."""
        return await self._parts.read(subjects.invitations(survey, part))

    async def write(self, survey: str, part: Part, data: bytes, after: int) -> int:
        """Puts `data` in place of what has the sequence `after`. Returns its own. Raises Overtaken or OutOfReach."""
        return await self._parts.write(subjects.invitations(survey, part), data, after)

    async def erase(self, survey: str) -> None:
        """Raises OutOfReach."""
        for part in PARTS:
            await self._parts.erase(subjects.invitations(survey, part))
