"""For organisers: until when the answers to a survey are kept."""

from __future__ import annotations

import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from proto import web
from proto.events import RetentionSet
from proto.problem import Fault, Problem
from services.intake.context import Intake
from services.intake.control import announce
from services.intake.replies import Req, options, private

PATH = "/api/v1/surveys/{survey:str}/retention"


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`on`: the day from which the answers to the closed survey are deleted (ISO date, UTC); None: never."""

    on: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None


class Retained(msgspec.Struct, frozen=True):
    """`over`: the survey is closed and its day has come, so its answers are deleted, or are being deleted."""

    survey: str
    open: bool
    on: str | None
    over: bool


@get(PATH)
async def look(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Response[bytes]:
    return private(_kept(request, intake, survey))


@put(PATH)
async def keep(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Response[bytes]:
    """Figures and releases stay. What is over stays over. A day that has passed means today: it is the one that respondents are told."""
    kept = _kept(request, intake, survey)
    wanted = await web.json_body(request, Retention, 1024)
    try:
        datetime.date.fromisoformat(wanted.on or "2000-01-01")
    except ValueError:
        raise Problem("request-refused", errors=(Fault("/on", "bad-date", "There is no such day."),)) from None
    if kept.over:
        raise Problem("request-refused", errors=(Fault("/on", "over", "The answers are deleted: nothing brings them back."),))
    await announce(intake, RetentionSet(survey, max(wanted.on, intake.today()) if wanted.on else None))
    return private(_kept(request, intake, survey))


def _kept(request: Req, intake: Intake, survey: str) -> Retained:
    web.demand(request, intake.registry, "organiser", survey, intake.clock())
    registry = intake.registry
    if survey not in registry.versions:
        raise Problem("survey-unknown")
    return Retained(survey, registry.is_open(survey), registry.retention.get(survey), registry.over(survey, intake.today()))


HANDLERS = (options("/api/v1/surveys/{survey:str}/retention", "GET", "PUT"), look, keep)
