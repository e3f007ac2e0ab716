"""Broadcast of published snapshots to the open connections."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cached_property

import msgspec
from nats.js.api import RawStreamMsg

from proto import snapshot as snapshots
from proto.snapshot import Snapshot
from services.runtime.http import sse
from services.runtime.http.encoded_body import Encoded, block

log = logging.getLogger(__name__)

HURRY = 0.5
"""Seconds that a write may still take after its connection was told to end."""


@dataclass(frozen=True)
class Event:
    """One Server-Sent Event, plain and as a part of a gzip stream."""

    plain: bytes

    @cached_property
    def zipped(self) -> bytes:
        return block(self.plain)

    @classmethod
    def of(cls, revision: int, data: bytes) -> Event:
        return cls(sse.event("snapshot", data, revision))


@dataclass(frozen=True)
class BroadcastEdition:
    """A published snapshot with its encoded forms, which all connections share."""

    snapshot: Snapshot
    body: Encoded
    whole: Event
    notice: Event
    """Says only that there is a new edition, for pages that fetch it themselves."""

    @property
    def etag(self) -> str:
        return self.body.tag

    @classmethod
    def of(cls, snapshot: Snapshot) -> BroadcastEdition:
        body = snapshots.encode(snapshot)
        notice = {"survey": snapshot.survey, "revision": snapshot.revision, "as_of": snapshot.as_of, "responses": snapshot.responses}
        events = (Event.of(snapshot.revision, data) for data in (body, msgspec.json.encode(notice)))
        return cls(snapshot, Encoded(body, f'"{snapshot.revision}"'), *events)


class Listener:
    """One open connection. Of editions that come during a write only the newest is kept: each is complete in itself."""

    __slots__ = ("_moved", "_newest", "ended", "writing")

    def __init__(self) -> None:
        self._moved = asyncio.Event()
        self._newest: BroadcastEdition | None = None
        self.ended = False
        self.writing: asyncio.Timeout | None = None
        """The deadline of the write in progress."""

    def offer(self, edition: BroadcastEdition) -> None:
        self._newest = edition
        self._moved.set()

    def end(self) -> None:
        self.ended = True
        self._moved.set()
        if self.writing is not None:
            self.writing.reschedule(asyncio.get_running_loop().time() + HURRY)

    async def next(self, seconds: float) -> BroadcastEdition | None:
        """Returns the newest edition not returned before; None after so many seconds without one, and at the end."""
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return None
        newest, self._newest = self._newest, None
        if not self.ended:
            self._moved.clear()
        return newest


class Broadcaster:
    """The last edition and the listeners of each survey. `handle` takes messages of the stream AGGREGATES."""

    def __init__(self) -> None:
        self.editions: dict[str, BroadcastEdition] = {}
        self.dropped = 0
        """How many connections were ended because the client did not read."""
        self._listeners: dict[str, set[Listener]] = {}
        self._decoder = msgspec.json.Decoder(Snapshot)

    def handle(self, message: RawStreamMsg) -> None:
        try:
            snapshot = self._decoder.decode(message.data or b"")
        except msgspec.MsgspecError:
            log.error("a snapshot is unreadable and was passed over", extra={"seq": message.seq})
            return
        self.post(snapshot)

    def post(self, snapshot: Snapshot) -> None:
        """Replaces the survey's edition and offers it to all listeners."""
        edition = self.editions[snapshot.survey] = BroadcastEdition.of(snapshot)
        for listener in self._listeners.get(snapshot.survey, ()):
            listener.offer(edition)

    def listen(self, survey: str) -> Listener:
        """Returns a new listener, which is offered every later edition of the survey until `leave`."""
        listener = Listener()
        self._listeners.setdefault(survey, set()).add(listener)
        return listener

    def leave(self, survey: str, listener: Listener) -> None:
        self._listeners.get(survey, set()).discard(listener)

    def close_all(self) -> None:
        """Ends every open stream, so that the service can stop. Clients reconnect by themselves."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()

    @property
    def listening(self) -> int:
        return sum(len(listeners) for listeners in self._listeners.values())
