"""Stores the invitation data of each survey, on a stream that only intake reads.

*Claim.* The stored data shows which codes exist and which tickets are spent, but not when or in which order, except between two copies
taken at different times. *Argument.* Each part is one message with one time, previous records are overwritten, and every ten minutes each
part is rewritten unchanged, so its time is not that of a change. `services.intake.streams.cas_store` says what this does not reach.
"""

from __future__ import annotations

from typing import Literal

from nats.aio.client import Client

from proto import subjects
from services.intake.streams.cas_store import CasStore, Record

Part = Literal["key", "marks", "spent", "codes", "used"]
PARTS: tuple[Part, ...] = ("key", "marks", "spent", "codes", "used")
"""`key`: the secret key. `marks`: the codes by name, each with the mark of the number signed for it. `spent`: the used tickets.
`codes` and `used` come from release 0.1.0: codes without a mark, and codes that were exchanged then."""


class InvitationStore:
    def __init__(self, client: Client) -> None:
        self._parts = CasStore(client, subjects.INVITATIONS)

    async def read(self, survey: str, part: Part) -> Record:
        """The stored record of one part. Raises StreamOutOfReach."""
        return await self._parts.read(subjects.invitations(survey, part))

    async def write(self, survey: str, part: Part, data: bytes, after: int) -> int:
        """Replaces the record that has the sequence `after`. Returns the new sequence. Raises Overtaken or StreamOutOfReach."""
        return await self._parts.write(subjects.invitations(survey, part), data, after)

    async def erase(self, survey: str) -> None:
        """Erases all parts. Raises StreamOutOfReach."""
        for part in PARTS:
            await self._parts.erase(subjects.invitations(survey, part))
