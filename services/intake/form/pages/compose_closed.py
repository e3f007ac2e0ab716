"""Renders the page that says that a survey takes no answers: not yet, no more, or of nobody who has not begun."""

from __future__ import annotations

from typing import Literal

from proto import schedule
from proto.instrument import Closing, Quota
from proto.quotas import last
from services.intake.form import flow
from services.intake.form.flow import FormState
from services.intake.form.pages.compose import SurveyView, of
from services.intake.form.pages.render import render

Lost = Literal["", "answers", "changes", "quota"]


def coming(survey: SurveyView) -> bytes:
    """Before it opens."""
    opens = survey.instrument.opens
    when = "" if opens is None else survey.voice.words.moment(schedule.local(opens))
    return render("coming.html", **of(survey, survey.voice.words("coming_title")), when=when)


def ending(survey: SurveyView, closes: Closing | None) -> bytes:
    """For whoever has not begun, while those who have may still send. Scripts offer to go on where they did so on this device."""
    when = "" if closes is None else survey.voice.words.moment(schedule.last_minute(closes))
    return render("ending.html", **of(survey, survey.voice.words("closed_title")), when=when, sheet="", receipt="")


def closed(survey: SurveyView, sheet: FormState | None = None, receipt: str = "", place: str = "", *, saved: bool = False) -> bytes:
    """`sheet`, `receipt`, `place`: what was sent too late, if anything. `saved`: whether there is a copy of it that can be deleted."""
    lost: Lost = "" if sheet is None else "changes" if sheet.changes else "answers"
    carried = {"sheet": flow.write(sheet) if sheet else "", "receipt": receipt, "place": place}
    return render("closed.html", **of(survey, survey.voice.words("closed_title")), lost=lost, saved=saved, **carried)


def quota(survey: SurveyView, sheet: FormState, receipt: str, full: Quota) -> bytes:
    """For whoever meets a full quota, in the author's words, with the way back to the last answer that says so."""
    carried = {"sheet": flow.write(sheet), "receipt": receipt, "place": flow.REVIEW, "text": survey.voice.text(full.text)}
    frame = of(survey, survey.voice.words("thanks"))
    return render(
        "closed.html", **frame, lost="quota", saved=bool(sheet.draft), back=f"change.{last(survey.instrument, full).id}", **carried
    )
