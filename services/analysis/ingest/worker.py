"""The loop of one partition: take a batch from the journal, record it in one transaction, acknowledge it, count it.

Redelivery is the only retry there is. Whatever goes wrong, the loop gives its database connection back and begins again where
the store stands.

What cannot be read because this worker does not know the version of a survey is passed and noted in the store (`waiting`), so that the
other surveys of the partition go on; it stays in the journal and is recorded out of turn as soon as the version is known. Only what nobody
will ever be able to read, or to store, is parked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from proto import subjects
from proto.events import ResponseEvent, ResponseWithdrawn, UnknownEvent, UnreadableEvent
from proto.instrument import Instrument
from services.analysis import metrics, store
from services.analysis.ingest import journal, journal_identity
from services.analysis.ingest.compiled_surveys import Books, UnknownVersion
from services.analysis.ingest.journal import Entry, Feed, Gap, Journal
from services.analysis.ingest.journal_identity import Apart
from services.analysis.ingest.partition import Partition
from services.analysis.ingest.record_rules import Plan
from services.analysis.ingest.unrecorded import Parked, Unread, Waiting, whose
from services.analysis.state.fold import Answered
from services.analysis.store import Lane, Position, Store
from services.runtime.error_location import place_of
from services.runtime.outage import named, refused

log = logging.getLogger(__name__)

WAIT = 1.0
"""Seconds without events after which the loop looks whether it should stop, and whether it still has its partition."""
PATIENCE = 1.0
"""Seconds that a batch waits for versions of surveys that the control stream may be about to bring. Then their events wait alone."""
READ_AGAIN = 200
"""Events that had waited, recorded in one transaction."""
BUDGET = (20, 100)
"""More than 20 of the last 100 events parked are no accident."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
MENDING = 5.0
"""Seconds between two looks whether journal and store belong together again."""


class TooManyParked(Exception):
    """So many events cannot be read that a wrong version of this service must be the reason."""


class Stopped(Exception):
    """The worker is to stop, and the batch in hand cannot be read yet. It stays in the journal."""


@dataclass
class Batch:
    """Entries of the journal, read. `answers` by the sequence of their event."""

    events: list[tuple[int, ResponseEvent]] = field(default_factory=list[tuple[int, ResponseEvent]])
    answers: dict[int, Answered] = field(default_factory=dict[int, Answered])
    unread: Unread = field(default_factory=Unread)
    surveys: dict[tuple[str, str], Instrument] = field(default_factory=dict[tuple[str, str], Instrument])
    seqs: list[int] = field(default_factory=list[int])
    """Of every entry that was looked at, in order."""
    recent: deque[bool] = field(default_factory=lambda: deque[bool](maxlen=BUDGET[1]))
    """Of the last events that waited for nothing, in order, whether they could not be read."""
    spent: bool = False
    """Whether these are too many to go on."""

    @property
    def end(self) -> int:
        return self.seqs[-1]

    def one_by_one(self) -> Iterator[Batch]:
        """The same as batches with one event at most, each with the unread entries before it, so that none is ever passed over."""
        after = 0
        for seq, event in self.events:
            seqs = [each for each in self.seqs if after < each <= seq]
            yield Batch([(seq, event)], self.answers, self.unread.between(after, seq), self.surveys, seqs)
            after = seq
        if after < self.end:
            yield Batch([], {}, self.unread.between(after, self.end), {}, [each for each in self.seqs if each > after])


