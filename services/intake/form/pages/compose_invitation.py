"""The page where an invitation code is entered."""

from __future__ import annotations

from typing import Literal

from services.intake.form.pages.compose import Survey, of
from services.intake.form.pages.render import render

PLACE = "invitation"
"""Where its form says that it comes from."""
Told = Literal["", "empty", "mistyped", "unknown", "used", "needed", "spent"]


def invitation(survey: Survey, told: Told = "", typed: str = "") -> bytes:
    """`told` is why the code did not do."""
    frame = of(survey, survey.voice.words("invited_title"), wrong=bool(told))
    return render("invitation.html", **frame, told=told, typed=typed, sheet="", receipt="")
