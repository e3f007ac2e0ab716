"""Jobs that build releases: one at a time, each with its progress, nothing half-written when one fails."""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pandas as pd

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from proto.manifest import Manifest
from proto.problem import Problem
from proto.registry import Registry
from services.export.bundle import publish
from services.export.bundle.signing import Signer
from services.export.bundle.verify import differing
from services.export.dataset.profiles import PROFILES, Profile
from services.export.dataset.table import Passages
from services.export.dataset.variables import Encoder, Variable, variables, with_bands
from services.export.gate import ledger
from services.export.gate.ledger import Keys, People
from services.export.gate.refused import Refused
from services.export.gate.truth import Untrue, Witness
from services.export.release import Protected, policy_of, protect, table_of, write
from services.export.report.of_release import files as report_files
from services.export.report.of_release import report_on
from services.export.report.sentences import warnings
from services.export.store import Entry, Positions, Responses, Store
from services.export.texts import accepted as texts
from services.export.texts import review
from services.export.texts.accepted import Gathered, Text
from services.export.texts.passages import passages
from services.runtime.supervision import stack_of

log = logging.getLogger(__name__)

Status = Literal["waiting", "reading", "protecting", "writing", "done", "refused", "failed"]
ENDED = ("done", "refused", "failed")
EARLIER_RULES = (
    "Release {} hides rare answers by earlier rules, which this program no longer has: its files and its signature can be checked as "
    "before, but it cannot be built again to the same bytes."
)
KEPT = 100
"""Finished jobs that can still be asked about."""
MOST_OPEN = 50
"""Jobs that wait or run; one more is refused."""
RETRY_AFTER = 60
BATCH = 1000
"""Responses that are read into codes at once: they and their cells stay in the processor's cache, which halves the time of 4,000."""
LOOK = 0.1
"""Seconds between two looks at a job that somebody follows."""
HEARTBEAT = 10.0


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


@dataclass(frozen=True)
class _Built:
    """What a release is written from: the answers, the protected table, and what it was made by."""

    instrument: Instrument
    columns: list[Variable]
    answers: pd.DataFrame
    positions: Positions
    protected: Protected
    profile: Profile
    passages: Passages | None
    """None where the profile has no free texts."""
    gathered: Gathered
    texts: texts.Book


def today_in_utc() -> str:
    return datetime.now(UTC).date().isoformat()