class Worker:
    """`counted` is called after each batch that changed a count, `erase` after one that leaves something to erase."""

    def __init__(
        self, partition: Partition, books: Books, store: Store, journal: Journal, counted: Callable[[], None], erase: Callable[[], None]
    ) -> None:
        self.partition = partition
        self.parked = 0
        self._books, self._store, self._journal = books, store, journal
        self._counted, self._erase = counted, erase
        self._stopping = asyncio.Event()
        self._recent: deque[bool] = deque(maxlen=BUDGET[1])
        self._pause = FIRST_PAUSE
        self._looked = -1e9
        self._waited_for: set[tuple[str, str | None]] = set()
        """Versions that did not come within PATIENCE, as of revision `_known_at` of what is published."""
        self._known_at = -1
        self._due_at = -1
        """As of which revision of what is published nothing that waits can be read."""
        self._tried_newer = False
        self.doubt = ""
        """What was found between journal and store."""

    def stop(self) -> None:
        """The batch in hand is finished first."""
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop`. Raises TooManyParked, which does not get better by trying again."""
        while not self._stopping.is_set():
            try:
                async with self._store.lane(self.partition.number, self._lost) as lane:
                    await self._follow(lane)
            except Stopped:
                log.info("partition %d stops; events that cannot be read yet stay in the journal", self.partition.number)
            except Gap:
                log.info("partition %d lost its place in the journal; reading again from the store's position", self.partition.number)
            except (*store.Unavailable, *journal.Unavailable) as error:
                await self._rest(named(error), store.refused(error) or refused(error))
            except Apart as apart:
                await self._wait_for_mending(str(apart))
            except TooManyParked:
                raise
            except Exception as error:  # the loop outlives one bad batch; its message might quote an answer
                await self._rest(place_of(error))

    def _lost(self) -> None:
        self.partition.leave()

    async def _rest(self, reason: str, for_good: bool = True) -> None:
        if self._pause == FIRST_PAUSE:
            level = logging.ERROR if for_good else logging.WARNING
            log.log(level, "partition %d cannot go on (%s); trying again until it can", self.partition.number, reason)
        try:
            await asyncio.wait_for(self._stopping.wait(), self._pause)
        except TimeoutError:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _wait_for_mending(self, doubt: str) -> None:
        """Without the partition, so that whoever mends can have it. Figures that are published stay; nothing is recorded or erased."""
        if doubt != self.doubt:
            log.critical("%s Partition %d is not read until the two belong together: run `platea mend`.", doubt, self.partition.number)
        self.doubt = doubt
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), MENDING)

    async def _follow(self, lane: Lane) -> None:
        self.partition.held = False
        await journal_identity.confirm(lane, self._journal)
        if self.doubt:
            log.warning("The journal and the store belong together again; partition %d is read.", self.partition.number)
        self.doubt = ""
        position = await lane.position(self.partition.number)
        self.partition.begin(position)
        await lane.load()
        self._due_at, self._looked = -1, -1e9
        self._counted()
        feed = await self._journal.feed(self.partition.number, position.seq, lane.unread)
        if self._pause != FIRST_PAUSE:
            log.info("partition %d goes on", self.partition.number)
        self._pause = FIRST_PAUSE
        try:
            while not self._stopping.is_set():
                await self._look(lane, feed)
                if due := self._due(lane):
                    await self._read_again(lane, feed, due)
                if entries := await feed.take(subjects.BATCH, 0.01 if due else WAIT):
                    await self._handle(lane, feed, entries)
        finally:
            await feed.stop()

    async def _look(self, lane: Lane, feed: Feed) -> None:
        """Once a second: whether the partition is still ours, and what an organiser did with unread events."""
        if time.monotonic() - self._looked < WAIT:
            return
        if await lane.look():
            await feed.withhold(lane.unread)
        self._looked = time.monotonic()
        self.partition.confirm()
        metrics.parked.labels(self.partition.number).set(len(lane.parked))
        metrics.waiting.labels(self.partition.number).set(len(lane.waiting))

    async def _handle(self, lane: Lane, feed: Feed, entries: Sequence[Entry]) -> None:
        begun = time.monotonic()
        batch = self._read(entries)
        if await self._versions_came(batch):
            batch = self._read(entries)
        self._recent = batch.recent
        async with self.partition.recording:
            plans = await self._record(lane, batch)
            for made in plans:
                position = Position(max(batch.end, self.partition.position.seq), self.partition.position.late)
                await self.partition.apply(made, batch.answers, position)
        await feed.withhold(lane.unread)
        await feed.acknowledge([entry for entry in entries if entry.seq <= batch.end])
        self._tell(batch, plans, time.monotonic() - begun)
        if batch.spent:
            raise TooManyParked(
                f"{sum(self._recent)} of the last {len(self._recent)} events could not be read. They are parked and safe in the journal: "
                "check that this version of Platea is not older than the one that wrote them, and see `platea parked list`."
            )

    async def _versions_came(self, batch: Batch) -> bool:
        """A survey that has just been published may be known a moment later: waits for what the batch lacks, all in all for PATIENCE.
        What did not come then is not waited for again. Whether anything came. Raises Stopped."""
        if self._known_at != self._books.registry.revision:
            self._known_at = self._books.registry.revision
            self._waited_for = {each for each in self._waited_for if not self._knows(each)}
        missing = {each.needs for each in batch.unread.waiting if each.version is not None} - self._waited_for
        deadline = time.monotonic() + PATIENCE
        lacking = missing
        while lacking and time.monotonic() < deadline:
            if self._stopping.is_set():
                raise Stopped
            await asyncio.sleep(0.02)
            lacking = {each for each in lacking if not self._knows(each)}
        for survey, version in sorted(lacking):
            log.error("%s %s is not known; answers to it wait in the journal (partition %d)", survey, version, self.partition.number)
        self._waited_for |= lacking
        return lacking != missing

    def _knows(self, needs: tuple[str, str | None]) -> bool:
        survey, version = needs
        return version is not None and self._books.knows(survey, version)

    def _read(self, entries: Sequence[Entry]) -> Batch:
        """As far as the budget goes: more events that cannot be read are left in the journal."""
        batch = Batch(recent=self._recent.copy())
        for entry in entries:
            self._take_in(batch, entry)
            if sum(batch.recent) > BUDGET[0]:
                batch.spent = True
                break
        return batch

    def _take_in(self, batch: Batch, entry: Entry) -> None:
        survey, id = whose(entry.subject)
        batch.seqs.append(entry.seq)
        try:
            event, answers = self._books.read(entry)
        except UnknownVersion as unknown:
            batch.unread.waiting.append(Waiting(entry.seq, unknown.event.survey, unknown.version, id))
        except UnknownEvent:
            batch.unread.waiting.append(Waiting(entry.seq, survey or "", None, id))
        except UnreadableEvent as unreadable:
            batch.recent.append(True)
            batch.unread.parked.append(Parked(entry.seq, str(unreadable), survey, id))
        else:
            batch.recent.append(False)
            batch.events.append((entry.seq, event))
            if not isinstance(event, ResponseWithdrawn):
                batch.answers[entry.seq] = event.id, answers
                found = self._books.instrument(event.survey, event.version)
                assert found is not None
                batch.surveys[event.survey, event.version] = found

    async def _record(self, lane: Lane, batch: Batch) -> list[Plan]:
        """One transaction; where the database will not take one of the responses, one for each, and that one is parked."""
        try:
            return [await lane.record(batch.events, batch.unread, batch.end, batch.surveys.values())]
        except store.Indigestible as error:
            log.error("the database refused a batch (%s); recording its events one by one", type(error).__name__)
        made: list[Plan] = []
        for part in batch.one_by_one():
            try:
                made.append(await lane.record(part.events, part.unread, part.end, part.surveys.values()))
            except store.Indigestible as error:
                part.unread.parked += self._refused(part, error)
                batch.unread.parked += self._refused(part, error)
                made.append(await lane.record([], part.unread, part.end, []))
        return made

    def _refused(self, part: Batch, error: Exception) -> list[Parked]:
        reason = f"refused by the database: {type(error).__name__}"
        return [Parked(seq, reason, event.survey, event.id) for seq, event in part.events]

    def _due(self, lane: Lane) -> list[int]:
        """Events that waited and can be read now, or are to be read again; so many at a time, in the order of the journal."""
        revision = self._books.registry.revision
        if not lane.waiting or (self._due_at == revision and not lane.again):
            return []
        if not self._tried_newer:  # this version may be the newer one
            self._tried_newer = True
            lane.again |= {seq for seq, each in lane.waiting.items() if each.version is None}
        known = {needs: self._knows(needs) for needs in {each.needs for each in lane.waiting.values()}}
        due = sorted(seq for seq, each in lane.waiting.items() if known[each.needs] or seq in lane.again)
        self._due_at = -1 if due else revision
        return due[:READ_AGAIN]

    async def _read_again(self, lane: Lane, feed: Feed, due: Sequence[int]) -> None:
        """Records events that had waited, out of turn. What they say still goes by their place in the journal (`plan`)."""
        begun = time.monotonic()
        batch = Batch()
        for seq in due:
            entry = await self._journal.read(seq)
            if entry is None:
                log.error("event %d had waited and is no longer in the journal", seq)
                batch.seqs.append(seq)
            else:
                self._take_in(batch, entry)
        async with self.partition.recording:
            plans: list[Plan] = []
            for made, late in await self._record_late(lane, batch):
                plans.append(made)
                await self.partition.apply(made, batch.answers, Position(self.partition.position.seq, late))
        await feed.withhold(lane.unread)
        self._tell(batch, plans, time.monotonic() - begun)

    async def _record_late(self, lane: Lane, batch: Batch) -> list[tuple[Plan, int]]:
        try:
            return [await lane.record_late(batch.events, batch.unread, batch.seqs, batch.surveys.values())]
        except store.Indigestible as error:
            log.error("the database refused a batch (%s); recording its events one by one", type(error).__name__)
        made: list[tuple[Plan, int]] = []
        for part in batch.one_by_one():
            try:
                made.append(await lane.record_late(part.events, part.unread, part.seqs, part.surveys.values()))
            except store.Indigestible as error:
                part.unread.parked += self._refused(part, error)
                made.append(await lane.record_late([], part.unread, part.seqs, []))
        return made

    def _tell(self, batch: Batch, plans: Sequence[Plan], seconds: float) -> None:
        metrics.batches.observe(len(batch.seqs))
        metrics.seconds.observe(seconds)
        for made in plans:
            metrics.recorded.labels("new").inc(len(made.inserted))
            metrics.recorded.labels("changed").inc(len(made.changed))
            metrics.ignored.inc(made.ignored)
        if parked := batch.unread.parked:
            self.parked += len(parked)
            log.error("parked %d events of partition %d: %s", len(parked), self.partition.number, parked[0].reason)
        for each in parked:
            metrics.unreadable.labels(each.reason).inc()
        self._looked = -1e9 if batch.unread else self._looked  # the gauges follow at once
        if any(made.inserted or made.changed for made in plans):
            self._counted()
        if any(made.erased for made in plans):
            self._erase()
