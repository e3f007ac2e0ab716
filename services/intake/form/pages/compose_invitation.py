"""Renders the page where an invitation code is entered."""

from __future__ import annotations

from typing import Literal

from services.intake.form.pages.compose import SurveyView, of
from services.intake.form.pages.render import render

PLACE = "invitation"
"""The value of the form field "place" on this page."""
Told = Literal["", "empty", "mistyped", "unknown", "used", "needed", "spent"]


def invitation(survey: SurveyView, refusal: Told = "", typed: str = "", brought: str = "") -> bytes:
    """`refusal` is why the code was refused; `brought`: the answers that came with the address, as a query string."""
    frame = of(survey, survey.voice.words("invited_title"), wrong=bool(refusal), brought=brought)
    return render("invitation.html", **frame, told=refusal, typed=typed, sheet="", receipt="")
