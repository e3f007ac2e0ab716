"""The page for somebody who is held back: everything that was sent, to be sent again, and the task for devices with scripts."""

from __future__ import annotations

from services.intake.form.pages import compose
from services.intake.form.pages.compose import Survey
from services.intake.form.pages.render import render


def slow(survey: Survey, address: str, kept: list[tuple[str, str]], task: str) -> bytes:
    """`kept` are the fields of the form that was sent to `address`. Costs little: nothing is judged or composed again."""
    frame = compose.of(survey, survey.voice.words("slow_down_title")) | {"path": ""}
    return render("slow.html", **frame, address=address, kept=kept, task=task)
