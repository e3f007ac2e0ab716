"""The HTTP side of analysis: published figures, live events, exact figures for organisers, the dashboard. It knows no database."""

from __future__ import annotations

from typing import Annotated

from litestar import Litestar, MediaType, Response, get, route
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from proto.problem import Fault, Problem
from proto.snapshot import Snapshot, Table
from services.analysis.gateway import routes_files, routes_pages, routes_parked, sse
from services.analysis.gateway.context import (
    SECRET,
    Gateway,
    demand_organiser,
    demand_taken,
    edition_of,
    gateway_of,
    instrument_of,
    public_table,
)
from services.analysis.recount.report import RecountReport
from services.runtime.http import health
from services.runtime.http.authorization import AnyConnection
from services.runtime.http.encoded_body import takes_gzip
from services.runtime.http.metrics import exposition
from services.runtime.http.problems import EXCEPTION_HANDLERS
from services.runtime.http.responses import AnyRequest, cacheable, field_lines
from services.runtime.openapi import ANYBODY_OR_TOKEN, NOT_MODIFIED, ORGANISER, Reply, SurveyId, header, operation

__all__ = ["Gateway", "create_app"]


def create_app(gateway: Gateway) -> ASGIApp:
    """The ASGI app over connected parts."""
    return Litestar(
        ROUTES,
        state=State({"gateway": gateway}),
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
        request_max_body_size=16 * 1024,
    )


async def _organiser_sees_all(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Asked before anything else of a request for the exact view is read."""
    if connection.query_params.get("view") == "exact":
        demand_organiser(connection, connection.path_params["survey"])


async def _organiser(connection: AnyConnection, _: BaseRouteHandler) -> None:
    demand_organiser(connection, connection.path_params["survey"])


def _exact(view: str | None) -> bool:
    """Whether the exact view is asked for; that it is allowed, its guard has seen to."""
    if view not in (None, "public", "exact"):
        raise Problem("request-refused", errors=(Fault("/view", "unknown-code", "Known views are public and exact."),))
    return view == "exact"


def _secret(body: bytes) -> Response[bytes]:
    return Response(body, media_type=MediaType.JSON, headers=SECRET)


ViewName = Annotated[
    str | None,
    QueryParameter(description="exact needs an organiser token.", schema_extra={"enum": ["public", "exact"], "default": "public"}),
]


@get(
    "/api/v1/surveys/{survey:str}/aggregates",
    guards=[_organiser_sees_all],
    **operation(
        "getAggregates",
        "The published snapshot; with view=exact everything, nothing withheld",
        {200: Reply("The figures", Snapshot, headers={"ETag": "The revision"}), 304: NOT_MODIFIED},
        (400, 404, 422, 503),
        security=ANYBODY_OR_TOKEN,
    ),
)
async def aggregates(request: AnyRequest, survey: SurveyId, view: ViewName = None) -> Response[bytes]:
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    demand_taken(request, "view")
    if _exact(view):
        return _secret(await gateway.ask(survey, {"what": "exact"}))
    return cacheable(request, edition_of(gateway, survey).body)


@get(
    "/api/v1/surveys/{survey:str}/aggregates/{row:str}/{column:str}",
    guards=[_organiser_sees_all],
    **operation(
        "getTable",
        "Any two-way table of two questions, rows of a matrix (B02.cctv) or strata; as CSV with .csv behind it",
        {200: Reply("The table", Table, headers={"ETag": "The revision"}), 304: NOT_MODIFIED},
        (400, 404, 422, 503),
        security=ANYBODY_OR_TOKEN,
    ),
)
async def table(
    request: AnyRequest,
    survey: SurveyId,
    row: FromPath[str],
    column: FromPath[str],
    view: ViewName = None,
    weighted: Annotated[bool, QueryParameter(description="With weighted shares, where one side is a margin of the population.")] = False,
) -> Response[bytes]:
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    is_csv = column.endswith(".csv")
    demand_taken(request, "weighted", *(() if is_csv else ("view",)))
    if _exact(view):
        return _secret(await gateway.ask(survey, {"what": "table", "row": row, "column": column, "exact": True, "weighted": weighted}))
    if is_csv:
        return await routes_files.table_as_csv(request, survey, row, column.removesuffix(".csv"), weighted=weighted)
    return cacheable(request, await public_table(gateway, survey, row, column, weighted=weighted))


@get(
    "/api/v1/surveys/{survey:str}/live",
    **operation(
        "watchAggregates",
        "Server-Sent Events: the current snapshot at once, then each new one",
        {200: Reply("event: snapshot, id: the revision, data: a Snapshot", str, "text/event-stream")},
        (404, 405, 429, 503),
        parameters=[
            header("Last-Event-ID", "The revision you have: the next one follows. One that never was is answered with the current one.")
        ],
    ),
)
async def live(
    request: AnyRequest,
    survey: SurveyId,
    notice: Annotated[bool, QueryParameter(description="Only that there is a new edition: survey, revision, as_of, responses")] = False,
) -> ASGIApp:
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    demand_taken(request)
    options = sse.StreamOptions(request.headers.get("last-event-id"), takes_gzip(field_lines(request, "accept-encoding")), notice)

    async def answer(_: Scope, receive: Receive, send: Send) -> None:
        await sse.stream(gateway.broadcaster, survey, options, receive, send, gateway.heartbeat)

    return gateway.seats.seated(answer)


@route(
    "/api/v1/surveys/{survey:str}/recount",
    http_method=["GET", "POST"],
    status_code=200,
    guards=[_organiser],
    **operation(
        lambda _, method, __: "recount" if method == "GET" else "recountAgain",
        "Recompute every exact statistic from the stored responses; tells what differs (organiser token)",
        {200: Reply("What was compared, and what differs", RecountReport)},
        (404, 503),
        security=ORGANISER,
    ),
)
async def recount(request: AnyRequest, survey: SurveyId) -> Response[bytes]:
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    return _secret(await gateway.ask(survey, {"what": "recount"}))


@get("/analysis/health/live")
async def alive() -> Response[bytes]:
    return health.live()


@get("/analysis/health/ready")
async def ready(request: AnyRequest) -> Response[bytes]:
    return health.ready(gateway_of(request).ready(), "Answers are not being counted yet.")


@get("/analysis/metrics")
async def metrics(request: AnyRequest) -> Response[bytes]:
    return exposition(gateway_of(request).metrics())


ROUTES = (aggregates, table, live, recount, *routes_parked.ROUTES, *routes_files.ROUTES, *routes_pages.ROUTES, alive, ready, metrics)
