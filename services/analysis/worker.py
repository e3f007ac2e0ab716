"""The loop of one partition: take a batch from the journal, record it in one transaction, acknowledge it, count it.

Redelivery is the only retry there is. Whatever goes wrong, the loop gives its database connection back and begins again where
the store stands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from proto import subjects
from proto.events import ResponseEvent, ResponseWithdrawn, UnreadableEvent
from proto.instrument import Instrument
from services.analysis import journal, metrics, store
from services.analysis.books import Books
from services.analysis.fold import Answered
from services.analysis.journal import Entry, Feed, Gap, Journal, JournalBehind
from services.analysis.partition import Partition
from services.analysis.plan import Plan
from services.analysis.store import Lane, Store
from services.analysis.surprise import place_of

log = logging.getLogger(__name__)

WAIT = 1.0
"""Seconds without events after which the loop looks whether it should stop."""
UNKNOWN_SURVEY = 10.0
"""Seconds in which the control stream may still bring the survey that an event is about."""
BUDGET = (20, 100)
"""More than 20 of the last 100 events parked are no accident."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0


class TooManyParked(Exception):
    """So many events cannot be read that a wrong version of this service must be the reason."""


@dataclass
class Batch:
    """Entries of the journal, read. `answers` by the sequence of their event."""

    events: list[tuple[int, ResponseEvent]] = field(default_factory=list[tuple[int, ResponseEvent]])
    answers: dict[int, Answered] = field(default_factory=dict[int, Answered])
    parked: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    surveys: dict[tuple[str, str], Instrument] = field(default_factory=dict[tuple[str, str], Instrument])
    end: int = 0


class Worker:
    """`counted` is called after each batch that changed a count, `erase` after one that leaves something to erase."""

    def __init__(
        self, partition: Partition, books: Books, store: Store, journal: Journal, counted: Callable[[], None], erase: Callable[[], None]
    ) -> None:
        self.partition = partition
        self.lag = 0
        self.parked = 0
        self._books, self._store, self._journal = books, store, journal
        self._counted, self._erase = counted, erase
        self._stopping = asyncio.Event()
        self._recent: deque[bool] = deque(maxlen=BUDGET[1])
        self._pause = FIRST_PAUSE

    def stop(self) -> None:
        """The batch in hand is finished first."""
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop`. Raises TooManyParked and JournalBehind: neither gets better by trying again."""
        while not self._stopping.is_set():
            try:
                async with self._store.lane(self.partition.number, self._lost) as lane:
                    await self._follow(lane)
            except Gap:
                log.info("partition %d lost its place in the journal; reading again from the store's position", self.partition.number)
            except (*store.Unavailable, *journal.Unavailable) as error:
                await self._rest(type(error).__name__)
            except (TooManyParked, JournalBehind):
                raise
            except Exception as error:  # the loop outlives one bad batch; its message might quote an answer
                await self._rest(place_of(error))

    def _lost(self) -> None:
        self.partition.held = False

    async def _rest(self, reason: str) -> None:
        if self._pause == FIRST_PAUSE:
            log.warning("partition %d cannot go on (%s); trying again until it can", self.partition.number, reason)
        try:
            await asyncio.wait_for(self._stopping.wait(), self._pause)
        except TimeoutError:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _follow(self, lane: Lane) -> None:
        position = await lane.position(self.partition.number)
        self.partition.begin(position)
        self._counted()
        feed = await self._journal.feed(self.partition.number, position)
        if self._pause != FIRST_PAUSE:
            log.info("partition %d goes on", self.partition.number)
        self._pause = FIRST_PAUSE
        try:
            while not self._stopping.is_set():
                if entries := await feed.take(subjects.BATCH, WAIT):
                    await self._handle(lane, feed, entries)
        finally:
            await feed.stop()

    async def _handle(self, lane: Lane, feed: Feed, entries: Sequence[Entry]) -> None:
        begun = time.monotonic()
        batch = await self._read(entries)
        async with self.partition.recording:
            plans = await self._record(lane, batch)
            for made in plans:
                await self.partition.apply(made, batch.answers, max(batch.end, self.partition.position))
        await feed.acknowledge(entries)
        self._tell(batch, plans, feed, time.monotonic() - begun)
        self._keep_to_budget(batch)

    async def _read(self, entries: Sequence[Entry]) -> Batch:
        batch = Batch(end=max(entry.seq for entry in entries))
        for entry in entries:
            try:
                event, answers = await self._decode(entry)
            except UnreadableEvent as unreadable:
                batch.parked.append((entry.seq, str(unreadable)))
                continue
            batch.events.append((entry.seq, event))
            if not isinstance(event, ResponseWithdrawn):
                batch.answers[entry.seq] = event.id, answers
                found = self._books.instrument(event.survey, event.version)
                assert found is not None
                batch.surveys[event.survey, event.version] = found
        return batch

    async def _decode(self, entry: Entry) -> tuple[ResponseEvent, object]:
        """Raises UnreadableEvent."""
        patience = UNKNOWN_SURVEY
        while True:
            try:
                return self._books.read(entry)
            except KeyError:
                if patience <= 0 or self._stopping.is_set():
                    raise UnreadableEvent("a version of a survey that was never published") from None
                patience -= 0.1
                await asyncio.sleep(0.1)

    async def _record(self, lane: Lane, batch: Batch) -> list[Plan]:
        """One transaction; where the database will not take one of the responses, one for each, and that one is parked."""
        try:
            return [await lane.record(batch.events, batch.parked, batch.end, batch.surveys.values())]
        except store.Indigestible as error:
            log.error("the database refused a batch (%s); recording its events one by one", type(error).__name__)
        made: list[Plan] = []
        for seq, event in batch.events:
            try:
                made.append(await lane.record([(seq, event)], [], seq, batch.surveys.values()))
            except store.Indigestible as error:
                batch.parked.append((seq, f"refused by the database: {type(error).__name__}"))
                await lane.record([], batch.parked, seq, [])
        return [*made, await lane.record([], batch.parked, batch.end, [])]

    def _tell(self, batch: Batch, plans: Sequence[Plan], feed: Feed, seconds: float) -> None:
        self.lag = feed.lag
        metrics.lag.labels(self.partition.number).set(feed.lag)
        metrics.batches.observe(len(batch.events) + len(batch.parked))
        metrics.seconds.observe(seconds)
        for made in plans:
            metrics.recorded.labels("new").inc(len(made.inserted))
            metrics.recorded.labels("changed").inc(len(made.changed))
            metrics.ignored.inc(made.ignored)
        for _, reason in batch.parked:
            metrics.parked.labels(reason).inc()
        if any(made.inserted or made.changed for made in plans):
            self._counted()
        if any(made.erased for made in plans):
            self._erase()

    def _keep_to_budget(self, batch: Batch) -> None:
        if batch.parked:
            self.parked += len(batch.parked)
            log.error("parked %d events of partition %d: %s", len(batch.parked), self.partition.number, batch.parked[0][1])
        unreadable = {seq for seq, _ in batch.parked}
        every = sorted([*(seq for seq, _ in batch.events), *unreadable])
        self._recent.extend(seq in unreadable for seq in every)
        if sum(self._recent) > BUDGET[0]:
            raise TooManyParked(
                f"{sum(self._recent)} of the last {len(self._recent)} events could not be read. They are parked and safe in the journal; "
                "check that this version of Platea is not older than the one that wrote them."
            )
