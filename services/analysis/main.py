"""Analysis as a whole: connected, running, and taken down again in order."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from litestar import Litestar

from services.analysis.books import Books
from services.analysis.ending import Ender
from services.analysis.facade import connected, ended
from services.analysis.journal import Journal, JournalBehind
from services.analysis.live import Board
from services.analysis.partition import Partition
from services.analysis.publisher import Publisher
from services.analysis.responder import Responder
from services.analysis.settings import Settings
from services.analysis.store import Store
from services.analysis.tend import CHECKPOINT, Builder, Eraser, Keeper
from services.analysis.totals import Totals
from services.analysis.worker import TooManyParked, Worker

log = logging.getLogger(__name__)

TOGETHER = 1.0
"""Seconds between checkpoints where another worker publishes what this one counts."""
LAST_CHORES = 3.0
"""Seconds for checkpoints at the end. Without them nothing is lost; the next start takes longer."""


@dataclass
class Analysis:
    """The running parts, for `__main__` and tests."""

    app: Litestar
    board: Board
    partitions: list[Partition]
    workers: list[Worker]
    publisher: Publisher
    totals: Totals
    books: Books
    failed: asyncio.Future[None]
    """Done with the exception of a worker that cannot go on."""


@asynccontextmanager
async def running(settings: Settings, checkpoint: float = CHECKPOINT) -> AsyncGenerator[Analysis]:
    """Everything, until the block ends: stop fetching, finish the batch, write checkpoints, close."""
    secret = settings.record_key()
    facade = await connected(settings)
    client = facade.client
    journal, store, books = Journal(client), Store(settings.database_url), Books(facade.registry, secret)
    count = await journal.partitions()
    owned = settings.owned(count)
    partitions = [Partition(number, books, store) for number in owned]
    totals = Totals(partitions, [number for number in range(count) if number not in owned], books, store)
    publisher = Publisher(client, totals, books, store)
    eraser = Eraser(store, journal)
    workers = [Worker(partition, books, store, journal, publisher.nudge, eraser.nudge) for partition in partitions]
    keeper = Keeper(partitions, store, checkpoint if owned == list(range(count)) else TOGETHER)
    ender = Ender(partitions, books, store, eraser.nudge, lambda: datetime.datetime.now(datetime.UTC).date())
    chores = [keeper.run, Builder(partitions).run, ender.run]
    if 0 in owned:  # one worker speaks for all
        chores += [publisher.run, eraser.run]
        await Responder(client, totals, publisher, store).start()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failed.add_done_callback(lambda future: future.cancelled() or future.exception())  # told by `__main__`, if at all
    loops = [asyncio.create_task(_told(worker, failed), name=f"partition {worker.partition.number}") for worker in workers]
    tasks = [asyncio.create_task(chore()) for chore in chores]
    try:
        app = facade.app(lambda: _ready(partitions, journal))
        yield Analysis(app, facade.board, partitions, workers, publisher, totals, books, failed)
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.wait(loops, timeout=LAST_CHORES)
        await ended({*loops, *tasks, *facade.following})
        try:
            async with asyncio.timeout(LAST_CHORES):
                await keeper.finish()
        except TimeoutError:
            log.warning("the database does not answer; the next start counts from an older checkpoint")
        await store.close()
        await client.close()


async def _told(worker: Worker, failed: asyncio.Future[None]) -> None:
    try:
        await worker.run()
    except (TooManyParked, JournalBehind) as error:
        log.critical("%s", error)
        if not failed.done():
            failed.set_exception(error)


def _ready(partitions: list[Partition], journal: Journal) -> bool:
    return journal.connected and all(partition.held for partition in partitions)
