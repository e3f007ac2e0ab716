"""The pages of a draft: /s/{survey}/later saves it, /s/{survey}/continue opens it again.

Codes are sent in request bodies. The link has one in its fragment, which browsers do not send.
"""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import structs

from proto import codes
from proto import receipt as receipts
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.drafts import drafts, saved_drafts
from services.intake.drafts.draft_store import NotNow
from services.intake.drafts.drafts import Draft
from services.intake.form.pages import compose, compose_later
from services.intake.form.pages.compose_later import Fault
from services.intake.http.closed_page import closed_page
from services.intake.http.guarded_lookup import attempt
from services.intake.http.page_requests import Page, first, html, known_survey, read_form, read_in
from services.intake.http.routes_form import form_of, sheet_of, show
from services.intake.http.save_for_later import save_for_later
from services.runtime.http.responses import AnyRequest


@get("/s/{survey:str}/continue", include_in_schema=False)
async def ask(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    return _asked(request, intake, survey)


@post("/s/{survey:str}/continue", status_code=200, include_in_schema=False)
async def go_on(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    known = known_survey(intake, survey)
    fields = await read_form(request)
    typed = first(fields, "code")[: codes.MOST_AROUND].strip()
    code = codes.among(typed, drafts.LETTERS + 2) or codes.bare(typed)
    if not drafts.well_typed(code):
        return _asked(request, intake, survey, typed, "mistyped" if typed else "empty", 422)

    async def look() -> Draft | Problem:
        return await intake.drafts.find(survey, code) or Problem("receipt-unknown")

    try:
        draft = await attempt(intake, request, look)
        if isinstance(draft, Problem):
            if draft.code == "receipt-unknown":
                return _asked(request, intake, survey, typed, "unknown", 404)
            raise draft
        form = form_of(known.reader(draft.sheet.version))
        accepted = request.headers.get("accept-language", "")
        asked = request.query_params.get("lang") or (None if accepted else draft.language)
        paper = compose.survey_in(form.instrument, asked, accepted)
        if first(fields, "go") == "delete":
            await intake.drafts.delete(survey, code)
            return html(compose_later.deleted(paper), paper.voice.language)
    except NotNow:
        raise Problem("busy", "Please try again.", retry_after=2) from None
    if closed := closed_page(intake, paper, structs.replace(draft.sheet, draft=code), place=draft.place):
        return closed
    receipt = receipts.make()
    if draft.sheet.changes:
        receipt = receipts.shown(first(fields, "receipt")[: codes.MOST_AROUND].strip())
        if not receipt or drafts.code_of(receipt) != code:
            return _asked(request, intake, survey, typed, "other" if receipt else "receipt", 422)
    # The page gets a receipt of its own: the one it was begun under is known to the person who began. Its visit begins now.
    sheet = structs.replace(draft.sheet, began=intake.flood_guard.began(receipt), draft=code, continued=True)
    return show(intake, paper, form, form.reopen(sheet, draft.place, intake.latest_today()), receipt)


@post("/s/{survey:str}/later", status_code=200, include_in_schema=False)
async def decide(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """The buttons of the page that shows the code: resume, save again, delete. It carries the form state, but no fields."""
    known = known_survey(intake, survey)
    fields = await read_form(request, known.body_limit)
    sheet, receipt, go = sheet_of(fields), first(fields, "receipt"), first(fields, "go")
    if sheet is None or not (receipts.acceptable(receipt) or (go == "delete" and drafts.well_typed(sheet.draft))):
        raise Problem("bad-request", "The page that was sent is damaged.")
    form = form_of(known.reader(sheet.version))
    paper = read_in(request, form.reader)
    if go == "delete":
        try:
            await intake.drafts.delete(survey, saved_drafts.code_of(sheet, receipt))
        except NotNow:
            raise Problem("busy", "Please try again.", retry_after=2) from None
        return html(compose_later.deleted(paper), paper.voice.language)
    if closed := closed_page(intake, paper, sheet, receipt, first(fields, "place")):
        return closed
    next_page = form.reopen(sheet, first(fields, "place"), intake.latest_today())
    if go == "resume":
        return show(intake, paper, form, next_page, receipt)
    return await save_for_later(request, intake, paper, next_page, receipt)


def _asked(request: AnyRequest, intake: Intake, survey: str, typed: str = "", fault: Fault = "", status: int = 200) -> Page:
    known = known_survey(intake, survey)
    paper = read_in(request, known.current)
    language = paper.voice.language
    chosen = f"?lang={language}" if request.query_params.get("lang") else ""
    return html(compose_later.ask(paper, f"/s/{survey}/continue{chosen}", typed, fault), language, status)


HANDLERS = (ask, go_on, decide)
