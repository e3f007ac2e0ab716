"""Intake's access to the journal of responses over JetStream."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError, NotFoundError

from proto import events, subjects
from proto.events import ResponseEvent, ResponseSubmitted
from services.intake.streams.journal_errors import CONFLICT, UNBATCHED, Verdict, judge, judge_batch
from services.intake.streams.journal_health import JournalHealth
from services.intake.streams.publish_acks import PublishAcks, Unanswered
from services.intake.streams.replica_reads import Behind, certain, hedged
from services.intake.streams.stalled_server import StalledServerWatch
from services.intake.streams.stream_leader import LeaderOutOfReach, StreamLeader
from services.runtime import withheld
from services.runtime.outages import Outages
from services.runtime.withheld import Withheld

log = logging.getLogger(__name__)

WATCH = 1.0
"""Seconds between two checks whether the journal has a leader."""
ATTEMPT = 2.0
"""Seconds within which the journal must answer. A flush takes milliseconds, the election of a new leader about a second."""
MAX_IN_TRANSIT = 60
"""Seconds after which a response that the journal does not have cannot arrive any more: no submission takes as long."""
FLOOR_AGE = 0.2
"""Seconds for which the known progress of a consumer is used without asking again."""
_LAST_SEQUENCE = "Nats-Expected-Last-Subject-Sequence"


class Conflict(Exception):
    """The journal already holds another last event about this response; nothing was written."""


class JournalOutOfReach(Exception):
    """Whether the journal wrote is unknown: it did not answer, or its answer leaves it open. Sending the same again shows it."""


class JournalRefused(Exception):
    """The journal certainly wrote nothing: too large, misconfigured, or a batch with one conflicting member."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An event to write if the last event about this response has the sequence `after` (0: there is none)."""

    event: ResponseEvent
    payload: bytes
    after: int = 0

    @property
    def id(self) -> str:
        return self.event.id


@dataclass(frozen=True, slots=True)
class Written:
    """The last event about a response, with its sequence and partition in the journal."""

    event: ResponseEvent
    seq: int
    partition: int


class _Error(msgspec.Struct):
    code: int = 0
    err_code: int = 0


class _Ack(msgspec.Struct):
    seq: int = 0
    duplicate: bool = False
    batch: str | None = None
    count: int = 0
    error: _Error | None = None


_ack = msgspec.json.Decoder(_Ack)


def entry(event: ResponseEvent, after: int = 0) -> JournalEntry:
    return JournalEntry(event, events.encode(event), after)


