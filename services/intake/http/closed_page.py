"""The answer of the form's pages where a survey takes no answers. The API and the receipt's pages refuse with a problem."""

from __future__ import annotations

from proto.schedule import refusal
from services.intake.context import Intake
from services.intake.drafts import drafts
from services.intake.form.flow import FormState
from services.intake.form.pages import compose_closed
from services.intake.form.pages.compose import SurveyView
from services.intake.http.page_requests import NO_STORE, Page, html


def closed_page(
    intake: Intake, paper: SurveyView, sheet: FormState | None = None, receipt: str = "", place: str = "", *, begun: bool = True
) -> Page | None:
    """The page that says so; None where answers are taken. `sheet`: what came too late, which the page goes on carrying."""
    survey = paper.instrument.id
    phase = intake.phase(survey)
    if (refused := refusal(phase, begun=begun)) is None:
        return None
    intake.metrics.ended(refused.code)
    if phase == "coming":
        body = compose_closed.coming(paper)
    elif phase == "ending":
        body = compose_closed.ending(paper, intake.registry.closing(survey))
    else:
        written = sheet if sheet is not None and (sheet.seen or sheet.changes) else None
        saved = written is not None and drafts.well_typed(written.draft)
        body = compose_closed.closed(paper, written, receipt, place, saved=saved)
    return html(body, paper.voice.language, refused.kind.status, NO_STORE)
