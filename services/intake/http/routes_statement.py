"""GET /accessibility: the accessibility statement with the test results."""

from __future__ import annotations

from litestar import get

from services.intake.form import statement
from services.intake.form.pages import compose
from services.intake.http.page_requests import Page, html, language_of
from services.runtime.http.responses import AnyRequest


@get("/accessibility", include_in_schema=False)
async def accessibility(request: AnyRequest) -> Page:
    language = language_of(request)
    return html(compose.statement(language, statement.results()), language)


HANDLERS = (accessibility,)