class Jobs:
    """`site`: the address of the site, as its operator has set it, for citations; empty where nobody has. `today`: the day, ISO 8601."""

    def __init__(
        self, store: Store, registry: Registry, folder: Path, signer: Signer, site: str = "", today: Callable[[], str] = today_in_utc
    ) -> None:
        self._store, self._registry, self._folder, self.signer = store, registry, folder, signer
        self._site, self._today = site.rstrip("/"), today
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    def start(self, survey: str, profile: str, purpose: str = "", language: str = "") -> Job:
        """A job that builds the next release, with labels in this language, or in the survey's own."""
        job = Job(secrets.token_hex(8), survey, profile, purpose, language)
        return self._begin(job, partial(self._publish, job))

    def rebuild(self, published: Manifest) -> Job:
        """A job that builds a published release again, compares, and leaves nothing behind."""
        job = Job(secrets.token_hex(8), published.survey, published.profile, published.purpose, published.language)
        return self._begin(job, partial(self._compare, job, published))

    def get(self, survey: str, id: str) -> Job | None:
        job = self._jobs.get(id)
        return job if job is not None and job.survey == survey else None

    async def follow(self, job: Job) -> AsyncIterator[bytes]:
        """The job as Server-Sent Events, each time it has changed, until it has ended."""
        last, silent = b"", 0.0
        while True:
            ended, body = job.status in ENDED, msgspec.json.encode(job)
            if body != last:
                last, silent = body, 0.0
                yield b"event: progress\ndata: %b\n\n" % body
            elif silent >= HEARTBEAT:
                silent = 0.0
                yield b": still here\n\n"
            if ended:
                return
            await asyncio.sleep(LOOK)
            silent += LOOK

    def counts(self) -> dict[str, int]:
        """How many of the remembered jobs have which status."""
        return dict(Counter(job.status for job in self._jobs.values()))

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _begin(self, job: Job, work: Callable[[], Any]) -> Job:
        ended = [id for id, old in self._jobs.items() if old.status in ENDED]
        if len(self._jobs) - len(ended) >= MOST_OPEN:
            raise Problem("unavailable", f"{MOST_OPEN} releases are being built or wait for it. Try again later.", retry_after=RETRY_AFTER)
        for old in ended[: max(len(ended) - KEPT + 1, 0)]:
            del self._jobs[old]
        self._jobs[job.id] = job
        task = asyncio.create_task(self._run(job, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return job

    async def _run(self, job: Job, work: Callable[[], Any]) -> None:
        try:
            async with self._turn:
                number = await work()
            job.number, job.progress, job.status = number, 1.0, "done"  # the status last: it is what others wait for
        except Refused as refused:
            job.detail, job.status = str(refused), "refused"
        except Untrue as fault:
            log.error("release of %s failed: %s", job.survey, fault)
            job.detail, job.status = f"{fault} Nothing was published. This is a fault of the program: please report it.", "failed"
        except Exception as error:
            log.error("release of %s failed: %s", job.survey, stack_of(error))
            job.detail, job.status = f"The release could not be built; nothing was published. {_remedy(error)}", "failed"

    async def _publish(self, job: Job) -> int:
        """Writes beside the published folder and moves the release there in the same step as its entry."""
        published, date = self._folder / job.survey, self._today()
        address = f"{self._site}/data/{job.survey}" if self._site else ""
        async with self._store.building(job.survey) as numbering:
            number, withdrawn = numbering.number, await self._store.withdrawn(job.survey)
            built = await self._build(job, number, self._current(job.survey))
            with publish.stage(published) as place:
                release = place / "release"
                manifest = await self._write(job, built, number, release, date, address)
                await asyncio.to_thread(publish.prepare, release, published, number)
                kept = texts.encode(built.texts) if built.profile.texts else None
                entry = Entry(manifest, ledger.encode(built.protected.book), kept, built.positions)
                async with numbering.entering(entry, withdrawn):
                    await asyncio.to_thread(publish.publish, release, published, number)
        await self._store.decide(job.survey, dict.fromkeys(built.gathered.gone()))
        return number

    async def _compare(self, job: Job, published: Manifest) -> int:
        """Builds a release from the responses and the version it was built from, as far as they stand."""
        number, survey = published.number, published.survey
        positions = await self._store.positions(survey, number)
        built = await self._build(job, number, self._known(survey, published.version), positions, again=True)
        with tempfile.TemporaryDirectory(prefix=".rebuilding-", dir=self._folder) as place:
            manifest = await self._write(job, built, number, Path(place) / "release", published.date, published.address)
            job.differing = differing(published, manifest)
        if (gone := published.responses - manifest.responses) and positions is not None:
            were = "was" if gone == 1 else "were"
            job.detail = (
                f"{gone} of the {published.responses} responses that release {number} was made of {were} changed or withdrawn since."
            )
            if await self._store.mended():
                job.detail += " Answers that were put back into the journal from the store count as changed."
        elif gone:
            job.detail = f"There are {manifest.responses} responses now; release {number} was made of {published.responses}."
        if job.differing and "merged_scales" not in published.policy:
            job.detail = f"{job.detail} {EARLIER_RULES.format(number)}".strip()
        return number

    async def _build(
        self, job: Job, number: int, instrument: Instrument, positions: Positions | None = None, again: bool = False
    ) -> _Built:
        """Reads all responses as they stand now, and protects them together with what was released before this number.

        `positions`: reads only what stands unchanged since then. `again`: this number was released before.
        """
        if (day := await self._store.deleted(job.survey)) is not None:
            raise Refused(
                f"The answers to this survey were deleted on {day.isoformat()}, as its retention says. Its figures and releases stay; "
                "no release can be built from them any more, nor built again."
            )
        job.status, profile = "reading", PROFILES[job.profile]
        instrument = with_bands(instrument)
        columns = variables(instrument)
        gathered, before = await self._decided(job.survey, profile)
        keys = Keys(self.signer.derived("ledger"), job.survey)
        async with self._store.responses(job.survey, BATCH, positions) as responses:
            full, people = await self._read(job, responses, instrument, columns, keys, gathered if profile.texts else None)
        job.status, job.progress = "protecting", 0.4
        stored = await self._store.ledger(job.survey)
        book = ledger.decode(stored) if stored is not None else None
        protected = await asyncio.to_thread(protect, columns, full, profile, people, keys, number, book)
        if not profile.texts:
            return _Built(instrument, columns, full, responses.positions, protected, profile, None, gathered, before)
        found, after = passages(instrument, gathered, before, number, profile.k, again)
        return _Built(instrument, columns, full, responses.positions, protected, profile, found, gathered, after)

    async def _decided(self, survey: str, profile: Profile) -> tuple[Gathered, texts.Book]:
        """What was decided about texts, ready to gather them, and which of them earlier releases hold."""
        if not profile.texts:
            return Gathered(review.handles_of(self.signer, survey), {}), texts.Book()
        book = texts.decode(await self._store.text_book(survey))
        return Gathered(review.handles_of(self.signer, survey), await self._store.decisions(survey), frozenset(book.entries)), book

    async def _write(self, job: Job, built: _Built, number: int, folder: Path, date: str, address: str) -> Manifest:
        """The signed manifest of the files written into this new folder. `date`, `address`: as the manifest tells them."""
        job.status, job.progress = "writing", 0.6

        def progress(share: float) -> None:
            job.progress = 0.6 + 0.35 * share

        def work() -> Manifest:
            folder.mkdir(mode=0o755)
            table = table_of(
                *(number, built.instrument, built.columns, built.protected, built.profile, job.responses, job.language, date, address),
                self._earlier(built.instrument),
            )
            table = replace(table, passages=built.passages)
            policy = policy_of(built.profile, built.protected)
            policy["texts"] = len(built.passages.lines) if built.passages else 0
            found = report_on(built.answers, table, built.columns, built.instrument, built.protected.reasons, built.protected.reading)
            job.warnings = warnings(found)
            return write(folder, table, policy, self.signer, progress, job.purpose, report_files(found, table))

        return await asyncio.to_thread(work)

    async def _read(
        self, job: Job, responses: Responses, instrument: Instrument, columns: list[Variable], keys: Keys, gathered: Gathered | None
    ) -> tuple[pd.DataFrame, People]:
        """Every response as codes, and the keyed hash of its id; read a batch at a time: the answers themselves are never all in memory.

        `gathered` takes the free texts, where they are wanted.
        """
        readers = {instrument.version: Reader(instrument)}
        encoder = Encoder(CodeBook(readers[instrument.version]), columns)  # its answers are read as they are, those of others converted
        witness, people = Witness(instrument, columns), list[People]()

        def add(batch: list[tuple[str, str, bytes, str]]) -> None:
            for version, group in groupby(sorted(batch, key=itemgetter(0)), key=itemgetter(0)):
                if version not in readers:
                    readers[version] = Reader(self._known(job.survey, version))
                members = list(group)
                answers = [readers[version].stored(text) for _, text, _, _ in members]
                codes = encoder.add(answers)
                if version == instrument.version:
                    witness.judge(answers, codes)
                people.append(keys.people([id for _, _, id, _ in members]))
                if gathered is not None:
                    asked = sorted(review.asked_in(instrument, self._known(job.survey, version)))
                    for (_, _, id, language), given in zip(members, answers, strict=True):
                        for question in asked:
                            gathered.add(Text(id, question, language, getattr(given, question) or ""))

        adding: asyncio.Task[None] | None = None
        try:
            async for batch in responses.batches:
                if adding is not None:
                    await adding
                adding = asyncio.create_task(asyncio.to_thread(add, batch))  # while the database makes the next
                job.responses += len(batch)
                job.progress = 0.4 * job.responses / responses.count
            if adding is not None:
                await adding
        finally:
            if adding is not None:  # a thread cannot be stopped: whatever else went wrong, it is waited for
                await asyncio.wait([adding])
        return await asyncio.to_thread(encoder.table), np.concatenate(people) if people else keys.people([])

    def _earlier(self, instrument: Instrument) -> dict[str, list[Variable]]:
        """Each variable in the versions published before this one, the first one first: they keep the numbers of its values."""
        found: dict[str, list[Variable]] = {}
        for version, earlier in self._registry.versions[instrument.id].items():
            if version == instrument.version:
                return found
            for variable in variables(with_bands(earlier)):
                found.setdefault(variable.name, []).append(variable)
        return found

    def _current(self, survey: str) -> Instrument:
        instrument = self._registry.current(survey)
        if instrument is None:
            raise Refused("This survey is unknown.")
        return instrument

    def _known(self, survey: str, version: str) -> Instrument:
        instrument = self._registry.instrument(survey, version)
        if instrument is None:
            raise Refused(f"Version {version} of the instrument is unknown here.")
        return instrument


def _remedy(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "There is no room left on the disk that holds the releases: make room, then try again."
    return "Try again."
