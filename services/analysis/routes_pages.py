"""The dashboard's routes: pages for people, complete without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from litestar import MediaType, Response, get
from litestar.params import FromPath, FromQuery

from proto.instrument import Instrument
from proto.problem import Problem
from proto.snapshot import Snapshot, Table
from proto.web import SECURITY_HEADERS
from services.analysis import dashboard, displays
from services.analysis.encoded import Encoded
from services.analysis.serving import AnyRequest, counted, gateway_of, public_table, reply, unchanged
from services.analysis.view import View

FRAMED = {
    **SECURITY_HEADERS,
    "Content-Security-Policy": SECURITY_HEADERS["Content-Security-Policy"].replace("frame-ancestors 'none'", "frame-ancestors *"),
    "Cross-Origin-Opener-Policy": "unsafe-none",
}
"""Of the one page that others may put into theirs. It has no form, no session and nothing to click but a link."""
KEPT = 64
"""Renderings that are kept for the next reader."""

Draw = Callable[[Instrument, Snapshot, View], str]


def _html(body: str, language: str, status: int = 200) -> Response[bytes]:
    return Response(body.encode(), status_code=status, media_type=MediaType.HTML, headers={**SECURITY_HEADERS, **_plain(language)})


def _plain(language: str) -> dict[str, str]:
    return {"Cache-Control": "no-cache", "Content-Language": language, "Vary": "Accept-Language, Accept-Encoding"}


def _shown(request: AnyRequest, survey: str, kind: str, draw: Draw, *, framed: bool = False) -> Response[bytes]:
    """A page of the published figures: drawn once for each edition, language and view, and kept for those who ask next."""
    gateway, asked = gateway_of(request), dict(request.query_params)
    lang, accepted = asked.get("lang"), request.headers.get("accept-language", "")
    instrument = gateway.registry.current(survey)
    if instrument is None:
        language = dashboard.interface(lang, accepted)
        return _html(dashboard.unknown(language), language, 404)
    language = dashboard.language_of(instrument, lang, accepted)
    edition = gateway.board.editions.get(survey)
    if edition is None:
        return _html(dashboard.empty(instrument, language), language)
    instrument = counted(gateway, edition)
    view = View.of(instrument, edition.snapshot, language, asked)
    key = survey, f"{kind}?{view.query()}"
    tag = f'"{edition.snapshot.revision}-{gateway.registry.revision}-{language}"'
    headers = {**(FRAMED if framed else SECURITY_HEADERS), **_plain(language), "ETag": tag}
    if unchanged(request, tag):
        return Response(b"", status_code=304, headers=headers)
    found = gateway.pages.get(key)
    if found is None or found.tag != tag:
        if len(gateway.pages) >= KEPT:
            gateway.pages.pop(next(iter(gateway.pages)))
        found = gateway.pages[key] = Encoded(draw(instrument, edition.snapshot, view).encode(), tag, "text/html; charset=utf-8")
    answer = reply(request, found)
    answer.headers |= headers
    return answer


@get(["/live", "/live/"])
async def surveys_page(request: AnyRequest, lang: FromQuery[str | None] = None) -> Response[bytes]:
    """The surveys that have figures, or will have."""
    gateway = gateway_of(request)
    language = dashboard.interface(lang, request.headers.get("accept-language", ""))
    instruments = [found for id in gateway.registry.surveys() if (found := gateway.registry.current(id))]
    return _html(dashboard.listing(instruments, gateway.board.editions, language), language)


@get("/live/{survey:str}")
async def page(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """The dashboard of a survey; with `?wall` in large type for a display."""
    if "wall" in request.query_params:
        return _shown(request, survey, "wall", displays.wall)
    is_open = gateway_of(request).registry.is_open(survey)
    return _shown(request, survey, "page", lambda instrument, snapshot, view: dashboard.page(instrument, snapshot, view, is_open=is_open))


@get("/live/{survey:str}/embed")
async def embed(request: AnyRequest, survey: FromPath[str], question: FromQuery[str] = "") -> Response[bytes]:
    """One figure, for the page of somebody else."""
    edition = gateway_of(request).board.editions.get(survey)
    if edition is not None and question not in edition.snapshot.questions:
        raise Problem("not-found", "Name a question with figures, such as ?question=B01.")
    kind = f"embed:{question}"
    return _shown(
        request, survey, kind, lambda instrument, snapshot, view: displays.embedded(instrument, snapshot, question, view), framed=True
    )


@get("/live/{survey:str}/table")
async def table_page(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """Any two questions crossed: the same table that the API gives."""
    gateway = gateway_of(request)
    edition = gateway.board.editions.get(survey)
    row, column = request.query_params.get("row", ""), request.query_params.get("column", "")
    if edition is None or not row or not column:
        return _shown(request, survey, "table", lambda instrument, snapshot, view: dashboard.table_page(instrument, snapshot, view, None))
    instrument = counted(gateway, edition)
    language = dashboard.language_of(instrument, request.query_params.get("lang"), request.headers.get("accept-language", ""))
    view = View.of(instrument, edition.snapshot, language, dict(request.query_params))
    try:
        table = await public_table(gateway, survey, row, column, weighted=view.weighted)
    except Problem as problem:
        body = dashboard.table_page(instrument, edition.snapshot, view, None, problem.detail)
        return _html(body, language, problem.kind.status)
    found = msgspec.json.decode(table.plain, type=Table)
    return _html(dashboard.table_page(instrument, edition.snapshot, view, found), language)


@get("/live/static/{name:str}")
async def asset(name: FromPath[str]) -> Response[bytes]:
    """The dashboard's own styles and scripts."""
    found = dashboard.ASSETS.get(name)
    if found is None:
        raise Problem("not-found")
    body, media_type = found
    return Response(body, media_type=media_type, headers={"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"})


ROUTES = [surveys_page, page, embed, table_page, asset]
