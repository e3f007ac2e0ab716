"""Group commit: responses that arrive together are written to the journal as one atomic batch, with one flush to disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from services.intake.metrics import Metrics
from services.intake.streams.journal import Conflict, Journal, JournalEntry, JournalOutOfReach, JournalRefused
from services.runtime.error_details import stack_of

log = logging.getLogger(__name__)

MIN_BATCH = 8
"""Fewer entries are written one by one, concurrently: opening a batch costs the server several flushes."""
MAX_BATCH = 256
"""Entries of one batch; JetStream takes at most 1,000."""
MAX_BATCH_BYTES = 4 * 1024 * 1024
MAX_IN_FLIGHT = 1
"""Batches in flight at a time: while one is flushed, the next one fills."""
MAX_BYTES = 64 * 1024 * 1024
"""Bytes of all waiting entries."""
PATIENCE = 5.0
"""Seconds for which an unacknowledged entry is sent again. No caller waits longer than this and one attempt."""
GRACE = 2.0
"""Seconds without a connection during which new entries are still accepted."""
PAUSE = 0.05
"""Seconds before a failed write is tried again."""
REMEMBERED = 16_384
"""Ids of recently written responses. A repeat of one is not put into a batch, since one conflict refuses the whole batch."""


class Outcome(Enum):
    WRITTEN = "on disk"
    CONFLICT = "the journal holds another last event about this response"
    CONFLICT_AFTER_RETRY = "conflict after a lost acknowledgement; may be our own write"


class CommitterBusy(Exception):
    """Nothing was written: the queue is full, or the journal is out of reach."""


@dataclass(eq=False, slots=True)
class PendingWrite:
    entry: JournalEntry
    done: asyncio.Future[Outcome]
    sent: bool = False
    """Whether it was sent before without an acknowledgement. Then a conflict may be our own write."""
    since: float = field(default_factory=time.monotonic)


class Committer:
    """Writes at most one entry per response id at a time. The entries of a refused batch are written one by one.

    `waiting`: entries that wait at a time. `patience`: seconds (see PATIENCE).
    """

    def __init__(self, journal: Journal, metrics: Metrics, waiting: int = 4096, patience: float = PATIENCE) -> None:
        self._journal, self._metrics = journal, metrics
        self._max_waiting, self._patience = waiting, patience
        self._queue: deque[PendingWrite] = deque()
        self._pending: dict[str, PendingWrite] = {}
        self._bytes = 0
        self._in_flight: set[asyncio.Task[None]] = set()
        self._remembered: OrderedDict[str, None] = OrderedDict()
        self._lost_at: float | None = None
        self._wake: asyncio.TimerHandle | asyncio.Handle | None = None
        metrics.queue(lambda: len(self._pending))

    async def commit(self, entry: JournalEntry) -> Outcome:
        """Returns once the journal has answered. Raises CommitterBusy if nothing was written, JournalOutOfReach if that is unknown."""
        if (earlier := self._pending.get(entry.id)) is not None:
            await asyncio.shield(earlier.done)
            return Outcome.CONFLICT
        if entry.after == 0 and entry.id in self._remembered:
            return Outcome.CONFLICT
        if len(self._pending) >= self._max_waiting or self._bytes >= MAX_BYTES or self._away():
            raise CommitterBusy
        waiting = PendingWrite(entry, asyncio.get_running_loop().create_future())
        self._pending[entry.id] = waiting
        self._bytes += len(entry.payload)
        self._queue.append(waiting)
        self._pump_soon()
        # Shielded: a cancelled request must not cancel the write, which others may wait for.
        return await asyncio.shield(waiting.done)

    async def close(self) -> None:
        """Waits until every accepted entry is written or given up."""
        if self._pending:
            await asyncio.wait([waiting.done for waiting in self._pending.values()], timeout=self._patience)

    def _away(self) -> bool:
        """Whether the connection has been lost for more than GRACE seconds."""
        if self._journal.connected:
            self._lost_at = None
            return False
        now = time.monotonic()
        self._lost_at = self._lost_at or now
        return now - self._lost_at > GRACE

    def _pump_soon(self, seconds: float = 0.0) -> None:
        """Schedules `_pump` after the current event loop iteration, so that requests read together are written together."""
        if self._wake is None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_later(seconds, self._pump) if seconds else loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._wake = None
        if not self._queue or len(self._in_flight) >= MAX_IN_FLIGHT:
            return
        if not self._journal.connected:
            while self._queue and self._late(self._queue[0]):
                self._expire(self._queue.popleft())
            self._pump_soon(PAUSE)
            return
        if batch := self._gather():
            task = asyncio.create_task(self._write_batch(batch))
            self._in_flight.add(task)
            task.add_done_callback(partial(self._on_batch_done, batch))

    def _on_batch_done(self, batch: list[PendingWrite], task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:  # after any error every caller gets an answer
            log.error("a batch failed", extra={"count": len(batch), "stack": stack_of(error)})
            for waiting in batch:
                self._settle(waiting, JournalOutOfReach())
        retrying = bool(self._queue) and self._queue[0].sent
        self._pump_soon(PAUSE if retrying else 0.0)

    def _gather(self) -> list[PendingWrite]:
        batch: list[PendingWrite] = []
        size = 0
        while self._queue and len(batch) < MAX_BATCH and size < MAX_BATCH_BYTES:
            waiting = self._queue.popleft()
            if self._late(waiting):
                self._expire(waiting)
            else:
                batch.append(waiting)
                size += len(waiting.entry.payload)
        return batch

    async def _write_batch(self, batch: list[PendingWrite]) -> None:
        try:
            if len(batch) >= MIN_BATCH:
                began = time.perf_counter()
                await self._journal.write_batch([waiting.entry for waiting in batch])
                self._metrics.wrote(len(batch), time.perf_counter() - began)
                for waiting in batch:
                    self._settle(waiting, Outcome.WRITTEN)
                return
        except JournalRefused:
            self._metrics.refused_batches.inc()
        except JournalOutOfReach:
            self._retry(batch)
            return
        await asyncio.gather(*map(self._write_single, batch))

    async def _write_single(self, waiting: PendingWrite) -> None:
        began = time.perf_counter()
        try:
            await self._journal.write(waiting.entry)
        except Conflict:
            self._settle(waiting, Outcome.CONFLICT_AFTER_RETRY if waiting.sent else Outcome.CONFLICT)
        except JournalRefused:
            self._expire(waiting)
        except JournalOutOfReach:
            self._retry([waiting])
        else:
            self._metrics.wrote(1, time.perf_counter() - began)
            self._settle(waiting, Outcome.WRITTEN)

    def _retry(self, batch: list[PendingWrite]) -> None:
        """Queues unacknowledged entries again, in order. Sending twice does no harm: the journal writes each entry at most once."""
        for waiting in reversed(batch):
            waiting.sent = True
            if self._late(waiting):
                self._expire(waiting)
            else:
                self._queue.appendleft(waiting)

    def _late(self, waiting: PendingWrite) -> bool:
        return time.monotonic() - waiting.since >= self._patience

    def _expire(self, waiting: PendingWrite) -> None:
        """Gives up: CommitterBusy where nothing was written, JournalOutOfReach where it was sent without an acknowledgement."""
        self._settle(waiting, JournalOutOfReach() if waiting.sent else CommitterBusy())

    def _settle(self, waiting: PendingWrite, end: Outcome | Exception) -> None:
        if waiting.done.done():
            return
        del self._pending[waiting.entry.id]
        self._bytes -= len(waiting.entry.payload)
        if isinstance(end, Exception):
            waiting.done.set_exception(end)
            waiting.done.exception()  # marks it as retrieved: the caller may be gone
            return
        waiting.done.set_result(end)
        if waiting.entry.after == 0:
            self._remembered[waiting.entry.id] = None
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
