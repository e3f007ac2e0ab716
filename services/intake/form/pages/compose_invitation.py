"""Renders the page where an invitation code is entered."""

from __future__ import annotations

from typing import Literal

from services.intake.form.pages.compose import SurveyView, of
from services.intake.form.pages.render import render

PLACE = "invitation"
"""The value of the form field "place" on this page."""
Told = Literal["", "empty", "mistyped", "unknown", "used", "needed", "spent"]


def invitation(survey: SurveyView, told: Told = "", typed: str = "") -> bytes:
    """`told` is why the code was refused."""
    frame = of(survey, survey.voice.words("invited_title"), wrong=bool(told))
    return render("invitation.html", **frame, told=told, typed=typed, sheet="", receipt="")
