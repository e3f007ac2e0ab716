"""The 429 page during a flood. It carries the form that was sent, to be sent again a little later."""

from __future__ import annotations

import msgspec

from services.intake.flood.flood_guard import TRAP, Throttled
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.throttled import throttled as compose
from services.intake.http.page_requests import NO_STORE, Page, html

TASK = "Platea-Work"
"""The header with the proof-of-work task, for scripts that send by themselves."""
WORK = "work"
"""The form field with its solution."""
BEGAN = "began"
"""The form field with the signed timestamp on this page; on other pages it is part of the form state."""


def throttled_page(paper: SurveyView, address: str, fields: dict[str, list[str]], throttled: Throttled) -> Page:
    """The page carries everything in `fields`, so nothing is lost whatever happens to the page before it."""
    kept = [(name, value) for name, values in fields.items() if name not in (TRAP, WORK, BEGAN, "go") for value in values]
    kept.append((BEGAN, throttled.began))
    task = msgspec.json.encode(throttled.task).decode()
    headers = {**NO_STORE, "Retry-After": str(throttled.seconds), TASK: task}
    return html(compose(paper, address, kept, task), paper.voice.language, 429, headers)
