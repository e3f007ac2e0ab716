"""/api/v1/parked: events that could not be read, for organisers of the whole server."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from msgspec import Meta

from proto import subjects
from proto.problem import Problem
from services.analysis.gateway.context import SECRET, demand_organiser, gateway_of
from services.analysis.ingest.parked_events import EventsDropped, EventsReadAgain, UnreadEvents
from services.runtime import audit_log
from services.runtime.http.authorization import AnyConnection
from services.runtime.http.responses import AnyRequest
from services.runtime.openapi import ORGANISER, Reply, operation

PATH = "/api/v1/parked"
Kind = TypeVar("Kind")


class ParkedEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers of the journal; without them, all that are parked."""

    events: Annotated[list[Annotated[int, Meta(ge=1, le=2**62)]], Meta(max_length=1000)] | None = None


class ParkedEventsToDrop(ParkedEvents, frozen=True, forbid_unknown_fields=True):
    """`count` is how many that are, so that nothing is given up that was not seen."""

    count: int = 0


async def _organiser(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Asked before the body is read. A token for one survey does not do."""
    demand_organiser(connection)


@get(
    PATH,
    guards=[_organiser],
    **operation(
        "listParked",
        "Accepted events that could not be read, and such that wait for a version of a survey to be known (organiser token)",
        {200: Reply("Their number, place and reason, and the day since when", UnreadEvents)},
        (503,),
        security=ORGANISER,
    ),
)
async def listed(request: AnyRequest) -> Response[bytes]:
    """How many events are parked, and how many wait for a version of a survey to be known here; the first thousand of them."""
    return await _asked(request, {"what": "parked"})


@post(
    f"{PATH}/retry",
    status_code=200,
    guards=[_organiser],
    **operation(
        "retryParked",
        "Read parked events again from the journal, all or the named ones; tells what became of them (organiser token)",
        {200: Reply("How many were recorded, and how many not", EventsReadAgain)},
        (503,),
        body=ParkedEvents,
        body_needed=False,
        security=ORGANISER,
    ),
)
async def retry(request: AnyRequest) -> Response[bytes]:
    """Reads parked events again from the journal: after an update, for example. Says how many were recorded."""
    found = await _asked(request, {"what": "retry", "events": (await _body(request, ParkedEvents)).events})
    await _record(request, "parked-retried")
    return found


@post(
    f"{PATH}/drop",
    status_code=200,
    guards=[_organiser],
    **operation(
        "dropParked",
        "Erase events from the journal for good; count must be how many they are (organiser token)",
        {200: Reply("How many were erased", EventsDropped)},
        (412, 503),
        body=ParkedEventsToDrop,
        body_needed=False,
        security=ORGANISER,
    ),
)
async def drop(request: AnyRequest) -> Response[bytes]:
    """Erases parked events from the journal for good; one that waits only if it is named. Their receipts open nothing then."""
    body = await _body(request, ParkedEventsToDrop)
    found = await _asked(request, {"what": "drop", "events": body.events, "count": body.count})
    await _record(request, "parked-dropped", str(body.count))
    return found


async def _record(request: AnyRequest, act: audit_log.Kind, about: str = "") -> None:
    await gateway_of(request).acts.record(demand_organiser(request).id, act, about=about)


async def _asked(request: AnyRequest, question: dict[str, Any]) -> Response[bytes]:
    found = await gateway_of(request).ask(subjects.NO_SURVEY, question)
    return Response(found, media_type="application/json", headers=SECRET)


async def _body(request: AnyRequest, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Problem("request-refused", "Give numbers of events, as the list shows them.") from None


ROUTES = (listed, retry, drop)
