"""The pages that a receipt opens: its status, and checking, changing or withdrawing the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto import codes, events
from proto import receipt as maker
from proto.answers import Reader
from proto.events import ResponseReplaced, ResponseSubmitted
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.form import flow
from services.intake.form.flow import Evaluation, FormFlow, FormState
from services.intake.form.pages import compose_receipt
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.compose_receipt import Status
from services.intake.form.pdf import compose_pdf
from services.intake.form.pdf.press import PDF
from services.intake.http import withdrawal
from services.intake.http.error_pages import answer_as
from services.intake.http.guarded_lookup import attempt
from services.intake.http.page_requests import NO_STORE, Page, deleted, first, html, known_survey, read_form, read_in
from services.intake.http.routes_form import form_of, show
from services.intake.submission.receipt_service import ResponseStatus
from services.intake.surveys import catalogue
from services.runtime.http.render_queue import while_wanted
from services.runtime.http.responses import AnyRequest, or_raise
from services.runtime.http.security_headers import NO_SNIFFING


@get("/s/{survey:str}/receipt", include_in_schema=False)
async def receipt_form(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    paper = read_in(request, known_survey(intake, survey).current)
    return html(compose_receipt.lookup(paper), paper.voice.language)


@post("/s/{survey:str}/receipt", status_code=200, include_in_schema=False)
async def receipt(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """The receipt is sent in the body, so that it is in no address, history or log."""
    known = known_survey(intake, survey)
    paper = read_in(request, known.current)
    fields = await read_form(request)
    typed, go = " ".join(first(fields, "receipt")[: codes.MOST_AROUND].split()), first(fields, "go")
    if not typed:
        return html(compose_receipt.lookup(paper, fault="empty"), paper.voice.language, 422)
    state = await attempt(intake, request, lambda: intake.receipts.look_up(typed, survey))
    if isinstance(state, Problem):
        return _refused(paper, typed, state)
    try:
        return await _answered(ReceiptHolder(request, intake, known, paper, maker.shown(typed)), go, state)
    except Problem as refusal:  # deleted or withdrawn since it was looked up
        return _refused(paper, typed, refusal)


async def _answered(holder: ReceiptHolder, go: str, state: ResponseStatus) -> Page:
    paper = holder.paper
    match go, state.status:
        case "withdraw.yes", _:
            return await holder.withdrawn()
        case ("withdraw", "accepted" | "recorded"):
            return html(compose_receipt.withdraw(paper, holder.receipt), paper.voice.language, headers=NO_STORE)
        case ("change", "accepted" | "recorded"):
            return await holder.changing()
        case ("check", "accepted" | "recorded"):
            return await holder.checked()
        case ("text", "accepted" | "recorded"):
            return await holder.text()
        case ("copy", "accepted" | "recorded"):
            return await holder.copy()
        case ("pdf", "accepted" | "recorded"):
            return await holder.pdf()
        case _:
            return holder.status(state)


def _refused(paper: SurveyView, typed: str, problem: Problem) -> Page:
    language = paper.voice.language
    match problem.code, maker.mistake(typed):
        case "receipt-unknown", _:
            return html(compose_receipt.lookup(paper, typed, "unknown"), language, 404)
        case "receipt-mistyped", maker.Mistake(kind=kind):
            return html(compose_receipt.lookup(paper, typed, kind), language, 422)
        case "answers-deleted", _:
            return deleted(paper, typed, problem)
        case _:
            raise problem


@dataclass(frozen=True)
class ReceiptHolder:
    """What the holder of a known receipt can do with the response."""

    request: AnyRequest
    intake: Intake
    known: catalogue.CatalogueEntry
    paper: SurveyView
    receipt: str

    def status(self, state: ResponseStatus) -> Page:
        status = Status(state.status, state.digest or "", self.receipt)
        is_open = self.intake.takes_answers(self.known.id)
        return html(compose_receipt.status(self.paper, status, is_open=is_open), self.paper.voice.language, headers=NO_STORE)

    async def withdrawn(self) -> Page:
        state = or_raise(await withdrawal.withdraw(self.intake, self.receipt, self.known.id))
        self.intake.metrics.ended("withdrawn")
        return self.status(state)

    async def changing(self) -> Page:
        """The stored answers on the review page, from where each section opens. Where the survey has closed, their status says so."""
        if not self.intake.takes_answers(self.known.id):
            return self.status(or_raise(await self.intake.receipts.look_up(self.receipt, self.known.id)))
        event = await self._stored()
        form, today = form_of(self._reader(event)), self.intake.latest_today()
        sheet = FormState(
            event.version, msgspec.json.decode(event.answers), changes=True, began=self.intake.flood_guard.began(self.receipt)
        )
        shown = form.evaluate(sheet, today).shown
        next_page = form.turn(msgspec.structs.replace(sheet, seen=shown), flow.REVIEW, "stay", {}, ".", today)
        return show(self.intake, read_in(self.request, form.reader), form, next_page, self.receipt)

    async def checked(self) -> Page:
        """The stored answers with the text that the digest is computed from, so that the page or its reader can verify it."""
        event = await self._stored()
        paper = read_in(self.request, self._reader(event))
        text = events.digested(event.survey, event.version, event.answers).decode()
        status = Status("", event.digest, self.receipt)
        page = compose_receipt.check(paper, msgspec.json.decode(event.answers), text, status)
        return html(page, paper.voice.language, headers=NO_STORE)

    async def text(self) -> Page:
        """The same text as a file, byte for byte, since copying and pasting may change it."""
        event = await self._stored()
        headers = {"Content-Disposition": f'attachment; filename="{event.survey}-answers.json"', **NO_STORE}
        text = events.digested(event.survey, event.version, event.answers)
        return Response(text, media_type="application/json", headers=headers)

    async def copy(self) -> Page:
        """The stored answers in words, of the questions that were asked, to print or to save."""
        event = await self._stored()
        paper = read_in(self.request, self._reader(event))
        return html(compose_receipt.copy(paper, *self._evaluated(event), event.digest), paper.voice.language, headers=NO_STORE)

    async def pdf(self) -> Page:
        """The same as a file. No cache keeps it, and nothing of it is written to a disk here."""
        event = await self._stored()
        document = compose_pdf.copy(read_in(self.request, self._reader(event)), *self._evaluated(event), event.digest)
        try:
            pdf = await while_wanted(self.request, self.intake.pdf_press.typeset(document))
        except Problem as refusal:
            self.intake.metrics.ended(refusal.code)
            return answer_as(self.request, refusal, "pdf")
        headers = {"Content-Disposition": f'attachment; filename="{event.survey}-answers.pdf"', **NO_SNIFFING, **NO_STORE}
        return Response(pdf, media_type=PDF, headers=headers)

    def _evaluated(self, event: ResponseSubmitted | ResponseReplaced) -> tuple[FormFlow, Evaluation, dict[str, Any]]:
        form, answers = form_of(self._reader(event)), msgspec.json.decode(event.answers)
        return form, form.evaluate(FormState(event.version, answers), self.intake.latest_today()), answers

    async def _stored(self) -> ResponseSubmitted | ResponseReplaced:
        return or_raise(await self.intake.receipts.stored(self.receipt, self.known.id))

    def _reader(self, event: ResponseSubmitted | ResponseReplaced) -> Reader:
        return self.known.reader(event.version)


HANDLERS = (receipt_form, receipt)
