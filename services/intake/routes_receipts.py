"""/api/v1/receipts/{receipt}: whoever holds the receipt may look up, change and withdraw the response."""

from __future__ import annotations

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto.answers import MAX_BODY
from proto.problem import Problem
from services.intake import receipts
from services.intake.context import Intake
from services.intake.receipts import State
from services.intake.replies import Req, body_of, options, private

PATH = "/api/v1/receipts/{receipt:str}"


@get(PATH)
async def look_up(request: Req, intake: NamedDependency[Intake], receipt: FromPath[str]) -> Response[bytes]:
    return _reply(request, intake, await receipts.look_up(intake, _admitted(request, intake, receipt)))


@put(PATH)
async def replace(request: Req, intake: NamedDependency[Intake], receipt: FromPath[str]) -> Response[bytes]:
    body = await body_of(request, MAX_BODY)
    state = _reply(request, intake, await receipts.replace(intake, _admitted(request, intake, receipt), body))
    intake.metrics.ended("replaced")
    return state


@delete(PATH, status_code=202)
async def withdraw(request: Req, intake: NamedDependency[Intake], receipt: FromPath[str]) -> Response[bytes]:
    state = await receipts.withdraw(intake, _admitted(request, intake, receipt))
    reply = _reply(request, intake, state, 202)
    intake.metrics.ended("withdrawn")
    return reply


def _admitted(request: Req, intake: Intake, receipt: str) -> str:
    if intake.throttle.blocked(_address(request), intake.clock()):
        raise Problem("too-many-requests", "Too many receipts from here were unknown.", retry_after=5)
    return receipt


def _reply(request: Req, intake: Intake, state: State | Problem, status: int = 200) -> Response[bytes]:
    if isinstance(state, Problem):
        if state.code == "receipt-unknown":
            intake.throttle.miss(_address(request), intake.clock())
        raise state
    return private(state, status)


def _address(request: Req) -> str:
    return request.client.host if request.client else ""


HANDLERS = (options("/api/v1/receipts/{receipt:str}", "GET", "PUT", "DELETE"), look_up, replace, withdraw)
