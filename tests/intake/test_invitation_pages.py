"""The way of an invited respondent without scripts, from the code to the receipt."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto import invitation, receipt
from services.intake import form
from services.intake.app import create_app
from services.intake.context import Intake
from tests.intake.invited import SURVEY, instrument
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Visitor

ADDRESS = f"/s/{SURVEY}?lang=en"


class Desk:
    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.intake: Intake = open_desk(self.journal, [instrument()])
        self.client: AsyncTestClient[Any] = AsyncTestClient(create_app(self.intake))  # type: ignore[arg-type]

    async def codes(self, count: int) -> list[str]:
        made = [invitation.make_code() for _ in range(count)]
        await self.intake.invitations.invite(SURVEY, [invitation.name(SURVEY, code.replace("-", "")) for code in made])
        return made


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


async def answer(visitor: Visitor, choice: str = "1") -> None:
    visitor.page.fill("consent", "yes")
    await visitor.press("next")
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


async def test_a_page_that_got_lost_is_fetched_again_with_the_same_code(desk: Desk) -> None:
    [code] = await desk.codes(1)
    first, second = await enter(desk, code), await enter(desk, code)
    assert first.page.control("receipt").value == second.page.control("receipt").value
    await answer(first)
    await answer(second)
    assert "Thank you" in second.page.text
    await answer(third := await enter(desk, code), "2")
    assert third.status == 409
    assert "already belongs to other answers" in third.page.text
    assert len(desk.journal.events) == 1


async def test_a_withdrawn_response_is_not_answered_a_second_time(desk: Desk) -> None:
    [code] = await desk.codes(1)
    await answer(visitor := await enter(desk, code))
    [written] = desk.journal.events.values()
    mine = visitor.page.control("receipt").value
    assert receipt.response_id(mine) == written.event.id
    await desk.client.delete(f"/api/v1/receipts/{mine}")
    await answer(again := await enter(desk, code))
    assert again.status == 410
    assert "already sent with this invitation" in again.page.text


@pytest.mark.parametrize("ticket", ["", "AAAA.AAAA"])
@pytest.mark.parametrize("place", ["", "start", "A", "review"])
async def test_no_page_of_the_form_opens_without_a_ticket(desk: Desk, place: str, ticket: str) -> None:
    await desk.codes(1)
    sheet = form.write(form.Sheet("0.1.0", {"A1": "1"}, ("A1", "A2"), reviewed=True, ticket=ticket))
    fields = {"place": place, "sheet": sheet, "receipt": receipt.make(), "consent": "yes", "go": "send" if place == "review" else "next"}
    visitor = Visitor(desk.client, "en")
    await visitor.send(ADDRESS, urlencode(fields))
    assert visitor.status == 403
    assert "Please start with your invitation code" in visitor.page.text
    assert not desk.journal.events


async def test_answers_begun_by_invitation_are_finished_elsewhere_without_the_invitation_code(desk: Desk) -> None:
    [code] = await desk.codes(1)
    begun = await enter(desk, code)
    mine = begun.page.control("receipt").value
    begun.page.fill("consent", "yes")
    await begun.press("next")
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
    assert written.event.id == receipt.response_id(mine)


async def test_the_receipt_in_the_page_cannot_be_exchanged_for_another(desk: Desk) -> None:
    [code] = await desk.codes(1)
    visitor = await enter(desk, code)
    mine = visitor.page.control("receipt").value
    visitor.page.control("receipt").value = receipt.make()
    await answer(visitor)
    [written] = desk.journal.events.values()
    assert written.event.id == receipt.response_id(mine)


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
