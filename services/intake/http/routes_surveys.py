"""GET /api/v1/surveys: the published surveys and their definitions, from memory."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from proto import schedule
from proto.instrument import Instrument, Texts
from proto.problem import Problem
from proto.schedule import Phase
from services.intake.context import Intake
from services.runtime.http.authorization import bearer
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.responses import REVALIDATED, AnyRequest, cacheable
from services.runtime.openapi import NOT_MODIFIED, Reply, SurveyId, operation


class ListedSurvey(msgspec.Struct, frozen=True):
    """`open`: whether answers are taken now; `state`: "coming" before it opens, "ending" where only those who have begun may send.

    `opens`, `closes`: ISO 8601 with the offset of the survey's zone; a closing that was taken back by reopening is not told.
    """

    id: str
    version: str
    versions: list[str]
    title: Texts
    languages: tuple[str, ...]
    source_language: str
    estimated_minutes: tuple[int, int] | None
    questions: int
    open: bool
    state: Phase
    opens: str | None
    closes: str | None
    listed: bool


@get(
    "/api/v1/surveys",
    **operation(
        "listSurveys",
        "The open surveys",
        {200: Reply("Surveys", list[ListedSurvey], headers={"ETag": "Names this list."}), 304: NOT_MODIFIED},
        (400, 422),
    ),
)
async def surveys(
    request: AnyRequest, intake: NamedDependency[Intake], closed: Annotated[bool, QueryParameter(description="Closed ones too.")] = False
) -> Response[bytes]:
    """The open surveys; `closed=true` adds those that are closed or not open yet. One that is not listed is shown to its organisers."""
    secret, now = bearer(request), intake.clock()
    listed = [
        _listed(intake, id)
        for id, known in intake.catalogue.surveys.items()
        if (closed or intake.takes_answers(id))
        and (known.current.instrument.listed or (secret and intake.registry.allows(secret, "organiser", id, now)))
    ]
    body = Encoded.of(msgspec.json.encode(listed))
    return cacheable(request, body, {"Cache-Control": "private, no-cache"} if secret else REVALIDATED)


@get(
    "/api/v1/surveys/{survey:str}",
    **operation(
        "getSurvey",
        "What a survey asks: an instrument, with all parameters of its disclosure policy",
        {200: Reply("The instrument", Instrument, headers={"ETag": "Names this version."}), 304: NOT_MODIFIED},
        (400, 404, 422),
    ),
)
async def definition(
    request: AnyRequest,
    intake: NamedDependency[Intake],
    survey: SurveyId,
    version: Annotated[str | None, QueryParameter(description="Another than the current one.")] = None,
) -> Response[bytes]:
    """The current version, or the one asked for."""
    known = intake.catalogue.surveys.get(survey)
    if known is None:
        raise Problem("survey-unknown")
    definition = known.definitions.get(version or known.current.instrument.version)
    if definition is None:
        raise Problem("not-found", "This survey was never published in this version.")
    return cacheable(request, definition)


def _listed(intake: Intake, id: str) -> ListedSurvey:
    survey = intake.catalogue.surveys[id]
    instrument, closes = survey.current.instrument, intake.registry.closing(id)
    return ListedSurvey(
        id,
        instrument.version,
        list(survey.readers),
        instrument.title,
        instrument.languages,
        instrument.source_language,
        instrument.estimated_minutes,
        len(instrument.asked),
        intake.takes_answers(id),
        intake.phase(id),
        None if instrument.opens is None else schedule.local(instrument.opens).isoformat(),
        None if closes is None else schedule.local(closes).isoformat(),
        instrument.listed,
    )


HANDLERS = (surveys, definition)
