"""The loop of one partition: take a batch from the journal, record it in one transaction, count it, acknowledge it.

Redelivery is the only retry. After any failure the loop gives up its database connection and starts again from the store's position.

An event of an unknown version of a survey is skipped and listed in the table `waiting`, so that the other surveys of the partition go on.
It stays in the journal, and is recorded out of turn as soon as the version is known. Only an event that no version of Platea can read or
store is parked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from structlog.contextvars import bind_contextvars

from proto import subjects
from proto.events import ResponseWithdrawn, UnknownEvent, UnreadableEvent
from services.analysis import metrics
from services.analysis.ingest import journal_identity, recording
from services.analysis.ingest.batch import PARKING_BUDGET, Batch, survey_and_id
from services.analysis.ingest.compiled_surveys import CompiledSurveys, UnknownVersion
from services.analysis.ingest.journal import Feed, Gap, JournalConsumer, JournalMessage
from services.analysis.ingest.journal_identity import JournalMismatch
from services.analysis.ingest.partition import Partition
from services.analysis.records import Changes, Parked, Position, WaitingEvent
from services.analysis.store import PartitionLease, Store
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

WAIT = 1.0
"""Seconds without events after which the loop checks whether it should stop, and whether it still holds its partition."""
PATIENCE = 1.0
"""Seconds that a batch waits for versions of surveys that the control stream may be about to bring. After that only their events wait."""
READ_AGAIN = 200
"""Most events that had waited, recorded in one transaction."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two attempts after failures: doubled each time."""
MENDING = 5.0
"""Seconds between two checks whether journal and store match again."""


class TooManyParked(Exception):
    """Too many events cannot be read: this is probably the wrong version of the service."""


class Stopped(Exception):
    """The worker stops, and its batch cannot be read yet. The batch stays in the journal."""


