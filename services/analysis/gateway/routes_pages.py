"""The dashboard's routes: pages for people, complete without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery

from proto.instrument import Instrument
from proto.problem import Problem
from proto.schedule import Phase
from proto.snapshot import Snapshot, Table
from services.analysis.dashboard import dashboard, wall_and_embed
from services.analysis.dashboard.view import View, is_side, unknown
from services.analysis.gateway.context import counted, gateway_of, public_table
from services.runtime.http import static_files
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.render_queue import in_thread, while_wanted
from services.runtime.http.responses import AnyRequest, cacheable, html, page_headers, unchanged
from services.runtime.http.security_headers import SECURITY_HEADERS

FRAMED = {
    "Content-Security-Policy": SECURITY_HEADERS["Content-Security-Policy"].replace("frame-ancestors 'none'", "frame-ancestors *"),
    "Cross-Origin-Opener-Policy": "unsafe-none",
}
"""Of the one page that others may put into theirs. It has no form, no session and nothing to click but a link."""
STATIC = static_files.load(dashboard.STATIC)
Draw = Callable[[Instrument, Snapshot, View], str]


def _html(body: str, language: str, status: int = 200) -> Response[bytes]:
    return html(body.encode(), language, status)


async def _shown(
    request: AnyRequest, survey: str, kind: str, taken: tuple[str, ...], draw: Draw, *, framed: bool = False, phase: Phase | None = None
) -> Response[bytes]:
    """A page of the published figures: drawn once for each edition, language and view, and kept for those who ask next. `taken`: what
    an address of this kind may choose (see `view.CHOICES`); nothing else is part of what it is kept under. `phase`: the one that is drawn,
    where the page tells it: it is kept under no other."""
    gateway, asked = gateway_of(request), dict(request.query_params)
    lang, accepted = asked.get("lang"), request.headers.get("accept-language", "")
    instrument = gateway.registry.current(survey)
    if instrument is None:
        language = dashboard.interface(lang, accepted)
        return _html(dashboard.unknown(language), language, 404)
    language, phase = dashboard.language_of(instrument, lang, accepted), phase or gateway.registry.phase(survey, gateway.now())
    edition = gateway.broadcaster.editions.get(survey)
    if edition is None:
        return _html(dashboard.empty(instrument, phase, language), language)
    instrument, snapshot = counted(gateway, edition), edition.snapshot
    if wrong := unknown(instrument, snapshot, asked, taken):
        return _html(dashboard.wrong(instrument, language, wrong[:80]), language, 404)
    view = View.of(instrument, snapshot, language, asked)
    tag = f'"{snapshot.revision}-{gateway.registry.revision}-{phase}-{language}"'
    headers = {**page_headers(language), **(FRAMED if framed else {}), "ETag": tag}
    if (same := unchanged(request, headers)) is not None:
        return same

    async def made() -> Encoded:
        async with gateway.queues.quick.turn():
            body = await in_thread(lambda: draw(instrument, snapshot, view).encode())
        return Encoded(body, tag, "text/html")

    chosen = tuple((name, asked[name]) for name in taken if asked.get(name))
    body = await while_wanted(request, gateway.render_cache.get((survey, tag, "page", kind, *chosen), made))
    return cacheable(request, body, headers)


@get(["/live", "/live/"])
async def surveys_page(request: AnyRequest, lang: FromQuery[str | None] = None) -> Response[bytes]:
    """The surveys that have figures, or will have."""
    gateway = gateway_of(request)
    language = dashboard.interface(lang, request.headers.get("accept-language", ""))
    instruments = [instrument for id in gateway.registry.surveys() if (instrument := gateway.registry.current(id)) and instrument.listed]
    snapshots = {survey: edition.snapshot for survey, edition in gateway.broadcaster.editions.items()}
    phases: dict[str, Phase] = {instrument.id: gateway.registry.phase(instrument.id, gateway.now()) for instrument in instruments}
    return _html(await in_thread(dashboard.listing, instruments, snapshots, phases, language), language)


@get("/live/{survey:str}")
async def page(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """The dashboard of a survey; with `?wall` in large type for a display."""
    if "wall" in request.query_params:
        return await _shown(request, survey, "wall", ("only", "weighted"), wall_and_embed.wall)
    gateway = gateway_of(request)
    current, phase = gateway.registry.current(survey), gateway.registry.phase(survey, gateway.now())

    def draw(instrument: Instrument, snapshot: Snapshot, view: View) -> str:
        return dashboard.page(instrument, snapshot, view, current=current or instrument, phase=phase)

    return await _shown(request, survey, "page", ("by", "only", "weighted"), draw, phase=phase)


@get("/live/{survey:str}/embed")
async def embed(request: AnyRequest, survey: FromPath[str], question: FromQuery[str] = "") -> Response[bytes]:
    """One figure, for the page of somebody else."""

    def draw(instrument: Instrument, snapshot: Snapshot, view: View) -> str:
        return wall_and_embed.embedded(instrument, snapshot, question, view)

    return await _shown(request, survey, "embed", ("question", "only", "weighted"), draw, framed=True)


@get("/live/{survey:str}/table")
async def table_page(request: AnyRequest, survey: FromPath[str]) -> Response[bytes]:
    """Any two questions crossed: the same table that the API gives."""
    gateway, asked = gateway_of(request), request.query_params
    edition = gateway.broadcaster.editions.get(survey)
    row, column, taken = asked.get("row", ""), asked.get("column", ""), ("row", "column", "weighted")
    if edition is not None:
        # One side alone is kept with the form, so it has to be one that there is; of two sides the worker knows.
        taken = tuple(
            name
            for name in taken
            if (row and column) or not asked.get(name) or name == "weighted" or is_side(edition.snapshot, asked[name])
        )
    if edition is None or not (row and column) or unknown(instrument := counted(gateway, edition), edition.snapshot, asked, taken):
        return await _shown(request, survey, "table", taken, dashboard.table_page)
    language = dashboard.language_of(instrument, asked.get("lang"), request.headers.get("accept-language", ""))
    view = View.of(instrument, edition.snapshot, language, asked)
    try:
        table = await public_table(gateway, survey, row, column, weighted=view.weighted)
    except Problem as problem:
        body = dashboard.table_page(instrument, edition.snapshot, view, refusal=problem.detail)
        return _html(body, language, problem.kind.status)
    found = msgspec.json.decode(table.plain, type=Table)
    return await _shown(request, survey, f"table {found.revision}", taken, partial(dashboard.table_page, found=found))


@get("/live/static/{name:str}")
async def asset(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """The dashboard's own styles and scripts."""
    return static_files.serve(request, STATIC, name)


ROUTES = [surveys_page, page, embed, table_page, asset]
