"""/api/v1/surveys/{survey}/retention: the day from which the answers are deleted, for organisers."""

from __future__ import annotations

import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, put
from litestar.di import NamedDependency
from msgspec import Meta

from proto.events import RetentionSet
from proto.problem import Fault, Problem
from services.intake.context import Intake
from services.runtime.http.authorization import demand
from services.runtime.http.request_bodies import json_body
from services.runtime.http.responses import AnyRequest, private
from services.runtime.openapi import ORGANISER, Reply, SurveyId, operation

PATH = "/api/v1/surveys/{survey:str}/retention"


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`on`: the day from which the answers to the closed survey are deleted (ISO date, UTC); None: never."""

    on: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None


class RetentionState(msgspec.Struct, frozen=True):
    """`on`: the day that was set. `deleted_from`: the day from which the answers are deleted once the survey is closed, which is some days
    after it was closed, or after `on` was set, at the earliest. `over`: that day has come, so they are deleted, or are being deleted."""

    survey: str
    open: bool
    on: str | None
    deleted_from: str | None
    over: bool


@get(
    PATH,
    **operation(
        "getRetention",
        "Until when the answers to a survey are kept",
        {200: Reply("Until when", RetentionState)},
        (400, 404),
        security=ORGANISER,
    ),
)
async def look(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    demand(request, intake.registry, "organiser", survey, intake.clock())
    return private(_kept(intake, survey))


@put(
    PATH,
    **operation(
        "setRetention",
        "Set the day from which the answers to a closed survey are deleted, after days of grace",
        {200: Reply("Set", RetentionState)},
        (404, 503),
        body=Retention,
        security=ORGANISER,
    ),
)
async def keep(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    """Sets the day from which the answers are deleted, once the survey is closed and after days of grace. Figures and releases stay.

    Refused are a day that has passed, and a survey whose answers are deleted.
    """
    by = demand(request, intake.registry, "organiser", survey, intake.clock())
    kept = _kept(intake, survey)
    wanted = await json_body(request, Retention, 1024)
    try:
        datetime.date.fromisoformat(wanted.on or "2000-01-01")
    except ValueError:
        raise Problem("request-refused", errors=(Fault("/on", "bad-date", "There is no such day."),)) from None
    if kept.over:
        raise Problem("request-refused", errors=(Fault("/on", "over", "The answers are deleted: nothing brings them back."),))
    if wanted.on is not None and wanted.on < intake.today():
        raise Problem(
            "request-refused", errors=(Fault("/on", "past", f"This day has passed; the first one to choose is {intake.today()}."),)
        )
    await intake.publish_control_event(RetentionSet(survey, wanted.on, intake.today()))
    await intake.acts.record(by.id, "retention-set", survey, wanted.on or "never")
    return private(_kept(intake, survey))


def _kept(intake: Intake, survey: str) -> RetentionState:
    registry = intake.registry
    if survey not in registry.versions:
        raise Problem("survey-unknown")
    deleted_from, over = registry.deletion_day(survey), registry.over(survey, intake.today())
    return RetentionState(survey, registry.is_open(survey), registry.retention.get(survey), deleted_from, over)


HANDLERS = (look, keep)
