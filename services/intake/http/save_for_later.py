"""The answer to "save for later": the page with the code."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.drafts.drafts import Draft
from services.intake.drafts.saved_drafts import SavedDraft, code_of
from services.intake.form.flow import NextPage
from services.intake.form.pages import compose_later
from services.intake.form.pages.compose import SurveyView
from services.intake.http.guarded_lookup import client_address
from services.intake.http.page_requests import NO_STORE, Page, html
from services.runtime.http.host_guard import origin_of
from services.runtime.http.responses import AnyRequest


async def save_for_later(request: AnyRequest, intake: Intake, paper: SurveyView, next_page: NextPage, receipt: str) -> Page:
    """Saves what a page carries. Returns the page with the code, or one that says why not and still carries everything."""
    language = paper.voice.language
    code = code_of(next_page.sheet, receipt)
    draft = Draft(structs.replace(next_page.sheet, draft=""), next_page.place, language)
    match await intake.drafts.save(paper.instrument.id, code, draft, client_address(intake, request)):
        case Problem() as refusal:
            intake.metrics.ended(f"later-{refusal.code}")
            return html(compose_later.unsaved(paper, next_page, receipt), language, refusal.kind.status, refusal.headers)
        case SavedDraft(shown, until):
            intake.metrics.ended("saved-for-later")
            next_page = replace(next_page, sheet=structs.replace(next_page.sheet, draft=code))
            closes = intake.registry.closing(paper.instrument.id)
            page = compose_later.saved(paper, next_page, receipt, shown, until, origin_of(request.scope), closes)
            return html(page, language, headers=NO_STORE)
