"""The accessibility statement: what was tested, with what result, and whom to tell."""

from __future__ import annotations

from litestar import get

from services.intake import statement
from services.intake.pages import compose
from services.intake.pages.words import catalogues, choose
from services.intake.replies import Req
from services.intake.visit import Page, html


@get("/accessibility", include_in_schema=False)
async def accessibility(request: Req) -> Page:
    language = choose(catalogues(), request.query_params.get("lang"), request.headers.get("accept-language", ""))
    return html(compose.statement(language, statement.results()), language)


HANDLERS = (accessibility,)
