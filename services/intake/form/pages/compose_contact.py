"""Renders the page that offers the results by e-mail, with its confirmation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from services.intake.form.pages import compose
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.notice import version_of
from services.intake.form.pages.render import render

Fault = Literal["empty", "unfit", "agree_needed"]


def ask(
    survey: SurveyView, typed: str = "", faults: Iterable[Fault] = (), *, agreed: bool = False, interview: bool = False, busy: bool = False
) -> bytes:
    """`busy`: the address could not be stored just now."""
    listed = list(faults)
    title, path = survey.voice.words("contact_link"), f"/s/{survey.instrument.id}/contact"
    frame = compose.of(survey, title, path, wrong=bool(listed or busy))
    return render(
        "contact.html",
        **frame,
        offered=survey.instrument.contact_form,
        notice=version_of(survey.instrument),
        typed=typed,
        fault=next((fault for fault in listed if fault != "agree_needed"), ""),
        unticked="agree_needed" in listed,
        agreed=agreed,
        interview=interview,
        busy=busy,
    )


def done(survey: SurveyView, key: Literal["contact_done", "contact_removed"]) -> bytes:
    say = survey.voice.words
    return render(
        "message.html", **compose.of(survey, say(f"{key}_title")) | {"path": ""}, lead=say(f"{key}_lead"), detail="", closed=False
    )
