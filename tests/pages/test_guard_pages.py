"""Robots and floods as the pages meet them: whoever is held back gets everything back and comes through in the end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import altcha
import httpx
import msgspec
from litestar.testing import AsyncTestClient

from proto import notice, tokens
from proto.events import ResponseSubmitted
from proto.receipt import make
from proto.tokens import Token
from services.intake.app import create_app
from services.intake.context import Intake
from services.intake.flood.flood_guard import FloodGuard
from services.intake.form.pages.notice import version_of
from tests.clock import Clock
from tests.pages.desk import MemoryJournal, bundled, open_desk
from tests.pages.visitor import Visitor
from tests.pages.walking import begin, respondent, walk

SURVEY = next(instrument for instrument in bundled() if instrument.id == "security-by-design")
ANSWERS = respondent(SURVEY, 3)
API = f"/api/v1/surveys/{SURVEY.id}/responses"


@dataclass
class Square:
    visitor: Visitor
    journal: MemoryJournal
    clock: Clock
    desk: Intake

    async def to_review(self) -> None:
        await begin(self.visitor, SURVEY.id, "en")
        await walk(self.visitor, SURVEY, ANSWERS, "en")

    async def program(self, headers: dict[str, str]) -> httpx.Response:
        return await self.visitor.client.post(API, json={"answers": ANSWERS, "consent": True}, headers=headers)


@asynccontextmanager
async def square(guard: Callable[[Intake, Clock], FloodGuard]) -> AsyncGenerator[Square]:
    journal, clock = MemoryJournal(), Clock(time.time())
    desk = open_desk(journal)
    desk = replace(desk, flood_guard=guard(desk, clock))
    async with AsyncTestClient(create_app(desk)) as client:
        yield Square(Visitor(client, "en"), journal, clock, desk)


def quiet(desk: Intake, clock: Clock) -> FloodGuard:
    return FloodGuard(desk.metrics, least=2.0, clock=clock)


def flooded(desk: Intake, clock: Clock) -> FloodGuard:
    guard = FloodGuard(desk.metrics, b"k", burst=100, rate=0.1, least=2.0, clock=clock)
    while guard.api(SURVEY.id, None, "") is None:
        pass
    return guard


async def test_who_is_faster_than_people_gets_the_review_back_and_sends_it_again() -> None:
    async with square(quiet) as at:
        await at.to_review()
        await at.visitor.press("send")
        assert at.visitor.status == 422
        assert "That went very fast" in at.visitor.page.text
        assert not at.journal.events
        at.clock.now += 2.1
        await at.visitor.press("send")
        assert at.visitor.status == 200
        assert len(at.journal.events) == 1


async def test_who_fills_in_the_field_that_nobody_sees_loses_nothing() -> None:
    async with square(quiet) as at:
        await at.to_review()
        at.clock.now += 60
        at.visitor.page.fill("subject", "cheap watches")
        await at.visitor.press("send")
        assert at.visitor.status == 422
        assert at.visitor.page.control("subject").value == ""
        await at.visitor.press("send")
        assert len(at.journal.events) == 1


async def test_a_beginning_that_was_moved_back_is_worth_nothing() -> None:
    async with square(quiet) as at:
        await at.to_review()
        sheet = at.visitor.page.control("sheet")
        sheet.value = msgspec.json.encode(msgspec.json.decode(sheet.value) | {"began": "1.0"}).decode()
        await at.visitor.press("send")
        assert at.visitor.status == 422
        assert not at.journal.events


async def test_without_scripts_a_flood_costs_some_patience_and_no_answer() -> None:
    async with square(flooded) as at:
        await at.to_review()
        at.clock.now += 3
        written = at.visitor.page.control("sheet").value
        await at.visitor.press("send")
        assert at.visitor.status == 429
        assert 0 < int(at.visitor.received["retry-after"]) <= 10
        assert at.visitor.page.control("sheet").value == written
        assert not at.journal.events
        at.clock.now += int(at.visitor.received["retry-after"])
        await at.visitor.press("send")
        assert at.visitor.status == 200
        assert len(at.journal.events) == 1


async def test_programs_solve_a_task_during_a_flood_and_organisers_need_not() -> None:
    async with square(flooded) as at:
        _, secret = tokens.make()
        at.desk.registry.apply(Token("first", tokens.digest(secret), "organiser"))
        assert (await at.program({"Authorization": f"Bearer {secret}"})).status_code == 201
        assert (await at.program({"Authorization": f"Bearer {secret}x"})).status_code == 429
        assert (await at.program({})).status_code == 429
        key = {"Idempotency-Key": make()}
        refused = await at.program(key)
        assert refused.status_code == 429
        assert refused.headers["retry-after"]
        challenge = altcha.Challenge.from_dict(refused.json()["task"])
        solution = altcha.solve_challenge(challenge)
        assert solution is not None
        work = {"Platea-Work": altcha.Payload(challenge, solution).to_base64()}
        assert (await at.program(key | work)).status_code == 201
        assert (await at.program({"Idempotency-Key": make()} | work)).status_code == 429, "one solution, one response"


async def test_the_version_of_the_notice_on_the_page_is_the_one_that_travels_with_the_response() -> None:
    async with square(quiet) as at:
        start = await at.visitor.get(f"/s/{SURVEY.id}?lang=en")
        told = version_of(SURVEY)
        assert f"Version of this notice: {told}" in start.text
        assert "Responsible: Example Organisation" in start.text
        assert told != notice.version(SURVEY), "what every survey tells belongs to it"
        await at.to_review()
        at.clock.now += 60
        await at.visitor.press("send")
        (written,) = at.journal.events.values()
        assert isinstance(written.event, ResponseSubmitted)
        assert written.event.notice == told


async def test_the_page_for_the_results_comes_without_receipt_or_referrer() -> None:
    async with square(quiet) as at:
        await at.to_review()
        at.clock.now += 60
        sent = await at.visitor.press("send")
        (receipt,) = [control.value for control in sent.controls if control.name == "receipt"][:1]
        (link,) = [link for link in sent.links if "/contact" in link]
        page = await at.visitor.get(link)
        assert receipt not in page.html
        assert not page.has("receipt")
        assert at.visitor.received["referrer-policy"] == "same-origin"
        page.fill("address", "anna@example.eu")
        page.fill("agree", "yes")
        address, body = page.press("add")
        assert receipt not in address + body
        assert (await at.visitor.send(address, body)).title.startswith("Noted")
