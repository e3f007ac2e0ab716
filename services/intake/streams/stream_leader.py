"""Asks the leader of a stream whether it holds a message. Nothing that was acknowledged is called unknown without this answer.

*Claim.* `holds` returns False only if no message with this subject was acknowledged to anybody before it was called.
*Argument.* A leader that lost the others does not notice for seconds, while they elect another one and go on. So an answer counts once
a majority of the servers confirmed this leader after the question was asked: they had elected no other before that moment, and what
this leader acknowledged itself it holds. Servers confirm their leader with whatever they receive from it, at least once a second.
*Assumes* that clocks of the servers and of this process run equally fast, not that they agree.

It needs permission for `$JS.API.STREAM.INFO` of the stream, which lists subjects and reads no message.
"""

from __future__ import annotations

import asyncio
import time

import msgspec
import nats.errors
from nats.aio.client import Client

PATIENCE = 4.0
"""Seconds in which a leader must be found and confirmed. An election takes longer."""
ATTEMPT = 1.0
HEARTBEAT = 1.0
"""Seconds between a leader's heartbeats."""
SHORTEST = 0.03
"""Least seconds between two questions."""


class LeaderOutOfReach(Exception):
    """No server that is certainly the leader answered."""


class _Peer(msgspec.Struct):
    name: str = ""
    active: int = 0
    """Nanoseconds since it was heard; 0 also if never."""


class _Cluster(msgspec.Struct):
    leader: str = ""
    replicas: list[_Peer] = []


class _State(msgspec.Struct):
    subjects: dict[str, int] = {}


class Answer(msgspec.Struct):
    """One server's view of the stream. A server that is not the leader lists the leader among the replicas, or names none."""

    state: _State | None = None
    cluster: _Cluster | None = None

    @property
    def found(self) -> bool:
        return self.state is not None and bool(self.state.subjects)

    @property
    def confirmed(self) -> float | None:
        """Seconds since a majority (itself included) confirmed it as the leader. None where it is not the leader, or not confirmed."""
        if self.state is None:
            return None
        others = self.cluster.replicas if self.cluster else []
        if not others:
            return 0.0
        assert self.cluster is not None
        if not self.cluster.leader or self.cluster.leader in {peer.name for peer in others}:
            return None
        heard = sorted(peer.active / 1e9 for peer in others if peer.active)
        needed = (len(others) + 1) // 2
        return heard[needed - 1] if len(heard) >= needed else None


_answer = msgspec.json.Decoder(Answer)


class StreamLeader:
    def __init__(self, client: Client, stream: str) -> None:
        self._client, self._subject = client, f"$JS.API.STREAM.INFO.{stream}"

    async def holds(self, subject: str) -> bool:
        """Whether a message with this subject is in the stream; wildcards are allowed. Raises LeaderOutOfReach."""
        asked = msgspec.json.encode({"subjects_filter": subject})
        begun = time.monotonic()
        while (now := time.monotonic()) - begun < PATIENCE:
            answer = await self._ask(asked)
            if answer.found:
                return True
            confirmed = answer.confirmed
            if confirmed is not None and confirmed <= now - begun:
                return False
            await asyncio.sleep(HEARTBEAT / 4 if confirmed is None else min(HEARTBEAT, max(SHORTEST, HEARTBEAT - confirmed + SHORTEST)))
        raise LeaderOutOfReach

    async def confirmed(self) -> bool:
        """Whether there is a leader that a majority confirmed within the last three heartbeats."""
        try:
            confirmed = (await self._ask(b"")).confirmed
        except LeaderOutOfReach:
            return False
        return confirmed is not None and confirmed <= 3 * HEARTBEAT

    async def _ask(self, asked: bytes) -> Answer:
        """Raises LeaderOutOfReach: only the leader answers, so no answer means that it cannot be reached."""
        try:
            return _answer.decode((await self._client.request(self._subject, asked, timeout=ATTEMPT)).data)
        except (nats.errors.Error, msgspec.MsgspecError, TimeoutError) as error:
            raise LeaderOutOfReach from error
