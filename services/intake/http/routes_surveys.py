"""GET /api/v1/surveys: the published surveys and their definitions, from memory."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from proto.instrument import Instrument, Texts
from proto.problem import Problem
from services.intake.context import Intake
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.responses import AnyRequest, cacheable
from services.runtime.openapi import NOT_MODIFIED, Reply, SurveyId, operation


class ListedSurvey(msgspec.Struct, frozen=True):
    id: str
    version: str
    versions: list[str]
    title: Texts
    languages: tuple[str, ...]
    source_language: str
    estimated_minutes: tuple[int, int] | None
    questions: int
    open: bool


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
    """The open surveys; `closed=true` shows the closed ones too."""
    listed = [_listed(intake, id) for id in intake.catalogue.surveys if closed or intake.registry.is_open(id)]
    body = msgspec.json.encode(listed)
    return cacheable(request, Encoded.of(body))


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
    instrument = survey.current.instrument
    return ListedSurvey(
        id,
        instrument.version,
        list(survey.readers),
        instrument.title,
        instrument.languages,
        instrument.source_language,
        instrument.estimated_minutes,
        len(instrument.questions),
        intake.registry.is_open(id),
    )


HANDLERS = (surveys, definition)
