"""Answers the questions of gateways over NATS: exact figures, public tables, recounts, parked events."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import time
from collections.abc import AsyncGenerator
from typing import Literal

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import MaxPayloadError

from proto import snapshot as snapshots
from proto import subjects
from proto.problem import Problem
from services.analysis.disclosure import public_tables, rounding, weighted_public_tables
from services.analysis.ingest import parked_events
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.ingest.progress import Progress
from services.analysis.ingest.totals import Totals
from services.analysis.publish import exact_view
from services.analysis.publish import worker_questions as questions
from services.analysis.publish.publisher import Publisher
from services.analysis.recount import recount
from services.analysis.state.fold import Folder
from services.analysis.state.state import State
from services.analysis.statistics import weighted_tables
from services.analysis.store import Store
from services.runtime.error_details import error_name, stack_of
from services.runtime.outage_kind import Unavailable
from services.runtime.supervision import Supervisor

log = logging.getLogger(__name__)

YIELD = 1.0
"""Seconds by which a worker without a database connection answers later, so that the worker that now holds the partition is heard first."""
STARTING = 0.1
"""Seconds between two looks whether this worker can answer yet."""
COUNTING = 3.0
"""Seconds for which a question waits for counts. A start that finds checkpoints takes less."""
GOODBYE = 2
"""Seconds for the server to confirm that this worker no longer listens."""


class GatewayQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    what: Literal["exact", "table", "recount", "parked", "retry", "drop"]
    row: str = ""
    column: str = ""
    exact: bool = False
    weighted: bool = False
    """Of a table: with weighted shares."""
    events: list[int] | None = None
    """To be read again or dropped; None for all that are parked."""
    count: int = 0


class Responder:
    def __init__(
        self,
        client: Client,
        totals: Totals,
        publisher: Publisher,
        progress: Progress,
        journal: JournalConsumer,
        store: Store,
        tasks: Supervisor,
    ) -> None:
        self._client, self._totals, self._publisher, self._progress = client, totals, publisher, progress
        self._journal, self._store, self._tasks = journal, store, tasks
        self._recounting = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Takes questions until the block ends. By then the server knows it, and tells later askers at once that nobody listens."""
        questions = await self._client.subscribe(subjects.query("*"), cb=self._take)
        try:
            yield
        finally:
            with contextlib.suppress(*Unavailable):
                await questions.unsubscribe()
                await self._client.flush(GOODBYE)

    async def _take(self, message: Msg) -> None:
        """Answers each question in its own task: a recount takes long."""
        self._tasks.spawn("answering a gateway", self._answer(message))

    async def _speaks(self) -> bool:
        """Returns whether this worker answers; waits while it starts. False where another one answers, or nobody waits any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(questions.PATIENCE):
                while not self._totals.speaks and not self._totals.stands_by:  # noqa: ASYNC110  the worker that holds it may be another process
                    await asyncio.sleep(STARTING)
        return self._totals.speaks

    async def _answer(self, message: Msg) -> None:
        if not await self._speaks():
            return
        signs = asyncio.create_task(self._give_signs(message))
        try:
            body = await self._reply(message)
        finally:
            signs.cancel()
        try:
            await self._send(message, body)
        except Unavailable as error:  # the gateway hears nothing, and asks again
            log.warning("an answer was not sent", extra={"error": error_name(error)})

    async def _give_signs(self, message: Msg) -> None:
        """Sends empty messages while the answer is computed, so that the asker keeps waiting."""
        while True:
            await asyncio.sleep(questions.SIGN)
            with contextlib.suppress(*Unavailable):
                await message.respond(b"")

    async def _reply(self, message: Msg) -> bytes:
        if not self._totals.certain:  # another worker may have taken over; then it is the one that should be heard
            await asyncio.sleep(YIELD)
        try:
            return await self._body(message.subject.rpartition(".")[2], msgspec.json.decode(message.data, type=GatewayQuestion))
        except Problem as problem:
            return problem.body()
        except msgspec.MsgspecError:
            return Problem("request-refused").body()
        except Unavailable:
            return Problem("unavailable", retry_after=5).body()
        except Exception as error:
            log.error("a question was not answered", extra={"stack": stack_of(error)})
            return Problem("internal").body()

    async def _send(self, message: Msg, body: bytes) -> None:
        try:
            await message.respond(body)
        except MaxPayloadError:
            log.error("an answer was not sent: it is larger than max_payload of the NATS servers", extra={"bytes": len(body)})
            await message.respond(Problem("internal", f"The answer has {len(body):,} bytes, more than a message may have.").body())

    async def _body(self, survey: str, question: GatewayQuestion) -> bytes:
        match question.what:
            case "parked":
                return msgspec.json.encode(await parked_events.listed(self._store, self._journal))
            case "retry":
                return msgspec.json.encode(await parked_events.retried(self._store, question.events))
            case "drop":
                return msgspec.json.encode(await parked_events.dropped(self._store, self._journal, question.events, question.count))
            case "exact" | "table" | "recount":
                return await self._figures(survey, question)

    async def _figures(self, survey: str, question: GatewayQuestion) -> bytes:
        if question.what == "recount":
            async with self._recounting:
                return msgspec.json.encode(await recount.recount(survey, self._totals, self._store, self._journal))
        if question.what == "table" and not question.exact:
            return await asyncio.to_thread(self._public_table, survey, question)
        return await asyncio.to_thread(self._exact, survey, question, *await self._counted(survey))

    async def _counted(self, survey: str) -> tuple[Folder, State]:
        """Returns the sum of all counts. Waits a little while it is being counted; then raises Problem `unavailable`."""
        deadline = time.monotonic() + COUNTING
        while (counted := await self._totals.state(survey)) is None:
            if time.monotonic() > deadline:
                raise Problem("unavailable", "The responses are still being counted.", retry_after=2)
            await asyncio.sleep(STARTING)
        return counted

    def _exact(self, survey: str, question: GatewayQuestion, folder: Folder, state: State) -> bytes:
        revision = self._publisher.revision(survey)
        as_of = datetime.datetime.fromtimestamp(self._progress.complete(), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if question.what == "exact":
            full = self._totals.full_quotas(folder.codebook.instrument)
            return snapshots.encode(exact_view.snapshot(folder.codebook, state, revision=revision, as_of=as_of, full=full))
        table = exact_view.table(folder.codebook, state, question.row, question.column, revision=revision, as_of=as_of)
        return snapshots.encode(weighted_tables.exact(table, folder.codebook, state) if question.weighted else table)

    def _public_table(self, survey: str, question: GatewayQuestion) -> bytes:
        edition = self._publisher.edition(survey)
        if edition is None:
            raise Problem("not-published-yet")
        table = public_tables.public(edition, question.row, question.column)
        if question.weighted:
            table = rounding.of_table(weighted_public_tables.public(table, edition))
        return snapshots.encode(table)
