"""The pages for people: open surveys, the form, the receipt. They work without scripts and keep nothing on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto import receipt as receipt_maker
from proto import web
from proto.answers import Reader
from proto.problem import Problem
from services.intake import catalogue, form, receipts, responses
from services.intake.context import Intake
from services.intake.form import Sheet, View, Walk
from services.intake.pages import compose
from services.intake.pages.compose import Status, Survey
from services.intake.pages.words import catalogues, choose, words
from services.intake.receipts import State
from services.intake.replies import Req
from services.intake.responses import Kept

MAX_FORM = 512 * 1024
"""Bytes; a form writes its answers longer than JSON does, since it escapes them."""
MAX_FIELDS = 5000

Page = Response[bytes]


NO_STORE = {"Cache-Control": "no-store"}


def html(body: bytes, language: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Page:
    """A page. Browsers keep it for going back, and for nothing else."""
    fixed = {"Cache-Control": "private, no-cache", "Content-Language": language, "Vary": "Accept-Language"}
    return Response(body, status_code=status, media_type="text/html", headers={**web.SECURITY_HEADERS, **fixed, **(headers or {})})


@get("/", include_in_schema=False)
async def surveys(request: Req, intake: NamedDependency[Intake]) -> Page:
    language = choose(catalogues(), request.query_params.get("lang"), request.headers.get("accept-language", ""))
    found = [known.current.instrument for id, known in intake.catalogue.surveys.items() if intake.registry.is_open(id)]
    return html(compose.surveys(language, found), language)


@get("/s/{survey:str}", include_in_schema=False)
async def start(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    known = _known(intake, survey)
    _demand_open(intake, survey)
    language = _read_in(request, known.current).voice.language
    return html(_fresh(known.current, language), language)


@post("/s/{survey:str}", status_code=200, include_in_schema=False)
async def step(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """One page further, or back, or the answers sent: everything needed comes with the request."""
    known = _known(intake, survey)
    fields = await _fields(request)
    sheet, receipt = _sheet(fields), _first(fields, "receipt")
    go, place = _first(fields, "go") or "next", _first(fields, "place")
    if sheet is None or place == form.START:
        _demand_open(intake, survey)
        return _begin(request, intake, known, sheet, receipt, fields)
    if not receipt_maker.acceptable(receipt):
        raise Problem("receipt-unfit")
    walk = _walk(known.readers.get(sheet.version) or known.current)
    paper = _read_in(request, walk.reader)
    decimal_mark = words(_first(fields, "typed")).decimal_mark
    view = walk.turn(sheet, place, go, fields, decimal_mark, intake.today())
    if view.send:
        return await _send(intake, paper, walk, view, receipt)
    _demand_open(intake, survey)
    return _show(paper, walk, view, receipt)


def _begin(request: Req, intake: Intake, known: catalogue.Survey, sheet: Sheet | None, receipt: str, fields: dict[str, list[str]]) -> Page:
    reader = known.current if sheet is None else known.readers.get(sheet.version) or known.current
    paper = _read_in(request, reader)
    if _first(fields, "go") == "stay":
        return _start(paper, sheet, receipt)
    if not _first(fields, "consent"):
        return html(compose.start(paper, sheet, receipt, unticked=True), paper.voice.language, 422)
    walk = _walk(reader)
    view = walk.begin(sheet or Sheet(reader.instrument.version), intake.today())
    return _show(paper, walk, view, receipt if sheet is not None and receipt_maker.acceptable(receipt) else receipt_maker.make())


def _show(paper: Survey, walk: Walk, view: View, receipt: str) -> Page:
    language = paper.voice.language
    if view.place == form.START:
        return _start(paper, view.sheet, receipt)
    if view.place == form.REVIEW:
        return html(compose.review(paper, walk, view, receipt), language)
    return html(compose.section(paper, walk, view, receipt), language, 422 if view.faults else 200)


@cache
def _fresh(reader: Reader, language: str) -> bytes:
    """The start page for somebody new: the same for everybody who reads this language."""
    return compose.start(compose.survey_in(reader.instrument, language))


def _start(paper: Survey, sheet: Sheet | None = None, receipt: str = "") -> Page:
    return html(compose.start(paper, sheet, receipt), paper.voice.language)


async def _send(intake: Intake, paper: Survey, walk: Walk, view: View, receipt: str) -> Page:
    language, instrument = paper.voice.language, walk.instrument
    answers = msgspec.Raw(walk.reader.canonical(view.standing.answers))
    body = msgspec.json.encode({"answers": answers, "language": language, "version": instrument.version, "consent": True})
    changes = view.sheet.changes
    outcome = await (receipts.replace(intake, receipt, body) if changes else responses.submit(intake, instrument.id, body, receipt))
    match outcome:
        case Kept() | State():
            intake.metrics.ended("replaced" if isinstance(outcome, State) else "accepted" if outcome.new else "repeated")
            found = Status(outcome.status, outcome.digest or "", receipt)
            return html(compose.sent(paper, found, changed=changes), language, headers=NO_STORE)
        case Problem(code="busy"):
            intake.metrics.ended(outcome.code)
            return html(compose.review(paper, walk, view, receipt, "busy"), language, 503, outcome.headers)
        case Problem(code="receipt-in-use"):
            intake.metrics.ended(outcome.code)
            changing = replace(view, sheet=msgspec.structs.replace(view.sheet, changes=True))
            return html(compose.review(paper, walk, changing, receipt, "in_use"), language, 409)
        case _:
            intake.metrics.ended(outcome.code)
            raise outcome


@get("/s/{survey:str}/receipt", include_in_schema=False)
async def receipt_form(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    paper = _read_in(request, _known(intake, survey).current)
    return html(compose.lookup(paper), paper.voice.language)


@post("/s/{survey:str}/receipt", status_code=200, include_in_schema=False)
async def receipt(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """The receipt is sent in the body, so that it stands in no address, history or log."""
    known = _known(intake, survey)
    paper = _read_in(request, known.current)
    language = paper.voice.language
    fields = await _fields(request)
    typed, go = "".join(_first(fields, "receipt")[:200].split()), _first(fields, "go")
    if not typed:
        return html(compose.lookup(paper, fault="empty"), language, 422)
    address = request.client.host if request.client else ""
    if intake.throttle.blocked(address, intake.clock()):
        raise Problem("too-many-requests", "Too many receipts from here were unknown.", retry_after=5)
    state = _raised(await receipts.look_up(intake, typed), but="receipt-unknown")
    if isinstance(state, Problem) or state.survey != survey:
        intake.throttle.miss(address, intake.clock())
        return html(compose.lookup(paper, typed, "unknown"), language, 404)
    if go == "withdraw" and state.status != "withdrawn":
        return html(compose.withdraw(paper, typed), language)
    if go == "withdraw.yes":
        state = _raised(await receipts.withdraw(intake, typed))
        intake.metrics.ended("withdrawn")
    if go == "change" and state.status != "withdrawn":
        return await _change(request, intake, known, state, typed)
    found = Status(state.status, state.digest or "", typed)
    return html(compose.status(paper, found, is_open=intake.registry.is_open(survey)), language, headers=NO_STORE)


async def _change(request: Req, intake: Intake, known: catalogue.Survey, state: State, receipt: str) -> Page:
    """The stored answers on the review page, from where each section opens."""
    _demand_open(intake, known.id)
    raw = _raised(await receipts.answers(intake, receipt))
    walk = _walk(known.readers.get(state.version or "") or known.current)
    answers: dict[str, Any] = msgspec.json.decode(raw)
    sheet = Sheet(walk.instrument.version, answers, changes=True)
    shown = walk.judge(sheet, intake.today()).shown
    view = walk.turn(msgspec.structs.replace(sheet, seen=shown), form.REVIEW, "stay", {}, ".", intake.today())
    return _show(_read_in(request, walk.reader), walk, view, receipt)


def _raised(outcome: Any, but: str = "") -> Any:
    if isinstance(outcome, Problem) and outcome.code != but:
        raise outcome
    return outcome


def _known(intake: Intake, survey: str) -> catalogue.Survey:
    known = intake.catalogue.surveys.get(survey)
    if known is None:
        raise Problem("survey-unknown")
    return known


def _demand_open(intake: Intake, survey: str) -> None:
    if not intake.registry.is_open(survey):
        raise Problem("survey-closed")


def _read_in(request: Req, reader: Reader) -> Survey:
    """The survey in the language that this reader gets."""
    instrument = reader.instrument
    first = (instrument.source_language, *(code for code in instrument.languages if code != instrument.source_language))
    language = choose(first, request.query_params.get("lang"), request.headers.get("accept-language", ""))
    return compose.survey_in(instrument, language)


@cache
def _walk(reader: Reader) -> Walk:
    return Walk(reader)


def _first(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _sheet(fields: dict[str, list[str]]) -> Sheet | None:
    text = _first(fields, "sheet")
    try:
        return form.read(text) if text else None
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        raise Problem("bad-request", "The page that was sent is damaged.") from None


async def _fields(request: Req) -> dict[str, list[str]]:
    """What was typed. Raises Problem. Another site must not fill in a page and have somebody go on with it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem("bad-request", "This page was sent from another site.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Problem("media-type", "Send a form.")
    body = await web.read_body(request.receive, request.scope, MAX_FORM)
    try:
        return parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Problem("bad-request", "The form cannot be read.") from None


HANDLERS = (surveys, start, step, receipt_form, receipt)
