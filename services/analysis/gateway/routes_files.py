"""Routes of figures to take away: any table as CSV, any chart as SVG or PNG. Each is made once per revision and language."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery

from proto.instrument import Instrument
from proto.problem import Problem
from proto.snapshot import Snapshot, Table
from services.analysis.dashboard import charts, csv_export, dashboard, png
from services.analysis.dashboard.view import NO_GROUP, figures_of, only_of
from services.analysis.dashboard.words import DashboardWords
from services.analysis.gateway.context import Gateway, counted, demand_taken, edition_of, gateway_of, public_table
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.render_queue import in_thread, while_wanted
from services.runtime.http.responses import REVALIDATED, AnyRequest, cacheable
from services.runtime.openapi import NOT_MODIFIED, Reply, SurveyId, operation

CSV = "text/csv"
TYPES = {"csv": CSV, "svg": "image/svg+xml", "png": "image/png"}
FILES = "There is a file for each question, such as B01.csv, B01.svg or B01.png, and for two of them, such as B01/B02.cctv.csv."
Make = Callable[[Instrument, DashboardWords], bytes | charts.Chart]
"""The file, or the chart that it is to show."""


@get(
    "/api/v1/surveys/{survey:str}/aggregates.csv",
    **operation(
        "getAggregatesAsCsv",
        "The published one-way figures of all questions, for everybody and for each group, one cell a line",
        {200: Reply("The figures", str, "text/csv", headers={"ETag": "The revision and the language"}), 304: NOT_MODIFIED},
        (404, 503),
    ),
)
async def all_as_csv(request: AnyRequest, survey: SurveyId, lang: FromQuery[str | None] = None) -> Response[bytes]:
    demand_taken(request)
    snapshot = edition_of(gateway_of(request), survey).snapshot
    return await _file(
        request, snapshot, f"{survey}.csv", lang, lambda i, words: csv_export.one_way(i, snapshot, snapshot.questions, words).encode()
    )


@get("/live/{survey:str}/{file:str}")
async def of_question(
    request: AnyRequest, survey: FromPath[str], file: FromPath[str], lang: FromQuery[str | None] = None, only: FromQuery[str] = ""
) -> Response[bytes]:
    """One question: /live/{survey}/{question}.csv, .svg or .png. `only`: of one group, such as uses_ai:1."""
    snapshot = edition_of(gateway_of(request), survey).snapshot
    id, _, kind = file.rpartition(".")
    if kind not in TYPES or id not in snapshot.questions:
        raise Problem("not-found", FILES)
    excel = _for_excel(request, kind, "only")
    group = only_of(snapshot, only)
    if only and (group is None or id not in figures_of(snapshot, group)):
        raise Problem("not-found", NO_GROUP)

    def make(instrument: Instrument, words: DashboardWords) -> bytes | charts.Chart:
        if kind == "csv":
            return _for_spreadsheets(csv_export.one_way(instrument, snapshot, [id], words, group, excel=excel))
        return charts.of_question(instrument, snapshot, id, words, group)

    return await _file(request, snapshot, "-".join((survey, *(group or ()), file)), lang, make, "for Excel" if excel else "")


@get("/live/{survey:str}/{row:str}/{file:str}")
async def of_table(
    request: AnyRequest, survey: FromPath[str], row: FromPath[str], file: FromPath[str], lang: FromQuery[str | None] = None
) -> Response[bytes]:
    """Two questions, matrix rows or strata: /live/{survey}/{row}/{column}.csv, .svg or .png."""
    column, _, kind = file.rpartition(".")
    if kind not in TYPES:
        raise Problem("not-found", FILES)
    excel = _for_excel(request, kind)
    table = await _table(gateway_of(request), survey, row, column)

    def make(instrument: Instrument, words: DashboardWords) -> bytes | charts.Chart:
        if kind == "csv":
            return _for_spreadsheets(csv_export.two_way(instrument, table, words, excel=excel))
        return charts.of_table(instrument, table, words)

    return await _file(request, table, f"{survey}-{row}-{file}", lang, make, "for Excel" if excel else "")


def _for_excel(request: AnyRequest, kind: str, *taken: str) -> bool:
    """Whether a file is to be as Excel of its language opens it. Raises Problem where something else is asked for."""
    demand_taken(request, *taken, *(("for",) if kind == "csv" else ()))
    wanted = request.query_params.get("for", "")
    if wanted not in ("", "excel"):
        raise Problem("request-refused", "A CSV file may be asked for with for=excel.")
    return wanted == "excel"


async def table_as_csv(request: AnyRequest, survey: str, row: str, column: str, *, weighted: bool) -> Response[bytes]:
    """The same table for programs: without the mark that spreadsheets need."""
    table = await _table(gateway_of(request), survey, row, column, weighted=weighted)
    name, lang = f"{survey}-{row}-{column}.csv", request.query_params.get("lang")
    use = "for programs, weighted" if weighted else "for programs"
    return await _file(request, table, name, lang, lambda i, words: csv_export.two_way(i, table, words).encode(), use)


async def _table(gateway: Gateway, survey: str, row: str, column: str, *, weighted: bool = False) -> Table:
    return msgspec.json.decode((await public_table(gateway, survey, row, column, weighted=weighted)).plain, type=Table)


async def _file(request: AnyRequest, of: Snapshot | Table, name: str, lang: str | None, make: Make, use: str = "") -> Response[bytes]:
    gateway = gateway_of(request)
    instrument = counted(gateway, of)
    language = dashboard.language_of(instrument, lang, request.headers.get("accept-language", ""))

    async def made() -> Encoded:
        kind = name.rpartition(".")[2]
        async with gateway.queues.of(kind).turn():
            body = await in_thread(make, instrument, DashboardWords(language, instrument))
            if not isinstance(body, bytes):
                body = await png.png(body) if kind == "png" else body.svg.encode()
        return Encoded(body, f'"{of.revision}-{language}"', TYPES[kind])

    headers = {
        **REVALIDATED,
        "Content-Disposition": f'{"attachment" if name.endswith(".csv") else "inline"}; filename="{name}"',
        "Content-Language": language,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Vary": "Accept-Language",
    }
    body = await while_wanted(request, gateway.render_cache.get((of.survey, of.revision, name, use, language), made))
    return cacheable(request, body, headers)


def _for_spreadsheets(text: str) -> bytes:
    """With a byte order mark: without one, Excel takes letters beyond English for others."""
    return text.encode("utf-8-sig")


ROUTES = [all_as_csv, of_question, of_table]
