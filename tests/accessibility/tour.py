"""A tour of everything a respondent can come to see, in one language: each page as the server sends it, in each of its states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import msgspec
from litestar.testing import AsyncTestClient

from proto import codes, schedule
from proto import receipt as receipts
from proto.events import QuotasFilled, RetentionSet, SurveyClosed
from proto.instrument import Closing, Opening, Quota, Rule
from services.intake.app import create_app
from services.intake.form.pages.words import words
from tests.builders.bundled import questionnaire
from tests.builders.town_budget import town_budget
from tests.clock import Clock
from tests.pages.desk import MemoryDrafts, MemoryJournal, bundled, open_desk
from tests.pages.visitor import Page, Visitor
from tests.pages.walking import fill_in, respondent

SURVEY = "ai-security"
INSTRUMENT = next(instrument for instrument in bundled() if instrument.id == SURVEY)

OPENS, CLOSES = Opening("2026-12-01 09:00", "Europe/Brussels"), Closing("2026-12-31 18:00", "Europe/Brussels")
DATED = msgspec.structs.replace(questionnaire("security-by-design"), opens=OPENS, closes=CLOSES)
FIRST = questionnaire("security-by-design").questions[0]
QUOTED = msgspec.structs.replace(
    questionnaire("security-by-design"),
    id="quoted",
    quotas=(Quota("somebody", Rule(q=FIRST.id, op="answered"), 10, {"en": "Enough answers like yours have arrived. Thank you."}),),
)
INVITED = msgspec.structs.replace(INSTRUMENT, id="invited", participation="invited")


@dataclass(frozen=True)
class Sight:
    """One page in one state. `name` is unique within a language."""

    name: str
    language: str
    html: str


@cache
def tour_of(language: str) -> list[Sight]:
    """All of them. For tests that drive a browser, whose loop runs in their own thread."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, _tour(language)).result()


async def _tour(language: str) -> list[Sight]:
    """Walks the form once with answers, making every section's mistakes on the way."""
    journal = MemoryJournal()
    clock = Clock(schedule.opening(OPENS) - 1)
    desk = open_desk(journal, [INSTRUMENT, INVITED, DATED, QUOTED, town_budget()], clock)
    async with AsyncTestClient(create_app(desk)) as client:
        visitor = Visitor(client, language)
        seen = [Sight(name, language, html) async for name, html in _sights(visitor, journal, language)]
        seen += [Sight(name, language, html) async for name, html in _later(visitor, cast("MemoryDrafts", desk.draft_store), language)]
        seen += [Sight(name, language, html) async for name, html in _dated(visitor, clock, language)]
        desk.registry.apply(QuotasFilled(QUOTED.id, {"somebody": 10}))
        seen += [Sight(name, language, html) async for name, html in _quoted(visitor, language)]
        desk.registry.apply(SurveyClosed(SURVEY))
        await visitor.get(f"/s/{SURVEY}?lang={language}")
        seen.append(Sight("closed", language, visitor.page.html))
        desk.registry.apply(RetentionSet(SURVEY, "2026-11-22"))
        await visitor.get(f"/s/{SURVEY}/receipt?lang={language}")
        visitor.page.fill("receipt", receipts.make())
        await visitor.press("show")
        seen.append(Sight("receipt, deleted", language, visitor.page.html))
    names = [sight.name for sight in seen]
    assert len(set(names)) == len(names), names
    return seen


