"""The last published snapshots in memory, and those who listen for the next ones."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cached_property

import msgspec
from nats.js.api import RawStreamMsg

from proto import snapshot as snapshots
from proto.snapshot import Snapshot
from services.analysis.gateway.http_body import Encoded, block

log = logging.getLogger(__name__)

HURRY = 0.5
"""Seconds that a write may still take once its connection is to end."""


@dataclass(frozen=True)
class Event:
    """One Server-Sent Event, as it is and inside a gzip stream."""

    plain: bytes

    @cached_property
    def zipped(self) -> bytes:
        return block(self.plain)

    @classmethod
    def of(cls, revision: int, data: bytes) -> Event:
        return cls(b"event: snapshot\nid: %d\ndata: %b\n\n" % (revision, data))


@dataclass(frozen=True)
class Edition:
    """A published snapshot with the bytes that everybody shares."""

    snapshot: Snapshot
    body: Encoded
    whole: Event
    notice: Event
    """That there is a new edition, for pages that fetch it as they need it."""

    @property
    def etag(self) -> str:
        return self.body.tag

    @classmethod
    def of(cls, snapshot: Snapshot) -> Edition:
        body = snapshots.encode(snapshot)
        notice = {"survey": snapshot.survey, "revision": snapshot.revision, "as_of": snapshot.as_of, "responses": snapshot.responses}
        events = (Event.of(snapshot.revision, data) for data in (body, msgspec.json.encode(notice)))
        return cls(snapshot, Encoded(body, f'"{snapshot.revision}"'), *events)


class Listener:
    """One open connection. Of editions that come while it is being written to, only the newest waits: each is a whole picture."""

    __slots__ = ("_moved", "_newest", "ended", "writing")

    def __init__(self) -> None:
        self._moved = asyncio.Event()
        self._newest: Edition | None = None
        self.ended = False
        self.writing: asyncio.Timeout | None = None
        """The deadline of what is being written."""

    def offer(self, edition: Edition) -> None:
        self._newest = edition
        self._moved.set()

    def end(self) -> None:
        self.ended = True
        self._moved.set()
        if self.writing is not None:
            self.writing.reschedule(asyncio.get_running_loop().time() + HURRY)

    async def next(self, seconds: float) -> Edition | None:
        """The newest edition that it has not had; None after so many seconds without one, and at the end."""
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return None
        found, self._newest = self._newest, None
        if not self.ended:
            self._moved.clear()
        return found


class Board:
    """What the gateway knows: one edition per survey, listeners per survey. `handle` takes messages of the stream AGGREGATES."""

    def __init__(self) -> None:
        self.editions: dict[str, Edition] = {}
        self.dropped = 0
        """Connections that were ended because nobody read."""
        self._listeners: dict[str, set[Listener]] = {}
        self._decoder = msgspec.json.Decoder(Snapshot)

    def handle(self, message: RawStreamMsg) -> None:
        try:
            snapshot = self._decoder.decode(message.data or b"")
        except msgspec.MsgspecError:
            log.error("snapshot %s of the stream is unreadable and was passed over", message.seq)
            return
        self.post(snapshot)

    def post(self, snapshot: Snapshot) -> None:
        """Replaces the survey's edition and tells everybody who listens."""
        edition = self.editions[snapshot.survey] = Edition.of(snapshot)
        for listener in self._listeners.get(snapshot.survey, ()):
            listener.offer(edition)

    def listen(self, survey: str) -> Listener:
        listener = Listener()
        self._listeners.setdefault(survey, set()).add(listener)
        return listener

    def leave(self, survey: str, listener: Listener) -> None:
        self._listeners.get(survey, set()).discard(listener)

    def let_go(self) -> None:
        """Ends every open stream, so that the service can stop; readers come back by themselves."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()

    @property
    def listening(self) -> int:
        return sum(len(listeners) for listeners in self._listeners.values())
