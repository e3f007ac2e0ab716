"""The journal in JetStream as analysis reads it: in order, without gaps, acknowledged batch by batch."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from proto import subjects
from services.runtime import stream_settings, withheld
from services.runtime.outages import Outages
from services.runtime.retry import retry

log = logging.getLogger(__name__)

PULL = 5.0
"""Seconds for which a request for events stays open at the server."""
GATHER = 0.15
"""Seconds for a batch to grow after its first event: one flush to disk then serves many events."""

_NOBODY_SERVES = frozenset({"409", "503"})
"""The server's status for a consumer that was deleted, and for one that does not exist or has no leader."""


class Gap(Exception):
    """The next event is not the expected one: an event was lost on the way, or delivered before."""


class JournalMessage(NamedTuple):
    """One event as the journal holds it, not decoded."""

    seq: int
    subject: str
    data: bytes
    reply: str


@dataclass(frozen=True)
class Backlog:
    """The events of a partition that are not recorded. `since`: when the oldest of them was stored, in seconds since 1970."""

    events: int
    since: float | None = None


class JournalConsumer:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream(timeout=5)

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    async def partitions(self) -> int:
        """Returns into how many partitions the server divides the journal. Waits until it answers."""
        journal = await retry(lambda: self._js.stream_info(subjects.RESPONSES), Outages(log, "asking for the journal's partitions"))
        return stream_settings.partitions_of(journal.config)

    async def backlog(self, partition: int) -> Backlog | None:
        """Returns what is not recorded of this partition; None while its consumer is created again. Raises one of `Unavailable`."""
        try:
            info = await self._js.consumer_info(subjects.RESPONSES, subjects.durable(partition))
        except NotFoundError:
            return None
        events = (info.num_pending or 0) + (info.num_ack_pending or 0)
        return Backlog(events, await self._arrived(partition, info.ack_floor.stream_seq if info.ack_floor else 0) if events else None)

    async def _arrived(self, partition: int, after: int) -> float | None:
        """Returns when the first event of the partition after this sequence was stored, in seconds since 1970."""
        try:
            message = await self._js.get_msg(
                subjects.RESPONSES, seq=after + 1, subject=subjects.journalled_in(partition), direct=True, next=True
            )
        except NotFoundError:
            return None
        return message.time.timestamp() if message.time else None

    async def end(self, partition: int) -> int:
        """Returns the sequence of the partition's last event; 0 where there is none. Raises one of `Unavailable`."""
        try:
            return (await self._js.get_last_msg(subjects.RESPONSES, subjects.journalled_in(partition), direct=True)).seq or 0
        except NotFoundError:
            return 0

    async def last(self) -> int:
        return (await self.standing())[1]

    async def standing(self) -> tuple[str | None, int]:
        """Returns the id that provisioning gave the journal, and the sequence of its last event."""
        info = await self._js.stream_info(subjects.RESPONSES)
        return (info.config.metadata or {}).get(subjects.JOURNAL_ID), info.state.last_seq

    async def knows(self, id: str, seq: int) -> bool:
        """Returns whether the journal holds an event of this response under this sequence, or a later one."""
        try:
            message = await self._js.get_msg(subjects.RESPONSES, seq, direct=True)
            if (message.subject or "").endswith(f".{id}"):
                return True
        except NotFoundError:
            pass
        try:
            return ((await self._js.get_last_msg(subjects.RESPONSES, subjects.journalled(id), direct=True)).seq or 0) > seq
        except NotFoundError:
            return False

    async def erase(self, seq: int) -> None:
        """Deletes a message and overwrites it. Does nothing for a message that is gone already.

        The server answers that with a failure, so a failure is believed only while the message is still there.
        """
        try:
            await self._js.delete_msg(subjects.RESPONSES, seq)
        except APIError:
            if await self._holds(seq):
                raise

    async def _holds(self, seq: int) -> bool:
        try:
            await self._js.get_msg(subjects.RESPONSES, seq, direct=True)
        except NotFoundError:
            return False
        return True

    async def read(self, seq: int) -> JournalMessage | None:
        """Returns an event by its sequence; None where it is gone. Asks the leader, because a replica may be behind."""
        try:
            message = await self._js.get_msg(subjects.RESPONSES, seq)
        except NotFoundError:
            return None
        return JournalMessage(seq, message.subject or "", message.data or b"", "")

    async def day(self, seq: int) -> str | None:
        """Returns the day (UTC, ISO) on which this event was stored; None where it is gone. Raises one of `Unavailable`."""
        try:
            message = await self._js.get_msg(subjects.RESPONSES, seq, direct=True)
        except NotFoundError:
            return None
        return message.time.astimezone(datetime.UTC).date().isoformat() if message.time else None

    async def feed(self, partition: int, position: int, unread: Iterable[int] = ()) -> Feed:
        """Returns the events of a partition after this position. `unread`: sequences up to there that are not recorded."""
        feed = Feed(self._client, self._js, partition)
        await feed.start(position, unread)
        return feed


