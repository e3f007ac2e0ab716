"""The HTTP side of analysis: published figures, live events, exact figures for organisers, the dashboard. It knows no database."""

from __future__ import annotations

from litestar import Litestar, MediaType, Response, get, route
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp, Receive, Scope, Send

from proto.problem import Fault, Problem
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
from services.runtime.http import health
from services.runtime.http.authorization import AnyConnection
from services.runtime.http.encoded_body import takes_gzip
from services.runtime.http.metrics import exposition
from services.runtime.http.problems import EXCEPTION_HANDLERS
from services.runtime.http.responses import AnyRequest, cacheable, field_lines

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


@get("/api/v1/surveys/{survey:str}/aggregates", guards=[_organiser_sees_all])
async def aggregates(request: AnyRequest, survey: FromPath[str], view: FromQuery[str | None] = None) -> Response[bytes]:
    """The published snapshot; with `view=exact` and an organiser token everything, nothing withheld."""
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    demand_taken(request, "view")
    if _exact(view):
        return _secret(await gateway.ask(survey, {"what": "exact"}))
    return cacheable(request, edition_of(gateway, survey).body)


@get("/api/v1/surveys/{survey:str}/aggregates/{row:str}/{column:str}", guards=[_organiser_sees_all])
async def table(
    request: AnyRequest,
    survey: FromPath[str],
    row: FromPath[str],
    column: FromPath[str],
    view: FromQuery[str | None] = None,
    weighted: FromQuery[bool] = False,
) -> Response[bytes]:
    """Any two-way table of two questions, matrix rows ("B02.cctv") or strata, under the same policy; as CSV with ".csv" behind it.

    `weighted`: with weighted shares, where one side is a margin of the population.
    """
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    is_csv = column.endswith(".csv")
    demand_taken(request, "weighted", *(() if is_csv else ("view",)))
    if _exact(view):
        return _secret(await gateway.ask(survey, {"what": "table", "row": row, "column": column, "exact": True, "weighted": weighted}))
    if is_csv:
        return await routes_files.table_as_csv(request, survey, row, column.removesuffix(".csv"), weighted=weighted)
    return cacheable(request, await public_table(gateway, survey, row, column, weighted=weighted))


@get("/api/v1/surveys/{survey:str}/live", include_in_schema=False)
async def live(request: AnyRequest, survey: FromPath[str], notice: FromQuery[bool] = False) -> ASGIApp:
    """Server-Sent Events: the current snapshot at once, then each new one; with `notice` only that there is one."""
    gateway = gateway_of(request)
    instrument_of(gateway, survey)
    demand_taken(request)
    options = sse.StreamOptions(request.headers.get("last-event-id"), takes_gzip(field_lines(request, "accept-encoding")), notice)

    async def answer(_: Scope, receive: Receive, send: Send) -> None:
        await sse.stream(gateway.broadcaster, survey, options, receive, send, gateway.heartbeat)

    return gateway.seats.seated(answer)


@route("/api/v1/surveys/{survey:str}/recount", http_method=["GET", "POST"], status_code=200, guards=[_organiser])
async def recount(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """Recomputes every exact statistic from the stored responses and tells what differs (organiser token)."""
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
