"""GET /{survey}: the address of a survey as people type it from paper, leads to /s/{survey}."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.http.page_requests import NO_STORE
from services.runtime.http.responses import AnyRequest


@get("/{survey:str}", status_code=302, include_in_schema=False)
async def short_link(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Response[bytes]:
    """Ids are in small letters, so capitals make no difference. The query (language, answers given by the link) goes along."""
    id = survey.lower()
    if id not in intake.catalogue.surveys:
        raise Problem("not-found")
    query = request.url.query
    return Response(b"", status_code=302, headers={"Location": f"/s/{id}{'?' if query else ''}{query}", **NO_STORE})


HANDLERS = (short_link,)