async def _sights(visitor: Visitor, journal: MemoryJournal, language: str) -> AsyncIterator[tuple[str, str]]:
    await visitor.get(f"/?lang={language}")
    yield "surveys", visitor.page.html
    for name, path in PLAIN.items():
        await visitor.get(f"{path}?lang={language}")
        yield name, visitor.page.html
    await visitor.get(f"/s/{SURVEY}?lang={language}")
    yield "start", visitor.page.html
    await visitor.press("next")
    yield "start, box not ticked", visitor.page.html
    visitor.page.fill("consent", "yes")
    await visitor.press("next")
    async for sight in _sections(visitor, language):
        yield sight
    yield "review", visitor.page.html
    review = visitor.page
    await _continue(visitor, language, await visitor.press("later"))
    continued = visitor.page
    yield "review, continued", continued.html
    visitor.page = review
    journal.busy = True
    await visitor.press("send")
    yield "review, journal busy", visitor.page.html
    journal.busy = False
    await visitor.press("send")
    yield "sent", visitor.page.html
    code = visitor.page.control("receipt").value
    await visitor.press("show")
    yield "receipt, accepted", visitor.page.html
    await visitor.press("change")
    await _continue(visitor, language, await visitor.press("later"))
    yield "continue, receipt asked for", visitor.page.html
    await visitor.send(*continued.press("send"))
    yield "review, sent already", visitor.page.html
    journal.floor = journal.seq
    async for sight in _receipt(visitor, language, code):
        yield sight
    async for sight in _contact(visitor, language):
        yield sight
    async for sight in _invited(visitor, language):
        yield sight
    async for sight in _numbers(visitor, language):
        yield sight


PLAIN = {
    "nothing there": "/nowhere",
    "no such survey": "/s/nowhere",
    "receipt, asked for": f"/s/{SURVEY}/receipt",
    "accessibility": "/accessibility",
    "accessibility of a survey": f"/s/{SURVEY}/accessibility",
    "continue, asked for": f"/s/{SURVEY}/continue",
    "questionnaire to print": f"/s/{SURVEY}/print",
}


async def _sections(visitor: Visitor, language: str) -> AsyncIterator[tuple[str, str]]:
    """Each section as it comes, with every mistake of leaving all empty, and again with the questions that answers opened."""
    answers, mark = _answers(), words(language).decimal_mark
    for number in range(4 * len(INSTRUMENT.sections)):
        if visitor.place == "review":
            return
        yield f"page {number}: {visitor.place}", visitor.page.html
        place = visitor.place
        await visitor.press("next")
        if visitor.status == 422:
            yield f"page {number}: {place}, mistakes", visitor.page.html
        if visitor.place == place:
            fill_in(visitor.page, INSTRUMENT, answers, mark)
            await visitor.press("next")
            assert visitor.status == 200, visitor.page.text
    raise AssertionError(f"never reached the review, last at {visitor.place}")


@cache
def _answers() -> dict[str, Any]:
    """Of a respondent who uses AI, and so sees most questions."""
    everybody = (respondent(INSTRUMENT, number) for number in range(1000))
    return next(answers for answers in everybody if {"B03", "B04", "B05"} <= answers.keys())


async def _continue(visitor: Visitor, language: str, saved: Page) -> None:
    """With the code on the page that was saved."""
    [code] = [link.partition("#")[2] for link in saved.links if "/continue?" in link and "#" in link]
    await visitor.get(f"/s/{SURVEY}/continue?lang={language}")
    visitor.page.fill("code", code)
    await visitor.press("continue")


async def _later(visitor: Visitor, drafts: MemoryDrafts, language: str) -> AsyncIterator[tuple[str, str]]:
    """Saving for later from the first section, with and without room for it, and every answer to a code."""
    await visitor.get(f"/s/{SURVEY}?lang={language}")
    visitor.page.fill("consent", "yes")
    await visitor.press("next")
    drafts.full = True
    await visitor.press("later")
    yield "later, not saved", visitor.page.html
    drafts.full = False
    saved = await visitor.press("again")
    yield "later, saved", saved.html
    await _continue(visitor, language, saved)
    yield "page 0, continued", visitor.page.html
    for name, typed in (("left empty", ""), ("mistyped", "ABCD"), ("unknown", codes.make(26))):
        await visitor.get(f"/s/{SURVEY}/continue?lang={language}")
        visitor.page.fill("code", typed)
        await visitor.press("continue")
        yield f"continue, {name}", visitor.page.html
    await visitor.send(*saved.press("delete"))
    yield "later, deleted", visitor.page.html