class Feed:
    """The events of one partition, each once and in order, by the server's numbers of deliveries.

    With AckPolicy ALL an acknowledgement covers every event before it, so an event that reached nobody (a worker died, a connection was
    lost) must never be skipped. The server numbers deliveries without gaps. When a number is not the next one, the consumer is created
    again from the position in the store, which is authoritative.
    """

    def __init__(self, client: Client, js: JetStreamContext, partition: int) -> None:
        self._client, self._js, self._partition = client, js, partition
        self._arrived: deque[Any] = deque()
        self._something = asyncio.Event()
        self._wanted = 0
        self._asked_until = 0.0
        self._next = 1
        self._connections = 0
        self._unserved = False
        self._inbox: Any = None
        self._withheld: str | None = None

    async def start(self, position: int, unread: Iterable[int]) -> None:
        """Raises one of `Unavailable`."""
        self._connections = self._client.stats["reconnects"]
        info = await self._consumer()
        if info is None or info.num_ack_pending or info.delivered is None or info.delivered.stream_seq != position:
            info = await self._rewind(position, unread)
        self._withheld = (info.config.metadata or {}).get(withheld.KEY)
        await self.withhold(unread)
        self._next = (info.delivered.consumer_seq if info.delivered else 0) + 1
        inbox = self._client.new_inbox()
        self._inbox = await self._client.subscribe(inbox, cb=self._arrive)
        self._reply = inbox

    async def stop(self) -> None:
        if self._inbox is not None and not self._client.is_closed:
            await self._inbox.unsubscribe()

    async def take(self, most: int, wait: float) -> list[JournalMessage]:
        """Returns at most `most` events; an empty list after `wait` seconds without any. Raises Gap.

        A reconnection raises Gap too: the server may have come back with fewer events, or without the stream and its consumer.
        """
        if self._unserved or self._client.stats["reconnects"] != self._connections:
            raise Gap
        await self._ask(most)
        if not self._arrived:
            self._something.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._something.wait()
            except TimeoutError:
                return []
        if len(self._arrived) < most:
            await asyncio.sleep(GATHER)
        return [self._entry(self._arrived.popleft()) for _ in range(min(most, len(self._arrived)))]

    async def withhold(self, unread: Iterable[int]) -> None:
        """Writes these sequences where intake reads how far events are recorded. Raises one of `Unavailable`.

        Called before they are acknowledged, so that intake never reports one of them as recorded.
        """
        wanted = withheld.written(unread)
        if wanted != self._withheld:
            info = await self._js.consumer_info(subjects.RESPONSES, subjects.durable(self._partition))
            metadata = (info.config.metadata or {}) | {withheld.KEY: wanted}
            await self._js.add_consumer(subjects.RESPONSES, replace(info.config, metadata=metadata))
            self._withheld = wanted

    async def acknowledge(self, entries: Sequence[JournalMessage]) -> None:
        """Acknowledges everything up to the last of these. Raises one of `Unavailable`; a later call then covers these too."""
        await self._client.request(max(entries).reply, b"+ACK", timeout=5)

    async def _consumer(self) -> ConsumerInfo | None:
        try:
            return await self._js.consumer_info(subjects.RESPONSES, subjects.durable(self._partition))
        except NotFoundError:
            return None

    async def _rewind(self, position: int, unread: Iterable[int]) -> ConsumerInfo:
        log.info("a partition is read again", extra={"partition": self._partition, "seq": position + 1})
        with contextlib.suppress(NotFoundError):
            await self._js.delete_consumer(subjects.RESPONSES, subjects.durable(self._partition))
        wanted = stream_settings.analysis_consumer(self._partition, position + 1)
        wanted.metadata = {withheld.KEY: withheld.written(unread)}  # with the first answer that tells a floor
        return await self._js.add_consumer(subjects.RESPONSES, wanted)

    async def _ask(self, most: int) -> None:
        """Keeps one request open, so that the next batch is on its way while this one is recorded."""
        now = asyncio.get_running_loop().time()
        if len(self._arrived) < most and (self._wanted <= 0 or now > self._asked_until):
            self._wanted, self._asked_until = most, now + PULL + 1
            request = msgspec.json.encode({"batch": most, "expires": int(PULL * 1e9)})
            subject = f"$JS.API.CONSUMER.MSG.NEXT.{subjects.RESPONSES}.{subjects.durable(self._partition)}"
            await self._client.publish(subject, request, reply=self._reply)

    async def _arrive(self, message: Any) -> None:
        if message.reply:
            self._wanted -= 1
            self._arrived.append(message)
            self._something.set()
        else:  # the server says that the request is over
            self._wanted = 0
            self._unserved |= (message.headers or {}).get("Status") in _NOBODY_SERVES
            if not self._arrived:
                self._something.set()

    def _entry(self, message: Any) -> JournalMessage:
        # $JS.ACK.<stream>.<consumer>.<times>.<stream seq>.<consumer seq>.<time>.<pending>, or with <domain>.<account> in front
        tokens = message.reply.split(".")
        _, seq, delivery, *_ = tokens[4:9] if len(tokens) == 9 else tokens[6:11]
        if int(delivery) != self._next:
            raise Gap
        self._next += 1
        return JournalMessage(int(seq), message.subject, message.data, message.reply)