class Journal:
    """Writes entries one by one or as an atomic batch, and reads the last event about a response."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._js = client.jetstream(timeout=ATTEMPT)
        self._pulse = StalledServerWatch(client)
        self._acks = PublishAcks(client, self._pulse)
        self._leader = StreamLeader(client, subjects.RESPONSES)
        self._health = JournalHealth()
        self._reconnects = 0
        self._batches = 0
        self._run = client.new_inbox().rpartition(".")[2]
        self._floors: dict[int, tuple[float, int, Withheld]] = {}
        self._outages = Outages(log, "writing to the journal")

    async def open(self) -> None:
        """Subscribes to acknowledgements. Call it before the first write."""
        await self._acks.open()

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    def checks(self) -> dict[str, bool]:
        """What storing an answer needs, by name, and whether it is there as far as is known."""
        return {"connection": self._client.is_connected, **self._health.checks(time.monotonic())}

    async def watch(self) -> None:
        """Calls `look` every second until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(WATCH)

    async def look(self) -> None:
        """Checks that the journal has a leader confirmed by a majority. After some seconds without one, connects to another server."""
        if not self._client.is_connected:
            return
        if (reconnects := self._client.stats["reconnects"]) != self._reconnects:
            self._reconnects = reconnects
            self._health.reconnected()
        if await self._leader.confirmed():
            self._health.proved(time.monotonic())
            self._pulse.answered()
        else:
            self._pulse.unanswered()

    async def write(self, entry: JournalEntry) -> None:
        """Returns once the event is on disk. Raises Conflict, JournalRefused or JournalOutOfReach."""
        ack = await self._ask(entry, _headers(entry))
        if ack.duplicate:
            raise Conflict
        if ack.error is None:
            self._health.wrote(time.monotonic())
        else:
            match judge(ack.error.err_code):
                case Verdict.CONFLICT:
                    raise Conflict
                case Verdict.REFUSED:
                    raise self._noted(JournalRefused(), ack.error)
                case Verdict.UNKNOWN:
                    raise self._noted(JournalOutOfReach(), ack.error)

    async def write_batch(self, entries: list[JournalEntry]) -> None:
        """Writes all entries or none, with one flush. Returns once they are on disk. Raises JournalRefused or JournalOutOfReach."""
        self._batches += 1
        batch = f"{self._run}-{self._batches}"
        *others, last = entries
        try:
            for number, entry in enumerate(others, 1):
                headers = _headers(entry)
                headers["Nats-Batch-Id"] = batch
                headers["Nats-Batch-Sequence"] = str(number)
                await self._client.publish(_subject(entry), entry.payload, headers=headers)
        except nats.errors.Error as error:
            raise JournalOutOfReach from error
        closing = _headers(last) | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(entries)), "Nats-Batch-Commit": "1"}
        ack = await self._ask(last, closing)
        if ack.error is not None:
            raise self._noted(JournalRefused() if judge_batch(ack.error.err_code) is Verdict.REFUSED else JournalOutOfReach(), ack.error)
        if ack.batch != batch or ack.count != len(entries):
            raise JournalOutOfReach
        self._health.wrote(time.monotonic())

    async def last(self, id: str, survey: str = "*") -> Written | None:
        """The last event about a response, in this survey or in any, read from whichever server answers first.

        None only where the leader confirmed that there is none. Raises JournalOutOfReach.
        """
        if not await self._pulse.connected():
            raise JournalOutOfReach
        subject = subjects.journalled(id, survey)
        try:
            return await certain(lambda: hedged(lambda: self._last(subject), self._pulse.doubt), lambda: self._leader.holds(subject))
        except (nats.errors.Error, APIError, TimeoutError, events.UnreadableEvent, LeaderOutOfReach, Behind) as error:
            self._pulse.unanswered()
            raise JournalOutOfReach from error

    async def _last(self, subject: str) -> Written | None:
        try:
            message = await self._js.get_last_msg(subjects.RESPONSES, subject, direct=True)
        except NotFoundError:
            return None
        return Written(events.read_response(message.data or b""), message.seq or 0, subjects.partition_of(message.subject or ""))

    async def recorded(self, written: Written) -> bool:
        """Whether analysis has committed this event. Its consumer acknowledges what is committed, and lists what could not be read."""
        now = time.monotonic()
        progress = self._floors.get(written.partition)
        if progress is not None and (_is_recorded(written, progress) or now - progress[0] < FLOOR_AGE):
            return _is_recorded(written, progress)
        try:
            info = await self._js.consumer_info(subjects.RESPONSES, subjects.durable(written.partition))
        except (nats.errors.Error, APIError, TimeoutError):
            return False
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        progress = self._floors[written.partition] = now, floor, withheld.read(info.config.metadata)
        return _is_recorded(written, progress)

    async def _ask(self, entry: JournalEntry, headers: dict[str, str]) -> _Ack:
        try:
            ack = _ack.decode(await self._acks.ask(_subject(entry), entry.payload, headers, ATTEMPT))
        except (Unanswered, nats.errors.Error, msgspec.MsgspecError) as error:
            self._health.unanswered(time.monotonic())
            raise JournalOutOfReach from error
        if ack.error is None:
            self._outages.works()
        return ack

    def _noted(self, kind: JournalRefused | JournalOutOfReach, error: _Error) -> JournalRefused | JournalOutOfReach:
        """Returns `kind`. Logs the error, unless a repeated entry met its own earlier write: that is ordinary."""
        self._health.refused(time.monotonic(), error.err_code)
        if error.err_code not in UNBATCHED and error.err_code != CONFLICT:
            self._outages.failed(APIError(code=error.code, err_code=error.err_code))
        return kind


def _is_recorded(written: Written, progress: tuple[float, int, Withheld]) -> bool:
    _, floor, not_recorded = progress
    return written.seq <= floor and written.seq not in not_recorded


def _subject(entry: JournalEntry) -> str:
    return subjects.response(entry.event.survey, entry.event.id)


def _headers(entry: JournalEntry) -> dict[str, str]:
    """The expected sequence is checked over all surveys: a receipt is submitted at most once in the journal's whole life."""
    headers = events.headers(entry.event, entry.id)
    headers[_LAST_SEQUENCE] = str(entry.after)
    headers[f"{_LAST_SEQUENCE}-Subject"] = subjects.journalled(entry.id)
    if isinstance(entry.event, ResponseSubmitted):
        headers["Nats-Msg-Id"] = entry.id
    return headers
