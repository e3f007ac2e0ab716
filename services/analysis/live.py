"""The last published snapshots in memory, and those who listen for the next ones."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

import msgspec
from nats.js.api import RawStreamMsg

from proto import snapshot as snapshots
from proto.snapshot import Snapshot

log = logging.getLogger(__name__)

WAITING = 8
"""Snapshots that may wait for a slow reader. After that it is dropped; it comes back by itself and gets the current one."""


@dataclass(frozen=True)
class Edition:
    """A published snapshot with the bytes that everybody shares."""

    snapshot: Snapshot
    body: bytes
    frame: bytes
    """The same as one Server-Sent Event."""

    @property
    def etag(self) -> str:
        return f'"{self.snapshot.revision}"'

    @classmethod
    def of(cls, snapshot: Snapshot) -> Edition:
        body = snapshots.encode(snapshot)
        return cls(snapshot, body, b"event: snapshot\nid: %d\ndata: %b\n\n" % (snapshot.revision, body))


@dataclass(eq=False)
class Listener:
    """One open connection. `queue` ends with None when the reader was too slow, or the service stops."""

    queue: asyncio.Queue[Edition | None] = field(default_factory=lambda: asyncio.Queue(WAITING + 1))

    def offer(self, edition: Edition) -> bool:
        """Whether the reader keeps up."""
        if self.queue.qsize() < WAITING:
            self.queue.put_nowait(edition)
            return True
        self.end()
        return False

    def end(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Board:
    """What the gateway knows: one edition per survey, listeners per survey. `handle` takes messages of the stream AGGREGATES."""

    def __init__(self) -> None:
        self.editions: dict[str, Edition] = {}
        self.dropped = 0
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
        listeners = self._listeners.get(snapshot.survey, set())
        slow = {listener for listener in listeners if not listener.offer(edition)}
        listeners -= slow
        self.dropped += len(slow)

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