class Worker:
    """`counted`: called after each batch that changed a count. `erase`: called after a batch that noted messages to erase."""

    def __init__(
        self,
        partition: Partition,
        compiled: CompiledSurveys,
        store: Store,
        journal: JournalConsumer,
        counted: Callable[[], None],
        erase: Callable[[], None],
    ) -> None:
        self.partition = partition
        self.parked = 0
        self._compiled, self._store, self._journal = compiled, store, journal
        self._counted, self._erase = counted, erase
        self._stopping = asyncio.Event()
        self._recent: deque[bool] = deque(maxlen=PARKING_BUDGET[1])
        self._pause = FIRST_PAUSE
        self._outages = Outages(log, "recording")
        self._looked = -1e9
        self._waited_for: set[tuple[str, str | None]] = set()
        """Versions that did not come within PATIENCE, as of revision `_known_at` of the registry."""
        self._known_at = -1
        self._due_at = -1
        """The revision of the registry at which no waiting event can be read."""
        self._tried_newer = False
        self.doubt = ""
        """Why journal and store do not match; empty where they do."""

    def stop(self) -> None:
        """Lets `run` return after the current batch."""
        self._stopping.set()

    async def run(self) -> None:
        """Runs until `stop` is called, in a task of its own. Raises TooManyParked; retries after every other error."""
        bind_contextvars(partition=self.partition.number)
        while not self._stopping.is_set():
            try:
                async with self._store.lease(self.partition.number, self._lost) as lease:
                    await self._follow(lease)
            except Stopped:
                log.info("the partition stops; events that cannot be read yet stay in the journal")
            except Gap:
                log.info("the partition lost its place in the journal; reading again from the store's position")
            except JournalMismatch as mismatch:
                await self._wait_for_mending(str(mismatch))
            except TooManyParked:
                raise
            except Exception as error:  # the loop outlives one bad batch
                self._outages.failed(error)
                await self._rest()

    def _lost(self) -> None:
        self.partition.leave()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), self._pause)
        except TimeoutError:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _wait_for_mending(self, doubt: str) -> None:
        """Waits without holding the partition, so that `platea mend` can take it. Published figures stay; nothing is recorded or erased."""
        if doubt != self.doubt:
            log.critical("the journal and the store do not belong together: run `platea mend`", extra={"reason": doubt})
        self.doubt = doubt
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), MENDING)

    async def _follow(self, lease: PartitionLease) -> None:
        self.partition.held = False
        await journal_identity.confirm(lease, self._journal)
        if self.doubt:
            log.warning("the journal and the store belong together again")
        self.doubt = ""
        position = await lease.position(self.partition.number)
        self.partition.begin(position)
        await lease.load()
        self._due_at, self._looked = -1, -1e9
        self._counted()
        feed = await self._journal.feed(self.partition.number, position.seq, lease.unread)
        self._outages.works()
        self._pause = FIRST_PAUSE
        try:
            while not self._stopping.is_set():
                await self._look(lease, feed)
                if due := self._due(lease):
                    await self._read_again(lease, feed, due)
                if entries := await feed.take(subjects.BATCH, 0.01 if due else WAIT):
                    await self._handle(lease, feed, entries)
        finally:
            await feed.stop()

    async def _look(self, lease: PartitionLease, feed: Feed) -> None:
        """Once a second: checks that the partition is still held, and reads what an organiser did with unread events."""
        if time.monotonic() - self._looked < WAIT:
            return
        if await lease.look():
            await feed.withhold(lease.unread)
        self._looked = time.monotonic()
        self.partition.confirm()
        metrics.parked.labels(self.partition.number).set(len(lease.parked))
        metrics.waiting.labels(self.partition.number).set(len(lease.waiting))

    async def _handle(self, lease: PartitionLease, feed: Feed, entries: Sequence[JournalMessage]) -> None:
        begun = time.monotonic()
        batch = self._read(entries)
        if await self._versions_came(batch):
            batch = self._read(entries)
        self._recent = batch.recent
        async with self.partition.recording:
            recorded = await recording.record(lease, batch)
            for changes in recorded:
                position = Position(max(batch.end, self.partition.position.seq), self.partition.position.late)
                await self.partition.apply(changes, batch.answers, position)
        await feed.withhold(lease.unread)
        await feed.acknowledge([entry for entry in entries if entry.seq <= batch.end])
        self._tell(batch, recorded, time.monotonic() - begun)
        if batch.over_budget:
            raise TooManyParked(
                f"{sum(self._recent)} of the last {len(self._recent)} events could not be read. They are parked and safe in the journal: "
                "check that this version of Platea is not older than the one that wrote them, and see `platea parked list`."
            )

    async def _versions_came(self, batch: Batch) -> bool:
        """Waits at most PATIENCE seconds for the versions that the batch lacks, and returns whether one came. Raises Stopped.

        A survey that was just published may be known a moment later. A version that did not come is not waited for again.
        """
        if self._known_at != self._compiled.registry.revision:
            self._known_at = self._compiled.registry.revision
            self._waited_for = {needs for needs in self._waited_for if not self._knows(needs)}
        missing = {event.needs for event in batch.unread.waiting if event.version is not None} - self._waited_for
        deadline = time.monotonic() + PATIENCE
        lacking = missing
        while lacking and time.monotonic() < deadline:
            if self._stopping.is_set():
                raise Stopped
            await asyncio.sleep(0.02)
            lacking = {needs for needs in lacking if not self._knows(needs)}
        for survey, version in sorted(lacking):
            log.error("a version is not known; answers to it wait in the journal", extra={"survey": survey, "version": version})
        self._waited_for |= lacking
        return lacking != missing

    def _knows(self, needs: tuple[str, str | None]) -> bool:
        survey, version = needs
        return version is not None and self._compiled.knows(survey, version)

    def _read(self, entries: Sequence[JournalMessage]) -> Batch:
        """Decodes entries until the parking budget is used up. The entries after that are left in the journal."""
        batch = Batch(recent=self._recent.copy())
        for entry in entries:
            self._take_in(batch, entry)
            if sum(batch.recent) > PARKING_BUDGET[0]:
                batch.over_budget = True
                break
        return batch

    def _take_in(self, batch: Batch, entry: JournalMessage) -> None:
        survey, id = survey_and_id(entry.subject)
        batch.seqs.append(entry.seq)
        try:
            event, answers = self._compiled.read(entry)
        except UnknownVersion as unknown:
            batch.unread.waiting.append(WaitingEvent(entry.seq, unknown.event.survey, unknown.version, id))
        except UnknownEvent:
            batch.unread.waiting.append(WaitingEvent(entry.seq, survey or "", None, id))
        except UnreadableEvent as unreadable:
            batch.recent.append(True)
            batch.unread.parked.append(Parked(entry.seq, str(unreadable), survey, id))
        else:
            batch.recent.append(False)
            batch.events.append((entry.seq, event))
            if not isinstance(event, ResponseWithdrawn):
                batch.answers[entry.seq] = event.id, answers
                instrument = self._compiled.instrument(event.survey, event.version)
                assert instrument is not None
                batch.surveys[event.survey, event.version] = instrument

    def _due(self, lease: PartitionLease) -> list[int]:
        """Returns, in order, at most READ_AGAIN waiting events that can be read now, or that an organiser wants read again."""
        revision = self._compiled.registry.revision
        if not lease.waiting or (self._due_at == revision and not lease.again):
            return []
        if not self._tried_newer:  # this version may be the newer one
            self._tried_newer = True
            lease.again |= {seq for seq, event in lease.waiting.items() if event.version is None}
        known = {needs: self._knows(needs) for needs in {event.needs for event in lease.waiting.values()}}
        due = sorted(seq for seq, event in lease.waiting.items() if known[event.needs] or seq in lease.again)
        self._due_at = -1 if due else revision
        return due[:READ_AGAIN]

    async def _read_again(self, lease: PartitionLease, feed: Feed, due: Sequence[int]) -> None:
        """Records events that had waited as one late batch. The record rules still go by their sequence in the journal."""
        begun = time.monotonic()
        batch = Batch()
        for seq in due:
            entry = await self._journal.read(seq)
            if entry is None:
                log.error("an event had waited and is no longer in the journal", extra={"seq": seq})
                batch.seqs.append(seq)
            else:
                self._take_in(batch, entry)
        async with self.partition.recording:
            recorded: list[Changes] = []
            for changes, late in await recording.record_late(lease, batch):
                recorded.append(changes)
                await self.partition.apply(changes, batch.answers, Position(self.partition.position.seq, late))
        await feed.withhold(lease.unread)
        self._tell(batch, recorded, time.monotonic() - begun)

    def _tell(self, batch: Batch, recorded: Sequence[Changes], seconds: float) -> None:
        metrics.batches.observe(len(batch.seqs))
        metrics.seconds.observe(seconds)
        for changes in recorded:
            metrics.recorded.labels("new").inc(len(changes.inserted))
            metrics.recorded.labels("changed").inc(len(changes.changed))
            metrics.ignored.inc(changes.ignored)
        if parked := batch.unread.parked:
            self.parked += len(parked)
            log.error("events cannot be read and are parked", extra={"count": len(parked), "reason": parked[0].reason})
        for event in parked:
            metrics.unreadable.labels(event.reason).inc()
        self._looked = -1e9 if batch.unread else self._looked  # the gauges follow at once
        if any(changes.inserted or changes.changed for changes in recorded):
            self._counted()
        if any(changes.erased for changes in recorded):
            self._erase()
