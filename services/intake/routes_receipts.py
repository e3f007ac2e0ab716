"""/api/v1/receipts/{receipt}: whoever holds the receipt may look up, change and withdraw the response."""

from __future__ import annotations

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto.answers import MAX_BODY
from proto.problem import Problem
from proto.web import json_text
from services.intake import receipts
from services.intake.attempts import attempt
from services.intake.context import Intake
from services.intake.receipts import State
from services.intake.replies import Req, options, private
from services.intake.visit import known_survey

PATH = "/api/v1/receipts/{receipt:str}"


@get(PATH)
async def look_up(request: Req, intake: NamedDependency[Intake], receipt: FromPath[str]) -> Response[bytes]:
    """In the survey named in the query, where there is one: only then it can be told that its answers were deleted."""
    named = request.query_params.get("survey")
    survey = "*" if named is None else known_survey(intake, named).id
    return _reply(await attempt(intake, request, lambda: receipts.look_up(intake, receipt, survey)))


@put(PATH)
async def replace(request: Req, intake: NamedDependency[Intake], receipt: FromPath[str]) -> Response[bytes]:
    body = await json_text(request, MAX_BODY)
    reply = _reply(await attempt(intake, request, lambda: receipts.replace(intake, receipt, body)))
    intake.metrics.ended("replaced")
    return reply


@delete(PATH, status_code=202)
async def withdraw(request: Req, intake: NamedDependency[Intake], receipt: FromPath[str]) -> Response[bytes]:
    reply = _reply(await attempt(intake, request, lambda: receipts.withdraw(intake, receipt)), 202)
    intake.metrics.ended("withdrawn")
    return reply


def _reply(state: State | Problem, status: int = 200) -> Response[bytes]:
    if isinstance(state, Problem):
        raise state
    return private(state, status)


HANDLERS = (options("/api/v1/receipts/{receipt:str}", "GET", "PUT", "DELETE"), look_up, replace, withdraw)
