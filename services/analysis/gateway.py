"""The HTTP side of analysis: published figures, live events, exact figures for organisers, the dashboard. It knows no database."""

from __future__ import annotations

from litestar import Litestar, MediaType, Response, get, route
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp, Receive, Scope, Send

from proto.problem import Fault, Problem
from proto.web import EXCEPTION_HANDLERS, demand
from services.analysis import dashboard, events, routes_pages
from services.analysis.live import Edition
from services.analysis.serving import AnyRequest, Gateway, counted, gateway_of, instrument_of, unchanged

__all__ = ["Gateway", "create_app"]

FRESH = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
SECRET = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def create_app(gateway: Gateway) -> Litestar:
    """The ASGI app over connected parts."""
    return Litestar(
        [aggregates, table, live, recount, download, *routes_pages.ROUTES, alive, ready, metrics],
        state=State({"gateway": gateway}),
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=OpenAPIConfig(title="Platea analysis", version="1", path="/analysis/schema"),
        request_max_body_size=16 * 1024,
    )


def _edition(gateway: Gateway, survey: str) -> Edition:
    instrument = instrument_of(gateway, survey)
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
        gateway = gateway_of(request)
        demand(request, gateway.registry, "organiser", survey, gateway.now())
    return view == "exact"


def _json(body: bytes, headers: dict[str, str]) -> Response[bytes]:
    return Response(body, media_type=MediaType.JSON, headers=headers)


@get("/api/v1/surveys/{survey:str}/aggregates")
async def aggregates(request: AnyRequest, survey: FromPath[str], view: FromQuery[str | None] = None) -> Response[bytes]:
    """The published snapshot; with `view=exact` and an organiser token everything, nothing withheld."""
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    if _exact(request, view, survey):
        return _json(await gateway.ask(survey, {"what": "exact"}), SECRET)
    edition = _edition(gateway, survey)
    headers = FRESH | {"ETag": edition.etag}
    if unchanged(request, edition.etag):
        return Response(b"", status_code=304, headers=headers)
    return _json(edition.body, headers)


@get("/api/v1/surveys/{survey:str}/aggregates/{row:str}/{column:str}")
async def table(
    request: AnyRequest, survey: FromPath[str], row: FromPath[str], column: FromPath[str], view: FromQuery[str | None] = None
) -> Response[bytes]:
    """Any two-way table of two questions, matrix rows ("B02.cctv") or strata, under the same policy."""
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    exact = _exact(request, view, survey)
    if not exact:
        _edition(gateway, survey)
    body = await gateway.ask(survey, {"what": "table", "row": row, "column": column, "exact": exact})
    return _json(body, SECRET if exact else FRESH)


@get("/api/v1/surveys/{survey:str}/live", include_in_schema=False)
async def live(request: AnyRequest, survey: FromPath[str]) -> ASGIApp:
    """Server-Sent Events: the current snapshot at once, then each new one."""
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    last_seen = request.headers.get("last-event-id")

    async def answer(_: Scope, receive: Receive, send: Send) -> None:
        await events.stream(gateway.board, survey, last_seen, receive, send, gateway.heartbeat)

    return answer


@route("/api/v1/surveys/{survey:str}/recount", http_method=["GET", "POST"], status_code=200)
async def recount(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """Recomputes every exact statistic from the stored responses and tells what differs (organiser token)."""
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    demand(request, gateway.registry, "organiser", survey, gateway.now())
    return _json(await gateway.ask(survey, {"what": "recount"}), SECRET)


@get("/live/{survey:str}/{file:str}")
async def download(request: AnyRequest, survey: FromPath[str], file: FromPath[str], lang: FromQuery[str | None] = None) -> Response[bytes]:
    """The figures of one question as CSV: /live/{survey}/{question}.csv."""
    gateway = gateway_of(request)
    edition = _edition(gateway, survey)
    instrument = counted(gateway, edition)
    id = file.removesuffix(".csv")
    if id == file or id not in edition.snapshot.questions:
        raise Problem("not-found", "There is a file for each question, such as B01.csv.")
    language = dashboard.language_of(instrument, lang, request.headers.get("accept-language", ""))
    body = dashboard.csv_of(instrument, edition.snapshot, id, language)
    headers = FRESH | {"Content-Disposition": f'attachment; filename="{survey}-{id}.csv"', "ETag": edition.etag}
    return Response(body.encode(), media_type="text/csv; charset=utf-8", headers=headers)


@get("/analysis/health/live")
async def alive() -> dict[str, str]:
    return {"status": "live"}


@get("/analysis/health/ready")
async def ready(request: AnyRequest) -> dict[str, str]:
    if not gateway_of(request).ready():
        raise Problem("unavailable", "Answers are not being counted yet.", retry_after=1)
    return {"status": "ready"}


@get("/analysis/metrics")
async def metrics(request: AnyRequest) -> Response[bytes]:
    return Response(gateway_of(request).metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
