"""The dashboard's routes: pages for people, complete without JavaScript."""

from __future__ import annotations

from litestar import MediaType, Response, get
from litestar.params import FromPath, FromQuery

from proto.problem import Problem
from proto.web import SECURITY_HEADERS
from services.analysis import dashboard
from services.analysis.serving import AnyRequest, counted, gateway_of, unchanged


def _html(body: str | bytes, language: str, status: int = 200, etag: str | None = None) -> Response[bytes]:
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache", "Content-Language": language, "Vary": "Accept-Language"}
    if etag is not None:
        headers["ETag"] = etag
    content = body.encode() if isinstance(body, str) else body
    return Response(content, status_code=status, media_type=MediaType.HTML, headers=headers)


@get(["/live", "/live/"])
async def surveys_page(request: AnyRequest, lang: FromQuery[str | None] = None) -> Response[bytes]:
    """The surveys that have figures, or will have."""
    gateway = gateway_of(request)
    language = dashboard.interface(lang, request.headers.get("accept-language", ""))
    instruments = [found for id in gateway.registry.surveys() if (found := gateway.registry.current(id))]
    return _html(dashboard.listing(instruments, gateway.board.editions, language), language)


@get("/live/{survey:str}")
async def page(
    request: AnyRequest, survey: FromPath[str], lang: FromQuery[str | None] = None, by: FromQuery[str | None] = None
) -> Response[bytes]:
    """The dashboard of a survey."""
    gateway = gateway_of(request)
    accepted = request.headers.get("accept-language", "")
    instrument = gateway.registry.current(survey)
    if instrument is None:
        language = dashboard.interface(lang, accepted)
        return _html(dashboard.unknown(language), language, 404)
    language = dashboard.language_of(instrument, lang, accepted)
    edition = gateway.board.editions.get(survey)
    if edition is None:
        return _html(dashboard.empty(instrument, language), language)
    instrument = counted(gateway, edition)
    stratum = by if by in instrument.strata else None
    etag = f'"{edition.snapshot.revision}-{language}-{stratum or ""}-{gateway.registry.revision}"'
    if unchanged(request, etag):
        return _html("", language, 304, etag)
    key = survey, f"{language}&{stratum}"
    if gateway.pages.get(key, ("",))[0] != etag:
        is_open = gateway.registry.is_open(survey)
        gateway.pages[key] = etag, dashboard.page(instrument, edition.snapshot, language, stratum, is_open=is_open).encode()
    return _html(gateway.pages[key][1], language, etag=etag)


@get("/live/static/{name:str}")
async def asset(name: FromPath[str]) -> Response[bytes]:
    """The dashboard's own style and script."""
    found = dashboard.ASSETS.get(name)
    if found is None:
        raise Problem("not-found")
    body, media_type = found
    return Response(body, media_type=media_type, headers={"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"})


ROUTES = [surveys_page, page, asset]
