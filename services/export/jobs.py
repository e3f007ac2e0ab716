"""Jobs that build releases: one at a time, each with its progress, nothing half-written when one fails."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import msgspec
import pandas as pd

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from proto.registry import Registry
from services.export.release import PROFILES, Refused, protect, table_of, write
from services.export.store import Store
from services.export.variables import Encoder, Variable, variables

log = logging.getLogger(__name__)

Status = Literal["waiting", "reading", "protecting", "writing", "done", "refused", "failed"]
BATCH = 1000
"""Responses that are read into codes at once."""
KEPT = 100
"""Finished jobs that can still be asked about."""


class Job(msgspec.Struct):
    """`progress` is from 0 to 1; `number` is there when the status is "done", `detail` says why a job was refused or failed."""

    id: str
    survey: str
    profile: str
    status: Status = "waiting"
    progress: float = 0.0
    responses: int = 0
    number: int | None = None
    detail: str = ""


class Jobs:
    def __init__(self, store: Store, registry: Registry, folder: Path) -> None:
        self._store, self._registry, self._folder = store, registry, folder
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    def start(self, survey: str, profile: str) -> Job:
        job = Job(secrets.token_hex(8), survey, profile)
        self._jobs[job.id] = job
        for old in list(self._jobs)[:-KEPT]:
            del self._jobs[old]
        task = asyncio.create_task(self._run(job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return job

    def get(self, survey: str, id: str) -> Job | None:
        job = self._jobs.get(id)
        return job if job is not None and job.survey == survey else None

    def counts(self) -> dict[str, int]:
        """How many of the remembered jobs have which status."""
        return dict(Counter(job.status for job in self._jobs.values()))

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, job: Job) -> None:
        try:
            async with self._turn:
                job.number = await self._build(job)
            job.status, job.progress = "done", 1.0
        except Refused as refused:
            job.status, job.detail = "refused", str(refused)
        except Exception as error:
            log.error("release of %s failed: %s", job.survey, type(error).__name__)
            log.debug("release failed", exc_info=True)
            job.status, job.detail = "failed", "The release could not be built; nothing was published. Try again."

    async def _build(self, job: Job) -> int:
        """Reads, protects, writes beside the published folder and moves it there in the same step as its entry."""
        instrument = self._registry.current(job.survey)
        if instrument is None:
            raise Refused("This survey is unknown.")
        job.status, job.progress = "reading", 0.05
        columns = variables(instrument)
        full = await self._read(job, instrument, columns)
        job.status, job.progress = "protecting", 0.4
        profile = PROFILES[job.profile]
        protected = await asyncio.to_thread(protect, columns, full, profile)
        del full
        job.status, job.progress = "writing", 0.6

        def progress(share: float) -> None:
            job.progress = 0.6 + 0.4 * share

        published = self._folder / job.survey
        published.mkdir(parents=True, exist_ok=True)
        async with self._store.numbering(job.survey) as (number, enter):
            table = await asyncio.to_thread(table_of, number, instrument, columns, protected, profile, job.responses)
            with tempfile.TemporaryDirectory(prefix=".building-", dir=self._folder) as building:
                folder = Path(building) / "release"
                folder.mkdir(mode=0o755)
                enter(await asyncio.to_thread(write, folder, table, profile.minimum, progress))
                _move(folder, published / str(number))
        return number

    async def _read(self, job: Job, instrument: Instrument, columns: list[Variable]) -> pd.DataFrame:
        """Every response as codes, read a batch at a time: the answers themselves are never all in memory."""
        readers: dict[str, Reader] = {}
        encoder = Encoder(CodeBook(Reader(instrument)), columns)
        waiting: dict[str, list[Any]] = {}
        async for version, answers in self._store.responses(job.survey):
            if version not in readers:
                readers[version] = Reader(self._known(job.survey, version))
            batch = waiting.setdefault(version, [])
            batch.append(readers[version].stored(answers))
            job.responses += 1
            if len(batch) == BATCH:
                await asyncio.to_thread(encoder.add, waiting.pop(version))
        for batch in waiting.values():
            encoder.add(batch)
        return await asyncio.to_thread(encoder.table)

    def _known(self, survey: str, version: str) -> Instrument:
        instrument = self._registry.instrument(survey, version)
        if instrument is None:
            raise Refused(f"Version {version} of the instrument is unknown here.")
        return instrument


def _move(folder: Path, target: Path) -> None:
    """A folder already there was never entered: its job was cut off between the move and the commit."""
    if target.exists():
        shutil.rmtree(target)
    folder.rename(target)
