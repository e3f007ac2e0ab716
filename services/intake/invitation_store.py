"""What intake keeps about invitations, in streams that nobody else reads.

Claim: what is kept says which codes were used, and nothing about when or in which order, except between two copies taken at different
times. Each part is one message with one time, former writings are overwritten, and every ten minutes each is written anew as it is,
so that its time is that of the clock (`services.intake.wholes` says what this does not reach).
"""

from __future__ import annotations

import time
from typing import Literal

import msgspec
from nats.aio.client import Client

from proto import subjects
from services.intake.wholes import OutOfReach, Overtaken, Whole, Wholes

Part = Literal["key", "codes", "used"]
PARTS: tuple[Part, ...] = ("key", "codes", "used")
ROTATED = 12 * 3600
"""Seconds after which a new secret is made for whoever comes without scripts. The one before it still serves; both are gone
24 hours after the newer was made."""


class Secrets(msgspec.Struct, frozen=True):
    """The newest first."""

    secrets: tuple[bytes, ...]
    made: int


class InvitationStore:
    def __init__(self, client: Client) -> None:
        self._parts = Wholes(client, subjects.INVITATIONS)
        self._memory = Wholes(client, subjects.FALLBACK, erasing=False)

    async def read(self, survey: str, part: Part) -> Whole:
        """Raises OutOfReach."""
        return await self._parts.read(subjects.invitations(survey, part))

    async def write(self, survey: str, part: Part, data: bytes, after: int) -> int:
        """Puts `data` in place of what has the sequence `after`. Returns its own. Raises Overtaken or OutOfReach."""
        return await self._parts.write(subjects.invitations(survey, part), data, after)

    async def erase(self, survey: str) -> None:
        """Raises OutOfReach."""
        for part in PARTS:
            await self._parts.erase(subjects.invitations(survey, part))

    async def secrets(self, make: bytes, now: float | None = None) -> tuple[bytes, ...]:
        """What tickets for browsers without scripts are derived from, the newest first. Where one is due, it is `make`.

        They are in the memory of the message servers and nowhere else; when they are gone, nothing that was ever written tells which
        code got which ticket.
        """
        now = time.time() if now is None else now
        for _ in range(3):
            whole = await self._memory.read(subjects.FALLBACK_SECRETS)
            known = msgspec.json.decode(whole.data, type=Secrets) if whole.data else Secrets((), 0)
            if known.secrets and now - known.made < ROTATED:
                return known.secrets
            fresh = Secrets((make, *known.secrets[:1]), int(now))
            try:
                await self._memory.write(subjects.FALLBACK_SECRETS, msgspec.json.encode(fresh), whole.seq)
            except Overtaken:
                continue
            return fresh.secrets
        raise OutOfReach
