"""What intake keeps about invitations, in streams that nobody else reads: small wholes, each written anew and the former writing erased.

Claim: what is kept says which codes were used, and nothing about when or in which order, except between two copies taken at different
times. Each whole is one message with one time, that of its last writing. A stream with a limit would forget a former writing but leave its
bytes on disk, with their time, until the file is packed; so former writings are overwritten with random bytes here, the way a
withdrawn response is. What it does not cover: copies of the disk below the file system, and the servers of a cluster, whose
replication logs hold recent writings until they are cut (minutes).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError, NotFoundError

from proto import subjects

Part = Literal["key", "codes", "used"]
PARTS: tuple[Part, ...] = ("key", "codes", "used")
_CONFLICTS = frozenset({10071, 10164})
"""JetStream's codes for another last sequence than the expected one."""
ROTATED = 12 * 3600
"""Seconds after which a new secret is made for whoever comes without scripts. The one before it still serves; both are gone
24 hours after the newer was made."""


class Conflict(Exception):
    """Somebody else wrote since; nothing was written."""


class OutOfReach(Exception):
    """The streams did not answer; whether something was written is unknown."""


@dataclass(frozen=True)
class Kept:
    """A whole and its place in the stream; empty and 0 where there is none."""

    data: bytes = b""
    seq: int = 0


class Secrets(msgspec.Struct, frozen=True):
    """The newest first."""

    secrets: tuple[bytes, ...]
    made: int


class InvitationStore:
    def __init__(self, client: Client) -> None:
        self._js = client.jetstream(timeout=5)

    async def read(self, survey: str, part: Part) -> Kept:
        """Raises OutOfReach."""
        return await self._last(subjects.INVITATIONS, subjects.invitations(survey, part))

    async def write(self, survey: str, part: Part, data: bytes, after: int) -> int:
        """Puts `data` in place of what has the sequence `after`. Returns its own. Raises Conflict or OutOfReach."""
        subject = subjects.invitations(survey, part)
        seq = await self._publish(subject, data, after)
        await self._erase_before(subject, seq)
        return seq

    async def tidy(self, survey: str) -> None:
        """Erases what a crash between writing and erasing left behind. Raises OutOfReach."""
        for part in PARTS:
            if seq := (await self.read(survey, part)).seq:
                await self._erase_before(subjects.invitations(survey, part), seq)

    async def secrets(self, make: bytes, now: float | None = None) -> tuple[bytes, ...]:
        """What tickets for browsers without scripts are derived from, the newest first. `make` becomes one where one is due.

        They are in the memory of the message servers and nowhere else; when they are gone, nothing that was ever written tells which
        code got which ticket.
        """
        now = time.time() if now is None else now
        for _ in range(3):
            kept = await self._last(subjects.FALLBACK, subjects.FALLBACK_SECRETS)
            known = msgspec.json.decode(kept.data, type=Secrets) if kept.data else Secrets((), 0)
            if known.secrets and now - known.made < ROTATED:
                return known.secrets
            fresh = Secrets((make, *known.secrets[:1]), int(now))
            try:
                await self._publish(subjects.FALLBACK_SECRETS, msgspec.json.encode(fresh), kept.seq)
            except Conflict:
                continue
            return fresh.secrets
        raise OutOfReach

    async def _last(self, stream: str, subject: str) -> Kept:
        try:
            message = await self._js.get_last_msg(stream, subject, direct=True)
        except NotFoundError:
            return Kept()
        except (nats.errors.Error, APIError, TimeoutError) as error:
            raise OutOfReach from error
        return Kept(message.data or b"", message.seq or 0)

    async def _publish(self, subject: str, data: bytes, after: int) -> int:
        try:
            ack = await self._js.publish(subject, data, headers={"Nats-Expected-Last-Subject-Sequence": str(after)})
        except APIError as error:
            raise Conflict if error.err_code in _CONFLICTS else OutOfReach from error
        except (nats.errors.Error, TimeoutError) as error:
            raise OutOfReach from error
        return ack.seq

    async def _erase_before(self, subject: str, seq: int) -> None:
        """Overwrites every former writing, those that a crash left behind too. Where that fails, the next writing does it."""
        try:
            while True:
                oldest = await self._js.get_msg(subjects.INVITATIONS, seq=1, subject=subject, direct=True, next=True)
                if oldest.seq is None or oldest.seq >= seq or not await self._js.delete_msg(subjects.INVITATIONS, oldest.seq):
                    return
        except (nats.errors.Error, APIError, TimeoutError):
            return
