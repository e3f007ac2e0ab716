"""The HTTP API of export: jobs, releases, their files, the page that lists them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, PathParameter
from litestar.response import Stream
from prometheus_client import CollectorRegistry, generate_latest

from proto.instrument import Instrument
from proto.languages import choose
from proto.manifest import File, Manifest
from proto.problem import Problem
from proto.registry import Registry
from services.export.bundle.verify import MANIFEST, describe
from services.export.dataset.citation import Work
from services.export.dataset.profiles import PROFILES
from services.export.http import data_page, files, routes_review
from services.export.http.interface import offered
from services.export.jobs import Job, Jobs
from services.export.store import Store
from services.export.texts.review import Reviewer
from services.runtime.allowed_methods import with_options
from services.runtime.audit_log import Recorder, Unrecorded
from services.runtime.http import health, sse, static_files
from services.runtime.http.authorization import bearer, demand
from services.runtime.http.health import Readiness
from services.runtime.http.host_guard import origin_of
from services.runtime.http.metrics import exposition, gauge, tasks_up
from services.runtime.http.problems import EXCEPTION_HANDLERS, answer, refused
from services.runtime.http.request_bodies import json_body
from services.runtime.http.responses import AnyRequest, html
from services.runtime.openapi import ANYBODY_OR_TOKEN, NOT_MODIFIED, ORGANISER, Reply, SurveyId, operation
from services.runtime.outage_kind import OutageKind, Unavailable, outage_kind
from services.runtime.supervision import Supervisor

STATIC = static_files.load(Path(__file__).parent / "static")
ARCHIVE = "release.zip"
ReleaseNumber = Annotated[int, PathParameter(schema_extra={"minimum": 1})]
_BEGUN = Reply("Begun; Location is the job", Job, headers={"Location": "The job"})
PATIENCE = 2.0
"""Seconds within which the database must answer for the service to be ready."""
ORDER = 16 * 1024
"""Bytes of the body that asks for a release."""


class ReleaseOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body that asks for a release."""

    profile: str = "public"
    purpose: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    """Why the data are needed; kept in the manifest. Asked for where a profile is not for everybody."""
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""
    """Of labels in files that hold only one language, such as SPSS and Stata; the survey's own where none is named."""


