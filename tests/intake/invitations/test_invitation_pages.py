"""The way of an invited respondent without scripts, from the code to the receipt."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto import invitation, receipt
from services.intake.app import create_app
from services.intake.context import Intake
from services.intake.form import flow
from services.intake.invitations.spent_tickets import SPENT
from services.intake.streams.journal import MAX_IN_TRANSIT
from tests.intake.invited import SURVEY, instrument, invite_to
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Visitor

ADDRESS = f"/s/{SURVEY}?lang=en"


class Desk:
    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.serve()

    def serve(self, **other: Any) -> None:
        self.intake: Intake = replace(open_desk(self.journal, [instrument()]), **other)
        self.client: AsyncTestClient[Any] = AsyncTestClient(create_app(self.intake))  # type: ignore[arg-type]

    async def codes(self, count: int) -> list[str]:
        return await invite_to(self.intake, SURVEY, count)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with desk.client:
        yield desk


async def enter(desk: Desk, code: str) -> Visitor:
    visitor = Visitor(desk.client, "en")
    page = await visitor.get(ADDRESS)
    page.fill("code", code)
    await visitor.press("next")
    return visitor


def ticket_of(visitor: Visitor) -> str:
    return msgspec.json.decode(visitor.page.control("sheet").value)["ticket"]


async def answer(visitor: Visitor, choice: str = "1") -> None:
    await begin(visitor)
    await finish(visitor, choice)


async def begin(visitor: Visitor) -> None:
    visitor.page.fill("consent", "yes")
    await visitor.press("next")


async def finish(visitor: Visitor, choice: str = "1") -> None:
    visitor.page.fill("q.A1", choice)
    await visitor.press("next")
    await visitor.press("send")


async def test_a_code_leads_to_the_questions_and_to_one_response(desk: Desk) -> None:
    [code] = await desk.codes(1)
    visitor = await enter(desk, code.lower())
    assert visitor.status == 200
    assert "Start" in visitor.page.text
    assert not visitor.page.control("consent").on
    await answer(visitor)
    assert "Thank you" in visitor.page.text
    assert len(desk.journal.events) == 1
    assert code not in visitor.page.html


async def test_what_goes_wrong_with_a_code_is_said_beside_it(desk: Desk) -> None:
    [code] = await desk.codes(1)
    last = "0" if code[-1] != "0" else "1"
    for typed, status, told in (
        ("", 422, "Enter your invitation code."),
        (code[:-1] + last, 422, "typing mistake"),
        (code[:7], 422, "typing mistake"),
        (invitation.make_code(), 404, "does not belong to this survey"),
    ):
        visitor = await enter(desk, typed)
        assert visitor.status == status
        assert told in visitor.page.text
        assert visitor.page.control("code").value == typed
        assert "code" in visitor.page.ids


async def test_looking_at_the_form_spends_nothing_and_the_first_response_does(desk: Desk) -> None:
    [code] = await desk.codes(1)
    first, second = await enter(desk, code), await enter(desk, code)
    assert ticket_of(first) == ticket_of(second)
    await begin(first)
    await begin(second)
    assert first.page.control("receipt").value != second.page.control("receipt").value
    await finish(first)
    assert "Thank you" in first.page.text
    await finish(second, "2")
    assert second.status == 410
    assert "already sent with this invitation" in second.page.text
    third = await enter(desk, code)
    assert (third.status, third.page.has("consent")) == (410, False), "nobody fills in a form that cannot be sent"
    assert len(desk.journal.events) == 1


async def test_sending_the_same_page_again_is_a_repetition(desk: Desk) -> None:
    [code] = await desk.codes(1)
    await begin(visitor := await enter(desk, code))
    visitor.page.fill("q.A1", "1")
    await visitor.press("next")
    page = visitor.page.press("send")
    for said in ("Thank you", "These answers were sent already"):
        await visitor.send(*page)
        assert visitor.status == 200
        assert said in visitor.page.text
    assert len(desk.journal.events) == 1


async def test_a_withdrawn_response_is_not_answered_a_second_time(desk: Desk) -> None:
    [code] = await desk.codes(1)
    await answer(visitor := await enter(desk, code))
    [written] = desk.journal.events.values()
    mine = visitor.page.control("receipt").value
    assert receipt.response_id(mine) == written.event.id
    later = await enter(desk, (await desk.codes(1))[0])
    await desk.client.delete(f"/api/v1/receipts/{mine}")
    again = await enter(desk, code)
    assert again.status == 410
    assert "already sent with this invitation" in again.page.text
    assert later.status == 200


async def test_a_ticket_whose_response_never_came_is_taken_over_after_a_while(desk: Desk) -> None:
    now = 1_790_000_000.0
    desk.serve(clock=lambda: now)
    async with desk.client:
        [code] = await desk.codes(1)
        first, second = await enter(desk, code), await enter(desk, code)
        await begin(first)
        await begin(second)
        desk.journal.busy = True
        await finish(first)
        assert first.status == 503
        desk.journal.busy = False
        await finish(second, "2")
        assert second.status == 503, "the first may still arrive"
        again, mine = second.page.press("send"), first.page.press("send")
        now += MAX_IN_TRANSIT / 2
        desk.journal.busy = True
        await first.send(*mine)
        desk.journal.busy = False
        now += MAX_IN_TRANSIT / 2
        await second.send(*again)
        assert second.status == 503, "the first has just tried again"
        now += MAX_IN_TRANSIT
        await second.send(*again)
        assert second.status == 200
        await first.send(*mine)
        assert first.status == 410
    [written] = desk.journal.events.values()
    assert written.event.id == receipt.response_id(second.page.control("receipt").value)


async def test_answers_that_are_refused_spend_nothing(desk: Desk) -> None:
    [code] = await desk.codes(1)
    ticket = ticket_of(await enter(desk, code))
    for content, status in (({"answers": {"A1": "9"}, "consent": True}, 422), ({"answers": {"A1": "1"}, "consent": True}, 201)):
        headers = {"Platea-Invitation": ticket, "Content-Type": "application/json"}
        sent = await desk.client.post(f"/api/v1/surveys/{SURVEY}/responses", json=content, headers=headers)
        assert sent.status_code == status


async def test_what_a_crash_left_between_response_and_list_is_noted_by_the_clock(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*arguments: object) -> None:
        pass

    monkeypatch.setattr(desk.intake.ticket_claims, "settle", crash)
    [code, other] = await desk.codes(2)
    await answer(await enter(desk, code))
    await begin(waiting := await enter(desk, other))
    desk.journal.busy = True
    await finish(waiting)
    desk.journal.busy = False
    [written] = desk.journal.events.values()
    unknown = receipt.response_id(waiting.page.control("receipt").value)
    spent = desk.intake.invitations.spent
    assert {value for _, value in await spent.read(SURVEY)} == {bytes.fromhex(written.event.id), bytes.fromhex(unknown)}
    await desk.intake.ticket_claims.sweep([SURVEY, "unknown"])
    assert {value for _, value in await spent.read(SURVEY)} == {SPENT, bytes.fromhex(unknown)}


@pytest.mark.parametrize("ticket", ["", "AAAA.AAAA"])
@pytest.mark.parametrize("place", ["", "start", "A", "review"])
async def test_no_page_of_the_form_opens_without_a_ticket(desk: Desk, place: str, ticket: str) -> None:
    await desk.codes(1)
    sheet = flow.write(flow.FormState("0.1.0", {"A1": "1"}, ("A1", "A2"), reviewed=True, ticket=ticket))
    fields = {"place": place, "sheet": sheet, "receipt": receipt.make(), "consent": "yes", "go": "send" if place == "review" else "next"}
    visitor = Visitor(desk.client, "en")
    await visitor.send(ADDRESS, urlencode(fields))
    assert visitor.status == 403
    assert "Please start with your invitation code" in visitor.page.text
    assert not desk.journal.events


async def test_answers_begun_by_invitation_are_finished_elsewhere_without_the_invitation_code(desk: Desk) -> None:
    [code] = await desk.codes(1)
    await begin(begun := await enter(desk, code))
    fixed = begun.page.control("receipt").value
    begun.page.fill("q.A1", "2")
    shown = re.search(r"([0-9A-Z]{4}-){6}[0-9A-Z]{4}", (await begun.press("later")).text)
    assert shown is not None
    elsewhere = Visitor(desk.client, "en")
    page = await elsewhere.get(f"/s/{SURVEY}/continue?lang=en")
    page.fill("code", shown[0])
    await elsewhere.press("continue")
    assert elsewhere.page.control("q.A1", "2").on
    await elsewhere.press("next")
    await elsewhere.press("send")
    [written] = desk.journal.events.values()
    mine = elsewhere.page.control("receipt").value
    assert written.event.id == receipt.response_id(mine)
    for known in (fixed, code, shown[0], ticket_of(begun).partition(".")[0]):
        assert (await desk.client.get(f"/api/v1/receipts/{known}")).status_code == 404, "who began holds no receipt of what was sent"
    await begun.press("resume")
    await begun.press("next")
    await begun.press("send")
    assert begun.status == 410
    assert len(desk.journal.events) == 1


async def test_the_ticket_travels_in_the_sheet_and_code_and_ticket_in_no_address(desk: Desk) -> None:
    [code] = await desk.codes(1)
    visitor = await enter(desk, code)
    sheet = msgspec.json.decode(visitor.page.control("sheet").value)
    assert invitation.read_ticket(sheet["ticket"]) is not None
    assert all(sheet["ticket"] not in link and code not in link for link in [*visitor.page.links, visitor.page.action])


async def test_the_page_says_which_of_the_two_ways_applies(desk: Desk) -> None:
    await desk.codes(1)
    visitor = Visitor(desk.client, "en")
    page = await visitor.get(ADDRESS)
    plain, blind = page.html.index('id="apart-plain"'), page.html.index('id="apart-blind" hidden')
    assert plain < blind
