"""The queue of jobs that build releases: one job runs at a time, the others wait."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from proto.manifest import Manifest
from proto.problem import Problem
from proto.registry import Registry
from services.export import pipeline
from services.export.bundle.signing import Signer
from services.export.gate.refused import ReleaseRefused
from services.export.gate.truth import Untrue
from services.export.pipeline import Order, Stage, Workshop
from services.export.store import Store
from services.runtime.error_details import stack_of
from services.runtime.http import sse
from services.runtime.outage_kind import OutageKind, outage_kind

log = logging.getLogger(__name__)

Status = Literal["waiting", "reading", "protecting", "writing", "done", "refused", "failed"]
ENDED = ("done", "refused", "failed")
KEPT = 100
"""Finished jobs that can still be asked about."""
MOST_OPEN = 50
"""Jobs that wait or run; one more is refused."""
RETRY_AFTER = 60
POLL = 0.1
"""Seconds between two looks at a job that somebody follows."""
HEARTBEAT = 10.0
"""Seconds without an event after which a comment keeps the connection open."""


class Job(msgspec.Struct):
    """`progress` is from 0 to 1; `number` is there when the status is "done", `detail` says why a job was refused or failed, `warnings`
    what whoever asked for it should know about the release.

    `differing`: where a release was rebuilt, the files whose bytes came out different.
    """

    id: str
    survey: str
    profile: str
    purpose: str = ""
    language: str = ""
    status: Status = "waiting"
    progress: float = 0.0
    responses: int = 0
    number: int | None = None
    detail: str = ""
    differing: list[str] = []
    warnings: list[str] = []

    def advance(self, stage: Stage, share: float, responses: int | None = None) -> None:
        """Takes the progress of a build, as pipeline.Progress."""
        self.status, self.progress = stage, share
        if responses is not None:
            self.responses = responses


def today_in_utc() -> str:
    return datetime.now(UTC).date().isoformat()


class Jobs:
    """`site`: the address of the site, for citations; empty where its operator has set none. `today`: returns the day, ISO 8601."""

    def __init__(
        self, store: Store, registry: Registry, folder: Path, signer: Signer, site: str = "", today: Callable[[], str] = today_in_utc
    ) -> None:
        self.signer = signer
        self._workshop = Workshop(store, registry, folder, signer, site.rstrip("/"), today)
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    def start(self, survey: str, profile: str, purpose: str = "", language: str = "") -> Job:
        """Queues a job that builds the next release. `language`: of its labels. Raises Problem if too many jobs wait."""
        job = Job(secrets.token_hex(8), survey, profile, purpose, language)
        return self._enqueue(job, partial(self._publish, job))

    def rebuild(self, published: Manifest) -> Job:
        """Queues a job that builds a published release again, compares, and leaves nothing behind. Raises Problem if too many wait."""
        job = Job(secrets.token_hex(8), published.survey, published.profile, published.purpose, published.language)
        return self._enqueue(job, partial(self._compare, job, published))

    def get(self, survey: str, id: str) -> Job | None:
        job = self._jobs.get(id)
        return job if job is not None and job.survey == survey else None

    async def follow(self, job: Job) -> AsyncIterator[bytes]:
        """The job as Server-Sent Events, one for each change, until the job has ended."""
        last, silent = b"", 0.0
        while True:
            ended, body = job.status in ENDED, msgspec.json.encode(job)
            if body != last:
                last, silent = body, 0.0
                yield sse.event("progress", body)
            elif silent >= HEARTBEAT:
                silent = 0.0
                yield sse.comment("still here")
            if ended:
                return
            await asyncio.sleep(POLL)
            silent += POLL

    def counts(self) -> dict[str, int]:
        """Jobs by status, finished ones included as long as they are kept."""
        return dict(Counter(job.status for job in self._jobs.values()))

    async def stop(self) -> None:
        """Cancels all jobs and waits until their threads have ended."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _enqueue(self, job: Job, work: Callable[[], Awaitable[int]]) -> Job:
        ended = [id for id, old in self._jobs.items() if old.status in ENDED]
        if len(self._jobs) - len(ended) >= MOST_OPEN:
            raise Problem("unavailable", f"{MOST_OPEN} releases are being built or wait for it. Try again later.", retry_after=RETRY_AFTER)
        for id in ended[: max(len(ended) - KEPT + 1, 0)]:
            del self._jobs[id]
        self._jobs[job.id] = job
        task = asyncio.create_task(self._run(job, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return job

    async def _run(self, job: Job, work: Callable[[], Awaitable[int]]) -> None:
        try:
            async with self._turn:
                number = await work()
            job.number, job.progress, job.status = number, 1.0, "done"  # the status last: it is what others wait for
        except ReleaseRefused as refused:
            job.detail, job.status = str(refused), "refused"
        except Untrue as fault:
            log.error("a release is not what its checks say", extra={"survey": job.survey, "reason": str(fault)})
            job.detail, job.status = f"{fault} Nothing was published. This is a fault of the program: please report it.", "failed"
        except Exception as error:
            log.error("a release failed", extra={"survey": job.survey, "stack": stack_of(error)})
            job.detail, job.status = f"The release could not be built; nothing was published. {_remedy(error)}", "failed"

    async def _publish(self, job: Job) -> int:
        order = Order(job.survey, job.profile, job.purpose, job.language)
        published = await pipeline.publish_next(self._workshop, order, job.advance)
        job.warnings = published.warnings
        return published.number

    async def _compare(self, job: Job, published: Manifest) -> int:
        comparison = await pipeline.rebuild(self._workshop, published, job.advance)
        job.warnings, job.differing, job.detail = comparison.warnings, comparison.differing, comparison.detail
        return comparison.number


def _remedy(error: Exception) -> str:
    if isinstance(error, OSError) and outage_kind(error) is OutageKind.FULL:
        return "There is no room left on the disk that holds the releases: make room, then try again."
    return "Try again."
