"""What somebody gets who is held back during a flood: the same again, to be sent a little later."""

from __future__ import annotations

import msgspec

from services.intake.flood.flood_guard import TRAP, Held
from services.intake.form.pages.compose import Survey
from services.intake.form.pages.throttled import slow
from services.intake.http.page_requests import NO_STORE, Page, html

TASK = "Platea-Work"
"""The header that carries the task, for scripts that send by themselves."""
WORK = "work"
"""The field that brings its solution."""
BEGAN = "began"
"""The field that carries the stamp from such a page; elsewhere it travels with the sheet."""


def hold(paper: Survey, address: str, fields: dict[str, list[str]], held: Held) -> Page:
    """The page holds everything in `fields`, so nothing is lost whatever happens to the page before it."""
    kept = [(name, value) for name, values in fields.items() if name not in (TRAP, WORK, BEGAN, "go") for value in values]
    kept.append((BEGAN, held.began))
    task = msgspec.json.encode(held.task).decode()
    headers = {**NO_STORE, "Retry-After": str(held.seconds), TASK: task}
    return html(slow(paper, address, kept, task), paper.voice.language, 429, headers)
