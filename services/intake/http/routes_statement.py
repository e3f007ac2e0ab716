"""GET /accessibility and /s/{survey}/accessibility: the accessibility statement with the test results."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.intake.context import Intake
from services.intake.form import statement
from services.intake.form.pages import compose
from services.intake.http.page_requests import Page, html, known_survey, language_of, read_in
from services.runtime.http.responses import AnyRequest


@get("/accessibility", include_in_schema=False)
async def accessibility(request: AnyRequest) -> Page:
    language = language_of(request)
    return html(compose.statement(language, statement.results()), language)


@get("/s/{survey:str}/accessibility", include_in_schema=False)
async def accessibility_of(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """Raises Problem where there is no such survey; a closed one has its statement still."""
    paper = read_in(request, known_survey(intake, survey).current)
    return html(compose.statement_of(paper, statement.results()), paper.voice.language)


HANDLERS = (accessibility, accessibility_of)
