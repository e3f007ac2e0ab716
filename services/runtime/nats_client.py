"""The rim towards NATS that every service shares: connect, and follow a stream of last words into memory."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from nats.aio.client import Client
from nats.js.api import RawStreamMsg
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from proto import subjects
from proto.events import UnreadableEvent, read_control
from proto.registry import Registry
from services.runtime.error_details import error_name, stack_of
from services.runtime.outage_kind import Unavailable
from services.runtime.outages import Outages
from services.runtime.retry import retry
from services.runtime.supervision import Supervisor

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds between looks at a followed stream; a nudge on the subject shortens the wait."""
SOON = (0.01, 0.03, 0.1)
"""Seconds between looks after a nudge that found nothing yet."""
MISSED = 3
"""Looks in a row at which the stream does not hold what was read last, until it is taken for an older one: a replica may lag."""


_DENIED = re.compile(r"(?<=permissions violation for )(publish|subscription) to \"(\$JS(\.\w+){0,4}|\w+(\.\w+)?)", re.IGNORECASE)
"""The first words of the subject alone: further on it may name a response."""


class _Client(Client):
    """Reads headers in a quarter of the time: nats-py looks at every character of every name, a fifth of what an event costs there."""

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                found[name.strip()] = value.strip()
        return found


async def connect(url: str, name: str) -> Client:
    """A connection that outlives restarts of the server. Waits until there is one.

    `url` may name several servers of a cluster, separated by commas, with the same user. Answers come to an inbox of that user's own.
    """

    async def lost() -> None:
        if not client.is_closed:
            log.warning("the connection to NATS is lost; trying again")

    async def back() -> None:
        log.warning("the connection to NATS is back")

    told: set[str] = set()

    async def failed(error: Exception) -> None:
        if (denied := _DENIED.search(str(error))) is not None:
            if denied[0] not in told:
                log.error("NATS gives no leave", extra={"subject": denied[0]})
            told.add(denied[0])
        elif isinstance(error, Unavailable):
            log.debug("NATS reports an error", extra={"error": error_name(error)})
        else:  # raised by one of our own callbacks
            log.error("a message from NATS was not handled", extra={"stack": stack_of(error)})

    async def attempt() -> None:
        nonlocal client
        client = _Client()
        await client.connect(
            url.split(","),
            name=name,
            **identity(url),
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,  # pyright: ignore[reportArgumentType]  nats-py sleeps for it, and a fraction of a second will do
            connect_timeout=3,  # a frozen server lets everybody in, and says nothing
            ping_interval=3,
            max_outstanding_pings=2,
            disconnected_cb=lost,
            reconnected_cb=back,
            error_cb=failed,
        )

    client = _Client()
    await retry(attempt, Outages(log, "connecting to NATS"), longest=1.0)
    return client


def identity(url: str) -> dict[str, Any]:
    """What nats-py is to be told of the user in an address: name and password as they are meant, and an inbox of the user's own.

    By itself it would send both as they stand in the address, %40 for @.
    """
    parts = urlsplit(url.partition(",")[0])
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    inbox = {"inbox_prefix": f"_INBOX.{user}" if user else "_INBOX"}
    return inbox | {"user": user, "password": password} if password else inbox


class Follower:
    """Reads a stream from its beginning and hands over each message in order, until the supervisor of its task is stopped.

    It asks for the next message by sequence (direct get), so there is no consumer whose state could be lost with a
    restart of the server; a subscription to the subject only tells it when to look. Needs leave for both.

    Where the server was away and came back with an older copy of the stream, or another one, its numbers mean other messages: then it
    begins anew, so `handle` must take what it had before.
    """

    def __init__(self, client: Client, stream: str, subject: str, handle: Callable[[RawStreamMsg], None]) -> None:
        self.seq = 0
        self._js: JetStreamContext = client.jetstream(timeout=2)
        self._client, self._stream, self._subject, self._handle = client, stream, subject, handle
        self._nudge = asyncio.Event()
        self._moved = asyncio.Condition()
        self._outages = Outages(log, f"reading {stream}")
        self._last: RawStreamMsg | None = None
        self._connections = client.stats["reconnects"]
        self._unsure = False
        """Whether the server was away since, so that the stream may be an older one."""
        self._missed = 0

    async def start(self, tasks: Supervisor) -> None:
        """Returns when everything that is there now has been handed over; a task goes on with what comes."""

        async def nudge(_: Any) -> None:
            self._nudge.set()

        await self._client.subscribe(self._subject, cb=nudge)
        await retry(self._read_on, self._outages)
        tasks.start(f"follow {self._stream}", self._run)

    async def reached(self, seq: int, seconds: float = 5.0) -> None:
        """Returns once the message with this sequence has been handed over. Raises TimeoutError."""
        self._nudge.set()
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(lambda: self.seq >= seq)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL):
                    await self._nudge.wait()
            except TimeoutError:
                pass
            nudged, before = self._nudge.is_set(), self.seq
            self._nudge.clear()
            await self._drain()
            await self._look_back()
            for pause in SOON if nudged else ():  # subscribers may be told before the stream has stored the message
                if self.seq > before or self._nudge.is_set():
                    break
                await asyncio.sleep(pause)
                await self._drain()

    async def _look_back(self) -> None:
        """After an outage: begins anew where the stream does not hold what was handed over last."""
        self._unsure |= self._client.stats["reconnects"] != self._connections
        if not self._unsure or self._last is None:
            return
        connections = self._client.stats["reconnects"]
        try:
            held = await self._js.get_msg(self._stream, seq=self.seq, direct=True)
        except NotFoundError:
            held = None
        except Unavailable:
            return
        self._missed = 0 if held is not None and held.time == self._last.time else self._missed + 1
        if self._missed == MISSED:
            log.warning("a stream is another one than before; reading it anew", extra={"stream": self._stream})
            self.seq, self._last, self._missed = 0, None, 0
        if self._missed == 0:
            self._unsure, self._connections = False, connections

    async def _drain(self) -> None:
        """Hands over what is new, as far as the server answers."""
        try:
            await self._read_on()
        except Unavailable as error:
            self._outages.failed(error)
            self._unsure = True
        else:
            self._outages.works()

    async def _read_on(self) -> None:
        """Hands over what is new. Raises one of `Unavailable`."""
        while True:
            try:
                message = await self._js.get_msg(self._stream, seq=self.seq + 1, subject=self._subject, direct=True, next=True)
            except NotFoundError:
                return
            self._handle(message)
            async with self._moved:
                self.seq, self._last = message.seq or self.seq, message
                self._moved.notify_all()


async def follow_control(
    client: Client, registry: Registry, tasks: Supervisor, changed: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> Follower:
    """Keeps the registry up to date with the control stream. `changed` is called, in its own task, after each event."""

    def handle(message: RawStreamMsg) -> None:
        try:
            registry.apply(read_control(message.data or b""))
        except (UnreadableEvent, msgspec.ValidationError):
            log.error("a control event is unreadable and was passed over", extra={"seq": message.seq})
            return
        if changed is not None:
            tasks.spawn("taking over a change of the surveys", changed())

    follower = Follower(client, subjects.CONTROL, "platea.control.>", handle)
    await follower.start(tasks)
    return follower
