"""The HTTP side of analysis: published figures, live events, exact figures for organisers, the dashboard. It knows no database."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get, route
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp, Receive, Scope, Send

from proto.instrument import Instrument
from proto.problem import Fault, Problem
from proto.registry import Registry
from proto.web import EXCEPTION_HANDLERS, SECURITY_HEADERS, demand
from services.analysis import dashboard, events
from services.analysis.live import Board, Edition

AnyRequest = Request[Any, Any, Any]
Ask = Callable[[str, dict[str, Any]], Awaitable[bytes]]
"""Puts a question about a survey to the worker: (survey, question) → JSON. Raises Problem."""

FRESH = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
SECRET = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class Gateway:
    """`ready` tells whether figures are being counted, `metrics` gives Prometheus text."""

    registry: Registry
    board: Board
    ask: Ask
    ready: Callable[[], bool]
    metrics: Callable[[], bytes]
    now: Callable[[], float] = time.time
    heartbeat: float = events.HEARTBEAT
    pages: dict[tuple[str, str, str | None], tuple[str, str]] = field(default_factory=dict[tuple[str, str, str | None], tuple[str, str]])
    """The last rendering of each page, with its ETag."""


def create_app(gateway: Gateway) -> Litestar:
    """The ASGI app over connected parts."""
    return Litestar(
        [aggregates, table, live, recount, surveys_page, page, download, asset, alive, ready, metrics],
        state=State({"gateway": gateway}),
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=OpenAPIConfig(title="Platea analysis", version="1", path="/analysis/schema"),
        request_max_body_size=16 * 1024,
    )


def _of(request: AnyRequest) -> Gateway:
    return request.app.state["gateway"]


def _instrument(gateway: Gateway, survey: str) -> Instrument:
    instrument = gateway.registry.current(survey)
    if instrument is None:
        raise Problem("survey-unknown")
    return instrument


def _counted(gateway: Gateway, edition: Edition) -> Instrument:
    """The version of the instrument by which these figures were counted; a newer one may have other questions."""
    snapshot = edition.snapshot
    return gateway.registry.instrument(snapshot.survey, snapshot.version) or _instrument(gateway, snapshot.survey)


def _edition(gateway: Gateway, survey: str) -> Edition:
    instrument = _instrument(gateway, survey)
    edition = gateway.board.editions.get(survey)
    if edition is None:
        needed = instrument.policy.minimum
        raise Problem("not-published-yet", f"Figures follow once {needed} answers are in: fewer could point to single respondents.")
    return edition


def _exact(request: AnyRequest, view: str | None, survey: str) -> bool:
    """Whether the exact view is asked for, and allowed."""
    if view not in (None, "public", "exact"):
        raise Problem("request-refused", errors=(Fault("/view", "unknown-code", "Known views are public and exact."),))
    if view == "exact":
        gateway = _of(request)
        demand(request, gateway.registry, "organiser", survey, gateway.now())
    return view == "exact"


def _unchanged(request: AnyRequest, etag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in given.split(","))


def _json(body: bytes, headers: dict[str, str]) -> Response[bytes]:
    return Response(body, media_type=MediaType.JSON, headers=headers)


@get("/api/v1/surveys/{survey:str}/aggregates")
async def aggregates(request: AnyRequest, survey: FromPath[str], view: FromQuery[str | None] = None) -> Response[bytes]:
    """The published snapshot; with `view=exact` and an organiser token everything, nothing withheld."""
    gateway = _of(request)
    _instrument(gateway, survey)
    if _exact(request, view, survey):
        return _json(await gateway.ask(survey, {"what": "exact"}), SECRET)
    edition = _edition(gateway, survey)
    headers = FRESH | {"ETag": edition.etag}
    if _unchanged(request, edition.etag):
        return Response(b"", status_code=304, headers=headers)
    return _json(edition.body, headers)


@get("/api/v1/surveys/{survey:str}/aggregates/{row:str}/{column:str}")
async def table(
    request: AnyRequest, survey: FromPath[str], row: FromPath[str], column: FromPath[str], view: FromQuery[str | None] = None
) -> Response[bytes]:
    """Any two-way table of two questions, matrix rows ("B02.cctv") or strata, under the same policy."""
    gateway = _of(request)
    _instrument(gateway, survey)
    exact = _exact(request, view, survey)
    if not exact:
        _edition(gateway, survey)
    body = await gateway.ask(survey, {"what": "table", "row": row, "column": column, "exact": exact})
    return _json(body, SECRET if exact else FRESH)


@get("/api/v1/surveys/{survey:str}/live", include_in_schema=False)
async def live(request: AnyRequest, survey: FromPath[str]) -> ASGIApp:
    """Server-Sent Events: the current snapshot at once, then each new one."""
    gateway = _of(request)
    _instrument(gateway, survey)
    last_seen = request.headers.get("last-event-id")

    async def answer(_: Scope, receive: Receive, send: Send) -> None:
        await events.stream(gateway.board, survey, last_seen, receive, send, gateway.heartbeat)

    return answer


@route("/api/v1/surveys/{survey:str}/recount", http_method=["GET", "POST"], status_code=200)
async def recount(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """Recomputes every exact statistic from the stored responses and tells what differs (organiser token)."""
    gateway = _of(request)
    _instrument(gateway, survey)
    demand(request, gateway.registry, "organiser", survey, gateway.now())
    return _json(await gateway.ask(survey, {"what": "recount"}), SECRET)


def _html(body: str, language: str, status: int = 200, etag: str | None = None) -> Response[bytes]:
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache", "Content-Language": language, "Vary": "Accept-Language"}
    if etag is not None:
        headers["ETag"] = etag
    return Response(body.encode(), status_code=status, media_type=MediaType.HTML, headers=headers)


@get(["/live", "/live/"])
async def surveys_page(request: AnyRequest, lang: FromQuery[str | None] = None) -> Response[bytes]:
    """The surveys that have figures, or will have."""
    gateway = _of(request)
    language = dashboard.interface(lang, request.headers.get("accept-language", ""))
    instruments = [found for id in gateway.registry.surveys() if (found := gateway.registry.current(id))]
    return _html(dashboard.listing(instruments, gateway.board.editions, language), language)


@get("/live/{survey:str}")
async def page(
    request: AnyRequest, survey: FromPath[str], lang: FromQuery[str | None] = None, by: FromQuery[str | None] = None
) -> Response[bytes]:
    """The dashboard of a survey, complete without JavaScript."""
    gateway = _of(request)
    accepted = request.headers.get("accept-language", "")
    instrument = gateway.registry.current(survey)
    if instrument is None:
        language = dashboard.interface(lang, accepted)
        return _html(dashboard.unknown(language), language, 404)
    language = dashboard.language_of(instrument, lang, accepted)
    edition = gateway.board.editions.get(survey)
    if edition is None:
        return _html(dashboard.empty(instrument, language), language)
    instrument = _counted(gateway, edition)
    stratum = by if by in instrument.strata else None
    etag = f'"{edition.snapshot.revision}-{language}-{stratum or ""}-{gateway.registry.revision}"'
    if _unchanged(request, etag):
        return _html("", language, 304, etag)
    key = survey, language, stratum
    if gateway.pages.get(key, ("",))[0] != etag:
        is_open = gateway.registry.is_open(survey)
        gateway.pages[key] = etag, dashboard.page(instrument, edition.snapshot, language, stratum, is_open=is_open)
    return _html(gateway.pages[key][1], language, etag=etag)


@get("/live/{survey:str}/{file:str}")
async def download(request: AnyRequest, survey: FromPath[str], file: FromPath[str], lang: FromQuery[str | None] = None) -> Response[bytes]:
    """The figures of one question as CSV: /live/{survey}/{question}.csv."""
    gateway = _of(request)
    edition = _edition(gateway, survey)
    instrument = _counted(gateway, edition)
    id = file.removesuffix(".csv")
    if id == file or id not in edition.snapshot.questions:
        raise Problem("not-found", "There is a file for each question, such as B01.csv.")
    language = dashboard.language_of(instrument, lang, request.headers.get("accept-language", ""))
    body = dashboard.csv_of(instrument, edition.snapshot, id, language)
    headers = FRESH | {"Content-Disposition": f'attachment; filename="{survey}-{id}.csv"', "ETag": edition.etag}
    return Response(body.encode(), media_type="text/csv; charset=utf-8", headers=headers)


@get("/live/static/{name:str}")
async def asset(name: FromPath[str]) -> Response[bytes]:
    """The dashboard's own style and script."""
    found = dashboard.ASSETS.get(name)
    if found is None:
        raise Problem("not-found")
    body, media_type = found
    return Response(body, media_type=media_type, headers={"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"})


@get("/analysis/health/live")
async def alive() -> dict[str, str]:
    return {"status": "live"}


@get("/analysis/health/ready")
async def ready(request: AnyRequest) -> dict[str, str]:
    if not _of(request).ready():
        raise Problem("unavailable", "Answers are not being counted yet.", retry_after=1)
    return {"status": "ready"}


@get("/analysis/metrics")
async def metrics(request: AnyRequest) -> Response[bytes]:
    return Response(_of(request).metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