async def _receipt(visitor: Visitor, language: str, code: str) -> AsyncIterator[tuple[str, str]]:
    async def look_up(typed: str) -> str:
        await visitor.get(f"/s/{SURVEY}/receipt?lang={language}")
        visitor.page.fill("receipt", typed)
        await visitor.press("show")
        return visitor.page.html

    yield "receipt, left empty", await look_up("")
    yield "receipt, mistyped", await look_up(code[:-1] + ("2" if code[-1] != "2" else "3"))
    yield "receipt, recorded", await look_up(code)
    await visitor.press("check")
    yield "receipt, checked", visitor.page.html
    await look_up(code)
    await visitor.press("copy")
    yield "copy of the answers", visitor.page.html
    await look_up(code)
    await visitor.press("change")
    yield "review of a change", visitor.page.html
    await look_up(code)
    await visitor.press("withdraw")
    yield "withdraw, asked", visitor.page.html
    await visitor.press("withdraw.yes")
    yield "withdrawn", visitor.page.html


async def _contact(visitor: Visitor, language: str) -> AsyncIterator[tuple[str, str]]:
    await visitor.get(f"/s/{SURVEY}/contact?lang={language}")
    yield "contact", visitor.page.html
    await visitor.press("add")
    yield "contact, mistakes", visitor.page.html
    visitor.page.fill("address", "somebody@example.eu")
    visitor.page.fill("agree", "yes")
    await visitor.press("add")
    yield "contact, noted", visitor.page.html


async def _dated(visitor: Visitor, clock: Clock, language: str) -> AsyncIterator[tuple[str, str]]:
    """A survey that opens and closes on its dates."""
    await visitor.get(f"/s/{DATED.id}?lang={language}")
    yield "not open yet", visitor.page.html
    clock.now = schedule.closing(CLOSES) - 1
    await visitor.get(f"/s/{DATED.id}?lang={language}")
    yield "start, with the date of closing", visitor.page.html
    visitor.page.fill("consent", "yes")
    begun = await visitor.press("next")
    saved = await visitor.press("later")
    yield "later, with the date of closing", saved.html
    clock.now += 1
    await visitor.get(f"/s/{DATED.id}?lang={language}")
    yield "closed to whoever has not begun", visitor.page.html
    await visitor.send(*begun.press("next"))
    yield "a page in the grace", visitor.page.html
    clock.now = schedule.end(CLOSES)
    await visitor.send(*saved.press("resume"))
    yield "closed midway", visitor.page.html


async def _quoted(visitor: Visitor, language: str) -> AsyncIterator[tuple[str, str]]:
    """A survey of which a quota is full."""
    await visitor.get(f"/s/{QUOTED.id}?lang={language}")
    visitor.page.fill("consent", "yes")
    await visitor.press("next")
    fill_in(visitor.page, QUOTED, respondent(QUOTED, 1), words(language).decimal_mark)
    await visitor.press("next")
    assert "quota" in {control.value for control in visitor.page.controls}, visitor.page.text
    yield "a full quota", visitor.page.html


async def _numbers(visitor: Visitor, language: str) -> AsyncIterator[tuple[str, str]]:
    """Special values, years, a total that is shared out, none of these, and a row that excludes the others."""
    survey = town_budget().id
    await visitor.get(f"/s/{survey}?lang={language}")
    visitor.page.fill("consent", "yes")
    await visitor.press("next")
    yield "page of numbers", visitor.page.html
    visitor.page.fill("q.Cameras", "12")
    visitor.page.fill("q.Cameras.special", "dk")
    visitor.page.fill("q.Founded.year", "31")
    visitor.page.fill("q.Split.police", "62")
    visitor.page.fill("q.Uses", "[]")
    visitor.page.fill("q.Uses", "drones")
    visitor.page.fill("q.Felt.none", "often")
    visitor.page.fill("q.Felt.theft", "often")
    await visitor.press("next")
    yield "page of numbers, mistakes", visitor.page.html


async def _invited(visitor: Visitor, language: str) -> AsyncIterator[tuple[str, str]]:
    await visitor.get(f"/s/{INVITED.id}?lang={language}")
    yield "invited, code asked for", visitor.page.html
    for typed in ("", "0000"):
        visitor.page.fill("code", typed)
        await visitor.press("next")
        yield f"invited, code {typed!r}", visitor.page.html
