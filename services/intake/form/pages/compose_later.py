"""Renders the pages of drafts: the code after saving, the page where it is entered, the confirmation of deletion."""

from __future__ import annotations

from typing import Literal

from proto.instrument import Closing
from services.intake.form import flow
from services.intake.form.flow import NextPage
from services.intake.form.pages import compose, qr
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.render import render

Fault = Literal["", "empty", "mistyped", "unknown", "receipt", "other"]
_WORDS = {
    "empty": "continue_empty",
    "mistyped": "code_mistyped",
    "unknown": "continue_unknown",
    "receipt": "lookup_empty",
    "other": "lookup_unknown",
}


def saved(
    survey: SurveyView, next_page: NextPage, receipt: str, code: str, until: str, origin: str, closes: Closing | None = None
) -> bytes:
    """The page with the code and the link, which open the draft until the day `until` (ISO date). `closes`: the closing that counts."""
    say, language = survey.voice.words, survey.voice.language
    link = f"{_path(survey)}?lang={language}#{code}"
    carried = {"sheet": flow.write(next_page.sheet), "place": next_page.place, "receipt": receipt}
    frame = compose.of(survey, say("later_title"))
    told = {"groups": code.split("-"), "until": say.date(until), "closes": survey.open_until(closes)}
    return render("later.html", **frame, **carried, **told, link=link, address=f"{origin}{link}", qr=qr.code_of(f"{origin}{link}"))


def unsaved(survey: SurveyView, next_page: NextPage, receipt: str) -> bytes:
    """The page after a failed save. It still carries the whole form state."""
    carried = {"sheet": flow.write(next_page.sheet), "place": next_page.place, "receipt": receipt}
    return render("later.html", **compose.of(survey, survey.voice.words("later_title"), wrong=True), **carried, groups=())


def ask(survey: SurveyView, action: str, typed: str = "", fault: Fault = "") -> bytes:
    """The page where the code is entered, and for some faults the receipt of the response that the draft changes.

    `action` names a language only if the reader asked for one; else the page opens in the language of the browser.
    """
    frame = compose.of(survey, survey.voice.words("continue_title"), _path(survey), wrong=bool(fault))
    return render("continue.html", **frame, action=action, typed=typed, fault=_WORDS.get(fault, ""), asks=fault in ("receipt", "other"))


def deleted(survey: SurveyView) -> bytes:
    return render("later_deleted.html", **compose.of(survey, survey.voice.words("later_title"), _path(survey)))


def _path(survey: SurveyView) -> str:
    return f"/s/{survey.instrument.id}/continue"
