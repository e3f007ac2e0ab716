"""GET /api/v1/acts: the audit log, for organisers."""

from __future__ import annotations

import logging
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from nats.js.errors import NotFoundError

from proto import subjects
from proto.problem import Fault, Problem
from services.intake.context import Intake
from services.runtime.audit_log import Act
from services.runtime.http.authorization import AnyConnection, demand_some
from services.runtime.http.responses import AnyRequest as Request
from services.runtime.http.responses import private
from services.runtime.openapi import ORGANISER, Reply, operation
from services.runtime.outage_kind import Unavailable

log = logging.getLogger(__name__)

PAGE = 1000
"""Acts that are read for one response."""


class ActPage(msgspec.Struct, frozen=True):
    """`after`: the number to go on from; None where nothing more is there."""

    acts: list[Act]
    after: int | None


async def _organiser(connection: AnyConnection, _: BaseRouteHandler) -> None:
    intake: Intake = connection.app.state["intake"]
    demand_some(connection, intake.registry, intake.clock())


After = Annotated[int, QueryParameter(description="Only what came after this number.", schema_extra={"minimum": 0})]


@get(
    "/api/v1/acts",
    guards=[_organiser],
    **operation(
        "listActs",
        "What organisers did, the oldest first: which token, what, when, about which survey",
        {200: Reply("A thousand at most, and where to go on", ActPage)},
        (400, 422, 503),
        security=ORGANISER,
    ),
)
async def list_acts(request: Request, intake: NamedDependency[Intake], after: After = 0) -> Response[bytes]:
    """The acts on surveys that the organiser's token covers, the oldest first."""
    asking = demand_some(request, intake.registry, intake.clock())
    if after < 0:
        raise Problem("request-refused", errors=(Fault("/after", "negative", "Give the `after` of an answer before."),))
    try:
        acts, last_seq, more = await _read(intake, after)
    except Unavailable:
        raise Problem("busy", retry_after=2) from None
    return private(ActPage([act for act in acts if asking.survey in (None, act.survey)], last_seq if more else None))


async def _read(intake: Intake, after: int) -> tuple[list[Act], int, bool]:
    """The acts after this sequence, the sequence of the last one, and whether there may be more."""
    js, acts, seq = intake.client.jetstream(timeout=5), list[Act](), after
    for _ in range(PAGE):
        try:
            message = await js.get_msg(subjects.ACTS, seq=seq + 1, subject="platea.acts.*", direct=True, next=True)
        except NotFoundError:
            return acts, seq, False
        seq = message.seq or seq + 1
        try:
            acts.append(msgspec.json.decode(message.data or b"", type=Act))
        except msgspec.MsgspecError:
            log.error("an act is unreadable and was passed over", extra={"seq": seq})
    return acts, seq, True


HANDLERS = (list_acts,)
