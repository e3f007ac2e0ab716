"""The pages of the form, from the list of open surveys on. They work without scripts and store nothing on the server."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto import receipt as receipt_maker
from proto.answers import Reader
from proto.events import digest
from proto.instrument import Closing
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.drafts import saved_drafts
from services.intake.flood.flood_guard import TRAP, Throttled
from services.intake.form import flow, prefill
from services.intake.form.flow import FormFlow, FormState, NextPage
from services.intake.form.pages import compose, compose_closed, compose_receipt, questions
from services.intake.form.pages.compose import BROUGHT, SurveyView
from services.intake.form.pages.compose_invitation import PLACE
from services.intake.form.pages.compose_receipt import Status
from services.intake.form.pages.words import words
from services.intake.http import routes_invitations
from services.intake.http.closed_page import closed_page
from services.intake.http.page_requests import (
    NO_STORE,
    Page,
    deleted,
    first,
    html,
    known_survey,
    language_of,
    read_form,
    read_in,
)
from services.intake.http.save_for_later import save_for_later
from services.intake.http.throttled_page import BEGAN, WORK, throttled_page
from services.intake.submission.receipt_service import ResponseStatus
from services.intake.submission.submit import CommittedResponse
from services.runtime.http.responses import AnyRequest


@get("/", include_in_schema=False)
async def surveys(request: AnyRequest, intake: NamedDependency[Intake]) -> Page:
    language, accepted = language_of(request), request.headers.get("accept-language", "")
    cards = [
        (known.current.instrument, phase == "coming", intake.registry.closing(id))
        for id, known in intake.catalogue.surveys.items()
        if known.current.instrument.listed and (phase := intake.phase(id)) in ("open", "coming")
    ]
    return html(compose.surveys(language, cards, accepted), language)


@get("/s/{survey:str}", include_in_schema=False)
async def start(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """The first page of a survey: its notice, or for invited people the page that asks for their code. Raises Problem if it is closed."""
    known = known_survey(intake, survey)
    paper = read_in(request, known.current)
    if closed := closed_page(intake, paper, begun=False):
        return closed
    brought = _brought(intake, known.current, request.scope["query_string"].decode("latin-1"))
    if known.invited:
        return routes_invitations.ask(paper, brought=brought)
    closes = intake.registry.closing(survey)
    if brought:
        return _start(paper, closes, brought=brought)
    return _fresh(known.current, paper.voice.language, paper.voice.tongue, closes)


@post("/s/{survey:str}", status_code=200, include_in_schema=False)
async def step(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """Goes to the next or previous page, saves for later, or sends the answers. The request carries everything needed."""
    known = known_survey(intake, survey)
    fields = await read_form(request, known.body_limit)
    sheet, receipt = sheet_of(fields), first(fields, "receipt")
    go, place = first(fields, "go") or "next", first(fields, "place")
    reader = known.current if sheet is None else known.reader(sheet.version)
    paper = read_in(request, reader)
    if known.invited and not (sheet and sheet.changes):
        if place == PLACE:
            if closed := closed_page(intake, paper, begun=False):
                return closed
            return await routes_invitations.enter(request, intake, known, fields)
        checked = await intake.invitations.check(survey, sheet.ticket if sheet else "")
        if isinstance(checked, Problem):
            return routes_invitations.refused(read_in(request, known.current), checked)
    if sheet is None or place == flow.START:
        begun = sheet is not None and bool(sheet.seen)
        return closed_page(intake, paper, sheet, receipt, place, begun=begun) or _begin(intake, paper, reader, sheet, receipt, fields)
    if go != "send" and (closed := closed_page(intake, paper, sheet, receipt, place)):
        return closed
    if not receipt_maker.acceptable(receipt):
        raise Problem("receipt-unfit")
    form = form_of(reader)
    began = first(fields, BEGAN) or sheet.began
    refused = intake.flood_guard.form(survey, receipt, began, first(fields, TRAP), first(fields, WORK)) if go == "send" else None
    if isinstance(refused, Throttled):
        return throttled_page(paper, f"/s/{survey}?lang={paper.voice.language}", fields, refused)
    marks, full = words(first(fields, "typed")).marks, intake.registry.full_quotas(form.instrument)
    next_page = form.turn(sheet, place, "stay" if go == "later" else go, fields, marks, intake.latest_today(), full)
    if next_page.quota is not None:
        intake.metrics.ended("quota-full")
        return html(compose_closed.quota(paper, next_page.sheet, receipt, next_page.quota), paper.voice.language, headers=NO_STORE)
    if next_page.send and refused:
        sheet = msgspec.structs.replace(next_page.sheet, began=intake.flood_guard.began(receipt, sheet.began))
        return html(compose.review(paper, form, replace(next_page, sheet=sheet), receipt, "hurried"), paper.voice.language, 422)
    if next_page.send:
        return await _send(intake, paper, form, next_page, receipt, delivered=bool(first(fields, "delivered")))
    if closed := closed_page(intake, paper, next_page.sheet, receipt, place):
        return closed
    if next_page.place == flow.REVIEW and (found := await _sent_before(intake, paper, form, next_page, receipt)):
        return found
    if go == "later":
        return await save_for_later(request, intake, paper, next_page, receipt)
    return show(intake, paper, form, next_page, receipt)


def _begin(intake: Intake, paper: SurveyView, reader: Reader, sheet: FormState | None, receipt: str, fields: dict[str, list[str]]) -> Page:
    closes = intake.registry.closing(paper.instrument.id)
    brought = "" if sheet is not None and sheet.seen else _brought(intake, reader, first(fields, BROUGHT))
    if first(fields, "go") == "stay":
        return _start(paper, closes, sheet, receipt, brought)
    if not first(fields, "consent"):
        page = compose.start(paper, closes, sheet, receipt, brought, unticked=True)
        return html(page, paper.voice.language, 422, NO_STORE if brought else None)
    form = form_of(reader)
    receipt = receipt if sheet is not None and receipt_maker.acceptable(receipt) else receipt_maker.make()
    sheet = sheet or FormState(reader.instrument.version)
    if brought:
        sheet = msgspec.structs.replace(sheet, answers=prefill.answers(reader, brought, intake.latest_today()))
    next_page = form.begin(msgspec.structs.replace(sheet, began=intake.flood_guard.began(receipt, sheet.began)), intake.latest_today())
    return show(intake, paper, form, next_page, receipt)


def show(intake: Intake, paper: SurveyView, form: FormFlow, next_page: NextPage, receipt: str) -> Page:
    language, survey = paper.voice.language, paper.instrument.id
    closes = intake.registry.closing(survey)
    if next_page.place == flow.START:
        return _start(paper, closes, next_page.sheet, receipt)
    ends = closes if intake.phase(survey) == "ending" else None
    if next_page.place == flow.REVIEW:
        return html(compose.review(paper, form, next_page, receipt, ends=ends), language)
    return html(questions.section(paper, form, next_page, receipt, ends), language, 422 if next_page.faults else 200)


@lru_cache(maxsize=1000)
def _fresh(reader: Reader, language: str, tongue: str, closes: Closing | None) -> Page:
    """The start page of a new visit, cached: it is the same for everybody with these languages."""
    return html(compose.start(compose.survey_in(reader.instrument, language, tongue), closes), language)


def _start(paper: SurveyView, closes: Closing | None, sheet: FormState | None = None, receipt: str = "", brought: str = "") -> Page:
    body = compose.start(paper, closes, sheet, receipt, brought)
    return html(body, paper.voice.language, headers=NO_STORE if brought else None)


def _brought(intake: Intake, reader: Reader, text: str) -> str:
    """What the address brought along, as far as it fits the questionnaire: again a query string."""
    return prefill.written(prefill.answers(reader, text, intake.latest_today())) if "=" in text else ""


async def _sent_before(intake: Intake, paper: SurveyView, form: FormFlow, next_page: NextPage, receipt: str) -> Page | None:
    """The page for somebody who went back to a form after sending it; None where it was not sent, or where that is not known now."""
    if next_page.sheet.changes:
        return None
    state = await intake.receipts.look_up(receipt, form.instrument.id)
    if not isinstance(state, ResponseStatus) or state.digest is None:
        return None
    language, answers = paper.voice.language, form.reader.canonical(next_page.evaluation.answers)
    if state.digest == digest(form.instrument.id, form.instrument.version, answers):
        return html(compose_receipt.sent(paper, Status(state.status, state.digest, receipt), again=True), language, headers=NO_STORE)
    return html(_other_answers(paper, form, next_page, receipt), language, 409)


def _other_answers(paper: SurveyView, form: FormFlow, next_page: NextPage, receipt: str) -> bytes:
    """The review, which offers to put these answers in the place of those that were sent."""
    changing = replace(next_page, sheet=msgspec.structs.replace(next_page.sheet, changes=True))
    return compose.review(paper, form, changing, receipt, "in_use")


async def _send(intake: Intake, paper: SurveyView, form: FormFlow, next_page: NextPage, receipt: str, *, delivered: bool) -> Page:
    """`delivered`: a script says that it sent these answers itself a moment ago, and now wants the page."""
    language, instrument = paper.voice.language, form.instrument
    sheet, changes = next_page.sheet, next_page.sheet.changes
    claimed = None if changes or sheet.ticket else await intake.draft_claims.claim(instrument.id, sheet, receipt)
    if claimed is not None:
        intake.metrics.ended(claimed.code)
        trouble = "already" if claimed.code == "draft-sent" else "busy"
        return html(compose.review(paper, form, next_page, receipt, trouble), language, claimed.kind.status, claimed.headers)
    answers = msgspec.Raw(form.reader.canonical(next_page.evaluation.answers))
    body = msgspec.json.encode({"answers": answers, "language": paper.voice.tongue, "version": instrument.version, "consent": True})
    outcome = await (
        intake.receipts.replace(receipt, body, instrument.id)
        if changes
        else intake.submitter.submit(instrument.id, body, receipt, sheet.ticket, by_form=True)
    )
    match outcome:
        case CommittedResponse() | ResponseStatus():
            intake.metrics.ended("replaced" if isinstance(outcome, ResponseStatus) else "accepted" if outcome.new else "repeated")
            await intake.drafts.forget(instrument.id, saved_drafts.code_of(sheet, receipt))
            status = Status(outcome.status, outcome.digest or "", receipt)
            again = isinstance(outcome, CommittedResponse) and not outcome.new and not delivered
            return html(compose_receipt.sent(paper, status, changed=changes, again=again), language, headers=NO_STORE)
        case Problem(code="busy"):
            intake.metrics.ended(outcome.code)
            return html(compose.review(paper, form, next_page, receipt, "busy"), language, 503, outcome.headers)
        case Problem(code="answers-deleted"):
            intake.metrics.ended(outcome.code)
            return deleted(paper, receipt, outcome)
        case Problem(code="receipt-in-use"):
            intake.metrics.ended(outcome.code)
            return html(_other_answers(paper, form, next_page, receipt), language, 409)
        case _:
            if outcome.code == "survey-closed" and (closed := closed_page(intake, paper, sheet, receipt, flow.REVIEW)):
                return closed
            intake.metrics.ended(outcome.code)
            if outcome.code == "invitation-spent":
                return routes_invitations.refused(paper, outcome)
            raise outcome


@cache
def form_of(reader: Reader) -> FormFlow:
    return FormFlow(reader)


def sheet_of(fields: dict[str, list[str]]) -> FormState | None:
    text = first(fields, "sheet")
    try:
        return flow.read(text) if text else None
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        raise Problem("bad-request", "The page that was sent is damaged.") from None


HANDLERS = (surveys, start, step)
