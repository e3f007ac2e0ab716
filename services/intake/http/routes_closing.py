"""For organisers: closes and reopens a survey."""

from __future__ import annotations

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency

from proto import schedule
from proto.events import SurveyClosed
from proto.problem import Problem
from proto.schedule import Phase
from proto.tokens import Token
from services.intake.context import Intake
from services.runtime.http.authorization import demand
from services.runtime.http.responses import AnyRequest, json
from services.runtime.openapi import ORGANISER, Reply, SurveyId, operation


class SurveyState(msgspec.Struct, frozen=True):
    """`open`: whether answers are taken now. `deleted_from`: the day from which the answers to the closed survey are deleted; None where no
    day is set. `state`: "coming" before it opens, "ending" where only those who have begun may send."""

    survey: str
    version: str
    open: bool
    deleted_from: str | None
    state: Phase


@post(
    "/api/v1/surveys/{survey:str}/close",
    status_code=200,
    **operation(
        "closeSurvey",
        "Close a survey: nothing new is taken, withdrawing stays possible",
        {200: Reply("Closed", SurveyState)},
        (400, 404, 503),
        security=ORGANISER,
    ),
)
async def close(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    """New responses are refused from now on; looking up and withdrawing stay possible until the answers are deleted.

    Where the day of their deletion has come, a grace period begins, in which the survey can be reopened or another day be set.
    """
    by = _asked_by(request, intake, survey)
    if intake.registry.is_open(survey):
        await intake.publish_control_event(SurveyClosed(survey, on=intake.today(), lifts=intake.registry.lifted.get(survey)))
        await intake.acts.record(by.id, "survey-closed", survey)
    return json(_state(intake, survey))


@post(
    "/api/v1/surveys/{survey:str}/reopen",
    status_code=200,
    **operation(
        "reopenSurvey",
        "Open a closed survey again; refused once its answers are deleted",
        {200: Reply("Open", SurveyState)},
        (400, 404, 503),
        security=ORGANISER,
    ),
)
async def reopen(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    """The current version accepts responses again, also after its date of closing. Refused once the answers are deleted."""
    by = _asked_by(request, intake, survey)
    if intake.registry.over(survey, intake.today()):
        raise Problem("survey-closed", "The answers to it are deleted, so it stays closed: publish the questionnaire under another id.")
    if not intake.registry.is_open(survey) or intake.phase(survey) in ("ending", "closed"):
        await intake.publish_control_event(SurveyClosed(survey, closed=False, on=intake.today(), lifts=_passed(intake, survey)))
        await intake.acts.record(by.id, "survey-reopened", survey)
    return json(_state(intake, survey))


def _asked_by(request: AnyRequest, intake: Intake, survey: str) -> Token:
    by = demand(request, intake.registry, "organiser", survey, intake.clock())
    if intake.registry.current(survey) is None:
        raise Problem("survey-unknown")
    return by


def _passed(intake: Intake, survey: str) -> float | None:
    """The closing of the current version, where it is over: reopening takes it back. Else what was taken back before."""
    current = intake.registry.current(survey)
    closes = schedule.closing(current.closes) if current is not None and current.closes is not None else None
    return closes if closes is not None and closes <= intake.clock() else intake.registry.lifted.get(survey)


def _state(intake: Intake, survey: str) -> SurveyState:
    current, state = intake.registry.current(survey), intake.phase(survey)
    assert current is not None
    return SurveyState(survey, current.version, intake.takes_answers(survey), intake.registry.deletion_day(survey), state)


HANDLERS = (close, reopen)
