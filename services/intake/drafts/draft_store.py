"""Stores encrypted records on the stream DRAFTS, where they expire: a message for each draft or claim."""

from __future__ import annotations

import asyncio
import logging

from nats.aio.client import Client
from nats.js.errors import APIError, Error, NotFoundError

from proto import subjects
from services.intake.streams.cas_store import CONFLICTS, Overtaken
from services.intake.streams.replica_reads import BEHIND, Behind, certain, hedged
from services.intake.streams.stalled_server import StalledServerWatch
from services.intake.streams.stream_leader import LeaderOutOfReach, StreamLeader
from services.runtime.outage_kind import OutageKind, Unavailable, outage_kind
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

ATTEMPT = 2.0
"""Seconds within which the stream must have answered."""
TRIES = 5


class NotNow(Exception):
    """Drafts cannot be saved or read at the moment: the stream is full or does not answer."""


class Full(NotNow):
    """The stream is full."""


class DraftStore:
    """Handles ids and encrypted bytes, never a code or the content. `days`: how long a draft is kept."""

    def __init__(self, client: Client, days: int) -> None:
        self.days = days
        self._js = client.jetstream(timeout=ATTEMPT)
        self._outages = Outages(log, "saving drafts")
        self._pulse, self._leader = StalledServerWatch(client), StreamLeader(client, subjects.DRAFTS)

    async def put(self, id: str, sealed: bytes, seconds: int) -> None:
        """Replaces the draft with this id; it expires after `seconds`. Returns once it is on disk. Raises NotNow."""
        try:
            await self._js.publish(subjects.draft(id), sealed, stream=subjects.DRAFTS, msg_ttl=seconds)
        except Unavailable as error:
            self._outages.failed(error)
            raise NotNow from error
        self._outages.works()

    async def claim(self, id: str, sealed: bytes, seconds: int, after: int) -> None:
        """The same, only where the last message has the sequence `after` (0: none). Raises Overtaken, Full or NotNow."""
        only = {"Nats-Expected-Last-Subject-Sequence": str(after)}
        try:
            await self._js.publish(subjects.draft(id), sealed, stream=subjects.DRAFTS, headers=only, msg_ttl=seconds)
        except Unavailable as error:
            if isinstance(error, APIError) and error.err_code in CONFLICTS:
                raise Overtaken from error
            raise Full if outage_kind(error) is OutageKind.FULL else NotNow from error

    async def get(self, id: str) -> bytes | None:
        """The encrypted bytes; None where there is certainly no such draft. Raises NotNow."""
        stored = await self.read(id)
        return None if stored is None else stored[1]

    async def delete(self, id: str) -> bool:
        """Overwrites it on disk. False where there was none. Raises NotNow."""
        stored = await self.read(id)
        for _ in range(TRIES):
            if stored is None:
                return False
            if await self._erase(stored[0]):
                return True
            await asyncio.sleep(BEHIND)  # it was saved again in between, or a replica is a moment behind
            stored = await self.read(id)
        raise NotNow

    async def read(self, id: str) -> tuple[int, bytes] | None:
        """Sequence and encrypted bytes; None where there is certainly no such message. Raises NotNow."""
        subject = subjects.draft(id)
        try:
            return await certain(lambda: hedged(lambda: self._answered(subject), self._pulse.doubt), lambda: self._leader.holds(subject))
        except (*Unavailable, LeaderOutOfReach, Behind) as error:
            raise NotNow from error

    async def _answered(self, subject: str) -> tuple[int, bytes] | None:
        try:
            message = await self._js.get_last_msg(subjects.DRAFTS, subject, direct=True)
        except NotFoundError:
            return None
        return message.seq or 0, message.data or b""

    async def _erase(self, seq: int) -> bool:
        try:
            return await self._js.delete_msg(subjects.DRAFTS, seq)
        except Error:
            return False
        except Unavailable as error:
            raise NotNow from error
