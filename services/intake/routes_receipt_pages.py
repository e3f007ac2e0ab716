"""The pages that a receipt opens: what became of the answers, changing and withdrawing them."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto.problem import Problem
from services.intake import catalogue, form, receipts
from services.intake.context import Intake
from services.intake.form import Sheet
from services.intake.pages import compose_receipt
from services.intake.pages.compose_receipt import Status
from services.intake.receipts import State
from services.intake.replies import Req
from services.intake.routes_pages import show, walk_of
from services.intake.visit import NO_STORE, Page, demand_open, first, html, known_survey, read_form, read_in


@get("/s/{survey:str}/receipt", include_in_schema=False)
async def receipt_form(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    paper = read_in(request, known_survey(intake, survey).current)
    return html(compose_receipt.lookup(paper), paper.voice.language)


@post("/s/{survey:str}/receipt", status_code=200, include_in_schema=False)
async def receipt(request: Req, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """The receipt is sent in the body, so that it stands in no address, history or log."""
    known = known_survey(intake, survey)
    paper = read_in(request, known.current)
    language = paper.voice.language
    fields = await read_form(request)
    typed, go = "".join(first(fields, "receipt")[:200].split()), first(fields, "go")
    if not typed:
        return html(compose_receipt.lookup(paper, fault="empty"), language, 422)
    address = request.client.host if request.client else ""
    if intake.throttle.blocked(address, intake.clock()):
        raise Problem("too-many-requests", "Too many receipts from here were unknown.", retry_after=5)
    state = _raised(await receipts.look_up(intake, typed), but="receipt-unknown")
    if isinstance(state, Problem) or state.survey != survey:
        intake.throttle.miss(address, intake.clock())
        return html(compose_receipt.lookup(paper, typed, "unknown"), language, 404)
    if go == "withdraw" and state.status != "withdrawn":
        return html(compose_receipt.withdraw(paper, typed), language)
    if go == "withdraw.yes":
        state = _raised(await receipts.withdraw(intake, typed))
        intake.metrics.ended("withdrawn")
    if go == "change" and state.status != "withdrawn":
        return await _change(request, intake, known, state, typed)
    found = Status(state.status, state.digest or "", typed)
    return html(compose_receipt.status(paper, found, is_open=intake.registry.is_open(survey)), language, headers=NO_STORE)


async def _change(request: Req, intake: Intake, known: catalogue.Survey, state: State, receipt: str) -> Page:
    """The stored answers on the review page, from where each section opens."""
    demand_open(intake, known.id)
    raw = _raised(await receipts.answers(intake, receipt))
    walk = walk_of(known.readers.get(state.version or "") or known.current)
    answers: dict[str, Any] = msgspec.json.decode(raw)
    sheet = Sheet(walk.instrument.version, answers, changes=True)
    shown = walk.judge(sheet, intake.today()).shown
    view = walk.turn(msgspec.structs.replace(sheet, seen=shown), form.REVIEW, "stay", {}, ".", intake.today())
    return show(read_in(request, walk.reader), walk, view, receipt)


def _raised(outcome: Any, but: str = "") -> Any:
    if isinstance(outcome, Problem) and outcome.code != but:
        raise outcome
    return outcome


HANDLERS = (receipt_form, receipt)
