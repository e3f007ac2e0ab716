"""The way through a form from the start to the review, for tests that want to be somewhere on it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from deploy.cli.respondents import Population
from proto.instrument import Instrument
from services.intake.form.pages.words import words
from tests.pages.visitor import Page, Visitor

TODAY = "2026-11-22"


async def begin(visitor: Visitor, survey: str = "ai-security", language: str = "fr") -> Page:
    page = await visitor.get(f"/s/{survey}?lang={language}")
    page.fill("consent", "yes")
    return await visitor.press("next")


async def walk(visitor: Visitor, instrument: Instrument, answers: dict[str, Any], language: str = "fr") -> Page:
    """From the first section to the review, filling in whatever the pages ask."""
    mark = words(language).decimal_mark
    for _ in range(4 * len(instrument.sections)):
        if visitor.place == "review":
            return visitor.page
        fill_in(visitor.page, instrument, answers, mark)
        await visitor.press("next")
        assert visitor.status == 200, re.sub(r"\s+", " ", visitor.page.text)
    raise AssertionError(f"never reached the review, last at {visitor.place}")


def fill_in(page: Page, instrument: Instrument, answers: dict[str, Any], mark: str) -> None:
    """Whatever this page asks and these answers say."""
    names = {control.name for control in page.controls}
    for question in instrument.questions:
        field = f"q.{question.id}"
        if question.id in answers and any(name == field or name.startswith(f"{field}.") for name in names):
            page.answer(question, answers[question.id], mark)


def respondent(instrument: Instrument, number: int) -> dict[str, Any]:
    return msgspec.json.decode(Population(instrument, 7, TODAY).body(number))["answers"]
