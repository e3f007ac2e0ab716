"""The HTTP API of the review of free texts."""

from __future__ import annotations

import time
from typing import Annotated, Any, Protocol

from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromQuery, QueryParameter

from proto.instrument import Instrument
from proto.problem import Problem
from proto.registry import Registry
from services.export.texts.review import Reviewer, ReviewOrder, ReviewPage, ReviewResult
from services.runtime.audit_log import Recorder
from services.runtime.http.authorization import AnyConnection, demand
from services.runtime.http.request_bodies import json_body
from services.runtime.openapi import ORGANISER, Reply, SurveyId, operation

BODY = 128 * 1024


class Reviewing(Protocol):
    """What these routes need of the service's context."""

    @property
    def registry(self) -> Registry: ...
    @property
    def acts(self) -> Recorder: ...
    @property
    def reviewer(self) -> Reviewer: ...


async def _organiser(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Asked before anything else of a request is read."""
    context: Reviewing = connection.app.state["context"]
    demand(connection, context.registry, "organiser", connection.path_params["survey"], time.time())


@get(
    "/api/v1/surveys/{survey:str}/releases/review",
    guards=[_organiser],
    **operation(
        "readTexts",
        "Free texts to read and decide on, with what a detector marked in them (organiser token)",
        {200: Reply("Some of the texts, and how many there are", ReviewPage)},
        (400, 404, 422, 503),
        security=ORGANISER,
    ),
)
async def texts(
    request: Request[Any, Any, Any],
    survey: SurveyId,
    after: Annotated[str, QueryParameter(max_length=64)] = "",
    most: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    decided: FromQuery[bool] = False,
) -> Response[ReviewPage]:
    """Nothing else of a response is told."""
    context, instrument = _opened(request, survey)
    try:
        page = await context.reviewer.page(instrument, after, most, decided)
    except ValueError:
        raise Problem("bad-request", "`after` is the `next` of a page before.") from None
    return Response(page, headers={"Cache-Control": "no-store"})


@post(
    "/api/v1/surveys/{survey:str}/releases/review",
    status_code=200,
    guards=[_organiser],
    **operation(
        "decideOnTexts",
        "Enter decisions about free texts; what was changed or withdrawn since it was shown is named (organiser token)",
        {200: Reply("What was entered", ReviewResult)},
        (404, 503),
        body=ReviewOrder,
        security=ORGANISER,
    ),
)
async def decide(request: Request[Any, Any, Any], survey: SurveyId) -> ReviewResult:
    """What was changed or withdrawn since it was shown is not decided on."""
    context, instrument = _opened(request, survey)
    by = demand(request, context.registry, "organiser", survey, time.time())
    entered = await context.reviewer.enter(instrument, await json_body(request, ReviewOrder, BODY))
    await context.acts.record(by.id, "texts-decided", survey)
    return entered


def _opened(request: Request[Any, Any, Any], survey: str) -> tuple[Reviewing, Instrument]:
    context: Reviewing = request.app.state["context"]
    instrument = context.registry.current(survey)
    if instrument is None:
        raise Problem("survey-unknown")
    return context, instrument
