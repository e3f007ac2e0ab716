"""Group commit: responses that arrive together reach the journal as one atomic batch, with one flush to disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from services.intake.metrics import Metrics
from services.intake.streams.journal import Conflict, Entry, Journal, OutOfReach, Refused
from services.runtime.supervision import stack_of

log = logging.getLogger(__name__)

SMALLEST = 8
"""Fewer entries go one by one, side by side: the server makes a place for each batch, which costs it several flushes."""
LARGEST = 256
"""Most entries of one batch; JetStream takes at most 1,000."""
LARGEST_BYTES = 4 * 1024 * 1024
FLIGHTS = 1
"""Batches under way at a time: while one is flushed, the next gathers."""
MOST_BYTES = 64 * 1024 * 1024
"""Of answers that wait at a time."""
PATIENCE = 5.0
"""Seconds for which an entry without an answer is sent again; nobody waits longer than this and one attempt."""
GRACE = 2.0
"""Seconds without a connection for which new entries still wait for it."""
PAUSE = 0.05
"""Seconds before trying again what failed."""
REMEMBERED = 16_384
"""Ids of responses written lately: a repeat of one is not put into a batch, which it would spoil for the others."""


class Outcome(Enum):
    WRITTEN = "on disk"
    CONFLICT = "the journal holds another last event about this response"
    PERHAPS = "so does it here, but that may be this very entry, whose answer was lost"


class Busy(Exception):
    """Nothing was written: too many wait already, or the journal is out of reach."""


@dataclass(eq=False, slots=True)
class Waiting:
    entry: Entry
    done: asyncio.Future[Outcome]
    sent: bool = False
    """Whether it may have reached the journal without an answer: then finding it there is success."""
    since: float = field(default_factory=time.monotonic)


class Committer:
    """One at a time per response id, in order; a refused batch is written again one by one."""

    def __init__(self, journal: Journal, metrics: Metrics, waiting: int = 4096, patience: float = PATIENCE) -> None:
        self._journal, self._metrics = journal, metrics
        self._most, self._patience = waiting, patience
        self._queue: deque[Waiting] = deque()
        self._pending: dict[str, Waiting] = {}
        self._bytes = 0
        self._flights: set[asyncio.Task[None]] = set()
        self._remembered: OrderedDict[str, None] = OrderedDict()
        self._lost: float | None = None
        self._wake: asyncio.TimerHandle | asyncio.Handle | None = None
        metrics.queue(lambda: len(self._pending))

    async def commit(self, entry: Entry) -> Outcome:
        """Returns once the journal has decided. Raises Busy where nothing was written, OutOfReach where that is unknown."""
        if (earlier := self._pending.get(entry.id)) is not None:
            await asyncio.shield(earlier.done)
            return Outcome.CONFLICT
        if entry.after == 0 and entry.id in self._remembered:
            return Outcome.CONFLICT
        if len(self._pending) >= self._most or self._bytes >= MOST_BYTES or self._away():
            raise Busy
        waiting = Waiting(entry, asyncio.get_running_loop().create_future())
        self._pending[entry.id] = waiting
        self._bytes += len(entry.payload)
        self._queue.append(waiting)
        self._pump_soon()
        # Shielded: a client that goes away takes nothing with it that others may wait for.
        return await asyncio.shield(waiting.done)

    async def close(self) -> None:
        """Waits until everything that was taken is written or given up."""
        if self._pending:
            await asyncio.wait([waiting.done for waiting in self._pending.values()], timeout=self._patience)

    def _away(self) -> bool:
        """Whether the connection has been gone for longer than the grace."""
        if self._journal.connected:
            self._lost = None
            return False
        now = time.monotonic()
        self._lost = self._lost or now
        return now - self._lost > GRACE

    def _pump_soon(self, seconds: float = 0.0) -> None:
        """After the current turn of the event loop, so that requests read together are written together."""
        if self._wake is None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_later(seconds, self._pump) if seconds else loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._wake = None
        if not self._queue or len(self._flights) >= FLIGHTS:
            return
        if not self._journal.connected:
            while self._queue and self._late(self._queue[0]):
                self._expire(self._queue.popleft())
            self._pump_soon(PAUSE)
            return
        if batch := self._gather():
            flight = asyncio.create_task(self._fly(batch))
            self._flights.add(flight)
            flight.add_done_callback(partial(self._landed, batch))

    def _landed(self, batch: list[Waiting], flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        if not flight.cancelled() and (error := flight.exception()) is not None:  # whatever it was, nobody waits for ever
            log.error("a batch of %d ended with %s", len(batch), stack_of(error))
            for waiting in batch:
                self._settle(waiting, OutOfReach())
        again = bool(self._queue) and self._queue[0].sent
        self._pump_soon(PAUSE if again else 0.0)

    def _gather(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._queue and len(batch) < LARGEST and size < LARGEST_BYTES:
            waiting = self._queue.popleft()
            if self._late(waiting):
                self._expire(waiting)
            else:
                batch.append(waiting)
                size += len(waiting.entry.payload)
        return batch

    async def _fly(self, batch: list[Waiting]) -> None:
        try:
            if len(batch) >= SMALLEST:
                began = time.perf_counter()
                await self._journal.write_batch([waiting.entry for waiting in batch])
                self._metrics.wrote(len(batch), time.perf_counter() - began)
                for waiting in batch:
                    self._settle(waiting, Outcome.WRITTEN)
                return
        except Refused:
            self._metrics.refused_batches.inc()
        except OutOfReach:
            self._again(batch)
            return
        await asyncio.gather(*map(self._alone, batch))

    async def _alone(self, waiting: Waiting) -> None:
        began = time.perf_counter()
        try:
            await self._journal.write(waiting.entry)
        except Conflict:
            self._settle(waiting, Outcome.PERHAPS if waiting.sent else Outcome.CONFLICT)
        except Refused:
            self._expire(waiting)
        except OutOfReach:
            self._again([waiting])
        else:
            self._metrics.wrote(1, time.perf_counter() - began)
            self._settle(waiting, Outcome.WRITTEN)

    def _again(self, batch: list[Waiting]) -> None:
        """Sends once more what had no answer, for as long as somebody waits: the journal takes each entry at most once."""
        for waiting in reversed(batch):
            waiting.sent = True
            if self._late(waiting):
                self._expire(waiting)
            else:
                self._queue.appendleft(waiting)

    def _late(self, waiting: Waiting) -> bool:
        return time.monotonic() - waiting.since >= self._patience

    def _expire(self, waiting: Waiting) -> None:
        """Gives up: nothing was written, unless it was sent before without an answer."""
        self._settle(waiting, OutOfReach() if waiting.sent else Busy())

    def _settle(self, waiting: Waiting, end: Outcome | Exception) -> None:
        if waiting.done.done():
            return
        del self._pending[waiting.entry.id]
        self._bytes -= len(waiting.entry.payload)
        if isinstance(end, Exception):
            waiting.done.set_exception(end)
            waiting.done.exception()  # its client may be gone: then nobody asks, and that is fine
            return
        waiting.done.set_result(end)
        if waiting.entry.after == 0:
            self._remembered[waiting.entry.id] = None
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
