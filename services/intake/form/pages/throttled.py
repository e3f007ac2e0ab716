"""The page that a respondent gets during a flood: it carries everything that was sent, to be sent again."""

from __future__ import annotations

from services.intake.form.pages import compose
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.render import render


def throttled(survey: SurveyView, address: str, fields: list[tuple[str, str]], task: str) -> bytes:
    """`fields` are the fields of the form that was sent to `address`; `task` is the proof-of-work task (JSON) for devices with scripts.

    Costs little: no answer is checked and no question is rendered.
    """
    frame = compose.of(survey, survey.voice.words("slow_down_title")) | {"path": ""}
    return render("slow.html", **frame, address=address, kept=fields, task=task)
