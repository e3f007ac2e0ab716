"""Wiring of the analysis service: connect, start the tasks, stop them in order."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from litestar.types import ASGIApp

from services.analysis.gateway.gateway_service import connected
from services.analysis.gateway.snapshot_broadcast import Broadcaster
from services.analysis.ingest.checkpointer import CHECKPOINT, Checkpointer
from services.analysis.ingest.compiled_surveys import CompiledSurveys
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.ingest.journal_eraser import JournalEraser
from services.analysis.ingest.partition import Partition
from services.analysis.ingest.progress import Progress
from services.analysis.ingest.retention import RetentionJob
from services.analysis.ingest.state_builder import StateBuilder
from services.analysis.ingest.totals import Totals
from services.analysis.ingest.worker import TooManyParked, Worker
from services.analysis.publish.publisher import Publisher
from services.analysis.publish.quota_watch import QuotaWatch
from services.analysis.publish.responder import Responder
from services.analysis.settings import Settings
from services.analysis.store import Store
from services.runtime.error_details import stack_of
from services.runtime.http.health import Readiness
from services.runtime.supervision import Supervisor, cancelled

log = logging.getLogger(__name__)

TOGETHER = 1.0
"""Seconds between checkpoints where another worker publishes what this one counts."""
BEHIND = 60.0
"""Seconds after which an unrecorded event is reported in the readiness notes."""
LAST_CHORES = 3.0
"""Seconds for the last checkpoints. Without them nothing is lost, but the next start takes longer."""


@dataclass
class Analysis:
    """The running parts, for `__main__` and tests."""

    app: ASGIApp
    broadcaster: Broadcaster
    partitions: list[Partition]
    workers: list[Worker]
    publisher: Publisher
    totals: Totals
    compiled: CompiledSurveys
    tasks: Supervisor
    failed: asyncio.Future[None]
    """Gets the exception of a worker that cannot continue."""


@asynccontextmanager
async def running(settings: Settings, checkpoint: float = CHECKPOINT) -> AsyncGenerator[Analysis]:
    """Runs everything until the block ends, then stops fetching, finishes the batch, writes checkpoints, closes."""
    secret = settings.record_key()
    async with AsyncExitStack() as closing:
        gateway = await closing.enter_async_context(connected(settings))
        client, tasks = gateway.client, gateway.tasks
        journal, store, compiled = JournalConsumer(client), Store(settings.database_url), CompiledSurveys(gateway.registry, secret)
        closing.push_async_callback(store.close)
        count = await journal.partitions()
        owned = settings.owned(count)
        partitions = [Partition(number, compiled, store) for number in owned]
        totals = Totals(partitions, count, compiled, store)
        progress = Progress(partitions, count, journal, store)
        publisher = Publisher(client, totals, compiled, store)
        eraser = JournalEraser(store, journal, lambda: totals.speaks and all(partition.held for partition in totals.partitions))
        workers = [Worker(partition, compiled, store, journal, publisher.nudge, eraser.nudge) for partition in partitions]
        checkpointer = Checkpointer(partitions, store, lambda: checkpoint if totals.alone else TOGETHER)
        closing.push_async_callback(_last_checkpoints, checkpointer)
        closing.push_async_callback(tasks.stop)
        retention = RetentionJob(partitions, compiled, store, eraser.nudge, lambda: datetime.datetime.now(datetime.UTC).date())
        tasks.start("watch the journal", progress.watch_journal)
        tasks.start("watch the store", progress.watch_store)
        tasks.start("write checkpoints", checkpointer.run)
        tasks.start("build counts", StateBuilder(partitions).run)
        tasks.start("delete what is over", retention.run)
        if 0 in owned:  # one worker speaks for all
            tasks.start("publish", publisher.run)
            tasks.start("count quotas", QuotaWatch(client, totals, compiled, secret).run)
            tasks.start("erase from the journal", eraser.run)
            responder = Responder(client, totals, publisher, progress, journal, store, tasks)
            await closing.enter_async_context(responder.listening())
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failed.add_done_callback(lambda future: future.cancelled() or future.exception())  # told by `__main__`, if at all
        loops = {asyncio.create_task(_told(worker, failed), name=f"partition {worker.partition.number}") for worker in workers}
        closing.push_async_callback(_finish, workers, loops)
        app = gateway.app(lambda: _ready(progress, journal, tasks), progress.tell)
        yield Analysis(app, gateway.broadcaster, partitions, workers, publisher, totals, compiled, tasks, failed)


async def _finish(workers: list[Worker], loops: set[asyncio.Task[None]]) -> None:
    """Lets each worker finish its batch within LAST_CHORES seconds."""
    for worker in workers:
        worker.stop()
    if loops:
        _, left = await asyncio.wait(loops, timeout=LAST_CHORES)
        await cancelled(left)


async def _last_checkpoints(checkpointer: Checkpointer) -> None:
    try:
        async with asyncio.timeout(LAST_CHORES):
            await checkpointer.finish()
    except TimeoutError:
        log.warning("the database does not answer; the next start counts from an older checkpoint")


async def _told(worker: Worker, failed: asyncio.Future[None]) -> None:
    try:
        await worker.run()
    except TooManyParked as error:
        fields = {"partition": worker.partition.number, "count": worker.parked}
        log.critical("too many events cannot be read; this is probably an older version of Platea", extra=fields)
        if not failed.done():
            failed.set_exception(error)
    except Exception as error:  # the worker answers whatever it knows to answer; this ends the process, which starts anew
        log.critical("a partition ended unexpectedly", extra={"partition": worker.partition.number, "stack": stack_of(error)})
        if not failed.done():
            failed.set_exception(error)


def _ready(progress: Progress, journal: JournalConsumer, tasks: Supervisor) -> Readiness:
    """A worker on standby is ready. Trouble with other workers' partitions goes into the notes and does not make this one unready."""
    checks = {"nats": journal.connected, "database": progress.database, "partitions": progress.holds, "tasks": not tasks.down}
    return Readiness(checks, {"unheld": progress.unheld(), "behind": progress.behind(BEHIND)})