@dataclass(frozen=True)
class Context:
    registry: Registry
    store: Store
    jobs: Jobs
    folder: Path
    connected: Any
    """Tells whether NATS is reachable: a function without arguments."""
    tasks: Supervisor = field(default_factory=Supervisor)
    acts: Recorder = field(default_factory=Unrecorded)

    @cached_property
    def reviewer(self) -> Reviewer:
        return Reviewer(self.store, self.registry, self.jobs.signer)

    @cached_property
    def metrics(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        gauge(registry, "platea_export_jobs", "Release jobs by status", "status", self.jobs.counts)
        tasks_up(registry, "export", self.tasks.up)
        return registry


def create_app(context: Context) -> Litestar:
    """The ASGI app over an opened context."""
    handlers: dict[Any, Any] = EXCEPTION_HANDLERS | dict.fromkeys(Unavailable, _not_served)
    return Litestar(
        ROUTES,
        state=State({"context": context}),
        exception_handlers=handlers,
        openapi_config=None,
        logging_config=None,
        request_max_body_size=16 * 1024,
    )


def _not_served(request: AnyRequest, error: Any) -> Response[bytes]:
    match outage_kind(error):
        case OutageKind.LOST:
            return refused(Problem("unavailable", "The store is out of reach. Try again in a moment.", retry_after=5))
        case OutageKind.FULL:
            return refused(Problem("unavailable", "The store has no room at the moment.", retry_after=60))
        case _:
            return answer(request, error)


def _context(request: AnyRequest) -> Context:
    return request.app.state["context"]


def _survey(request: AnyRequest, id: str) -> Instrument:
    instrument = _context(request).registry.current(id)
    if instrument is None:
        raise Problem("survey-unknown")
    return instrument


@post(
    "/api/v1/surveys/{survey:str}/releases",
    status_code=HTTPStatus.ACCEPTED,
    **operation(
        "orderRelease",
        "Start building a release; the answer is a job to follow (organiser token)",
        {202: _BEGUN},
        (404, 503),
        body=ReleaseOrder,
        security=ORGANISER,
    ),
)
async def order(request: AnyRequest, survey: SurveyId) -> Response[Job]:
    by = demand(request, _context(request).registry, "organiser", survey, time.time())
    data = await json_body(request, ReleaseOrder, ORDER)
    languages = _survey(request, survey).languages
    if data.profile not in PROFILES:
        raise Problem("request-refused", f"Known profiles: {', '.join(PROFILES)}.")
    if PROFILES[data.profile].private and not data.purpose.strip():
        raise Problem("request-refused", f"A {data.profile} release needs a purpose, which its manifest tells.")
    if data.language and data.language not in languages:
        raise Problem("request-refused", f"This survey speaks {', '.join(languages)}.")
    begun = _begun(_context(request).jobs.start(survey, data.profile, data.purpose.strip(), data.language))
    await _context(request).acts.record(by.id, "release-ordered", survey, data.profile)
    return begun


def _begun(job: Job) -> Response[Job]:
    return Response(job, status_code=202, headers={"Location": f"/api/v1/surveys/{job.survey}/releases/jobs/{job.id}"})


@get(
    "/api/v1/surveys/{survey:str}/releases/jobs/{id:str}",
    **operation("getJob", "How far a job is (organiser token)", {200: Reply("The job", Job)}, (404, 503), security=ORGANISER),
)
async def job(request: AnyRequest, survey: SurveyId, id: FromPath[str]) -> Job:
    return _job(request, survey, id)


def _job(request: AnyRequest, survey: str, id: str) -> Job:
    demand(request, _context(request).registry, "organiser", survey, time.time())
    job = _context(request).jobs.get(survey, id)
    if job is None:
        raise Problem("not-found", "This job is unknown, perhaps since the service was restarted. Start it again.")
    return job


@get(
    "/api/v1/surveys/{survey:str}/releases/jobs/{id:str}/events",
    **operation(
        "followJob",
        "Server-Sent Events: the job each time it has got further, until it has ended (organiser token)",
        {200: Reply("event: progress, data: a Job", str, "text/event-stream")},
        (404, 503),
        security=ORGANISER,
    ),
)
async def events(request: AnyRequest, survey: SurveyId, id: FromPath[str]) -> Stream:
    pieces = _context(request).jobs.follow(_job(request, survey, id))
    return Stream(pieces, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


@get(
    "/api/v1/surveys/{survey:str}/releases",
    **operation(
        "listReleases",
        "The manifests of all releases, oldest first (researcher token); without a token, of those for everybody",
        {200: Reply("Manifests", list[Manifest])},
        (404, 503),
        security=ANYBODY_OR_TOKEN,
    ),
)
async def releases(request: AnyRequest, survey: SurveyId) -> list[Manifest]:
    everybody = bearer(request) is None
    if not everybody:
        demand(request, _context(request).registry, "researcher", survey, time.time())
    _survey(request, survey)
    return [manifest for manifest in await _context(request).store.releases(survey) if not everybody or _is_open(manifest)]


@get(
    "/api/v1/surveys/{survey:str}/releases/{number:int}",
    **operation(
        "getRelease",
        "The manifest of one release (researcher token, unless the release is for everybody)",
        {200: Reply("The manifest", Manifest)},
        (404, 503),
        security=ANYBODY_OR_TOKEN,
    ),
)
async def manifest(request: AnyRequest, survey: SurveyId, number: ReleaseNumber) -> Manifest:
    return await _release(request, survey, number)


@post(
    "/api/v1/surveys/{survey:str}/releases/{number:int}/rebuild",
    status_code=HTTPStatus.ACCEPTED,
    **operation(
        "rebuildRelease",
        "Build a release again and compare its bytes, publishing nothing; the answer is a job to follow (organiser token)",
        {202: _BEGUN},
        (404, 503),
        security=ORGANISER,
    ),
)
async def rebuild(request: AnyRequest, survey: SurveyId, number: ReleaseNumber) -> Response[Job]:
    by = demand(request, _context(request).registry, "organiser", survey, time.time())
    begun = _begun(_context(request).jobs.rebuild(await _release(request, survey, number)))
    await _context(request).acts.record(by.id, "release-rebuilt", survey, str(number))
    return begun


@get(
    "/api/v1/surveys/{survey:str}/releases/{number:int}/{name:str}",
    **operation(
        "getReleaseFile",
        "One file of a release, or release.zip with all of them; ranges and ETags are honoured (token as for its manifest)",
        {200: Reply("The file"), 206: Reply("The range asked for"), 304: NOT_MODIFIED},
        (404, 416, 503),
        security=ANYBODY_OR_TOKEN,
    ),
)
async def file(request: AnyRequest, survey: SurveyId, number: ReleaseNumber, name: FromPath[str]) -> Response[bytes] | Stream:
    manifest = await _release(request, survey, number)
    folder = _context(request).folder / survey / str(number)
    named = {entry.name: entry for entry in manifest.files}
    if name in (MANIFEST, ARCHIVE):
        named[MANIFEST] = await asyncio.to_thread(describe, folder / MANIFEST)
    if name == ARCHIVE and (archive := folder.with_suffix(".zip")).is_file():
        # What the archive holds is fixed by the manifest, and so is its name among caches.
        folder, named[ARCHIVE] = folder.parent, File(archive.name, archive.stat().st_size, f"zip-{named[MANIFEST].sha256}")
    if name not in named:
        raise Problem("not-found", "This release has no such file: " + ", ".join([*named, MANIFEST]) + " are there.")
    return files.serve(request, folder, named[name], everybody=_is_open(manifest))


async def _release(request: AnyRequest, survey: str, number: int) -> Manifest:
    """Raises Problem where it is not for everybody and the token does not open it; nobody is told which numbers there are."""
    if bearer(request) is None:
        open_ones = [
            manifest for manifest in await _context(request).store.releases(survey) if _is_open(manifest) and manifest.number == number
        ]
        if not open_ones:
            raise Problem("token-missing")
        return open_ones[0]
    demand(request, _context(request).registry, "researcher", survey, time.time())
    return await _published(request, survey, number)


def _is_open(manifest: Manifest) -> bool:
    """Whether it was made for everybody; a profile that is not known here was not."""
    return manifest.profile in PROFILES and not PROFILES[manifest.profile].private


async def _published(request: AnyRequest, survey: str, number: int) -> Manifest:
    for manifest in await _context(request).store.releases(survey):
        if manifest.number == number:
            return manifest
    raise Problem("not-found", "There is no release with this number.")


@get("/data/{survey:str}")
async def page(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """The releases of a survey, for people."""
    instrument, context = _survey(request, survey), _context(request)
    known = offered(instrument)
    language = choose(known, request.query_params.get("lang"), request.headers.get("accept-language", ""))
    published, withdrawn = await context.store.published(survey), await context.store.withdrawn(survey)
    deleted = await context.store.deleted(survey)
    body = data_page.render(instrument, published, withdrawn, language, _origin(request), context.jobs.signer.public_key, deleted)
    return html(body.encode(), language)


@get("/data/static/data.css", include_in_schema=False)
async def style(request: AnyRequest) -> Response[bytes]:
    return static_files.serve(request, STATIC, "data.css")


@get("/data/{survey:str}/{number:int}/citation.bib")
async def bibtex(request: AnyRequest, survey: FromPath[str], number: FromPath[int]) -> Response[str]:
    """How to cite a release, as BibTeX. Open to everybody."""
    cited = await _cited(request, survey, number)
    return Response(cited.bibtex(), media_type="application/x-bibtex; charset=utf-8")


@get("/data/{survey:str}/{number:int}/citation.json")
async def csl(request: AnyRequest, survey: FromPath[str], number: FromPath[int]) -> Response[bytes]:
    """How to cite a release, as CSL-JSON. Open to everybody."""
    cited = await _cited(request, survey, number)
    return Response(cited.csl(), media_type="application/vnd.citationstyles.csl+json")


async def _cited(request: AnyRequest, survey: str, number: int) -> Work:
    instrument = _survey(request, survey)
    return data_page.work(instrument, await _published(request, survey, number), f"{_origin(request)}/data/{survey}")


def _origin(request: AnyRequest) -> str:
    return origin_of(request.scope)


@get("/data/{survey:str}/key", media_type="text/plain")
async def key(request: AnyRequest, survey: FromPath[str]) -> str:
    """The public key that releases are signed with: Ed25519, base64."""
    _survey(request, survey)
    return _context(request).jobs.signer.public_key + "\n"


@get("/export/health/live", include_in_schema=False)
async def live() -> Response[bytes]:
    return health.live()


@get("/export/health/ready", include_in_schema=False)
async def ready(request: AnyRequest) -> Response[bytes]:
    context = _context(request)
    asked = asyncio.ensure_future(context.store.ping())
    done, _ = await asyncio.wait({asked}, timeout=PATIENCE)
    asked.cancel()  # a database that is frozen would not even hear of it
    database = bool(done) and asked.exception() is None and asked.result()  # any trouble with the database means the same here
    checks = {"nats": bool(context.connected()), "database": database, "tasks": not context.tasks.down}
    return health.ready(Readiness(checks), "Releases cannot be built just now.")


@get("/export/metrics", include_in_schema=False)
async def metrics(request: AnyRequest) -> Response[bytes]:
    return exposition(generate_latest(_context(request).metrics))


ROUTES = with_options(
    (
        *(order, job, events, releases, manifest, rebuild, file, routes_review.texts, routes_review.decide),
        *(page, style, bibtex, csl, key, live, ready, metrics),
    )
)
