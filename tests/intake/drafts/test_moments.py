"""When a draft ends: at midnight after its last day, when its answers are sent or taken back, also after a stream that was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

import pytest
from litestar.testing import AsyncTestClient

from proto.answers import today_of
from proto.events import RetentionSet
from services.intake.app import create_app
from services.intake.context import Intake
from services.intake.drafts import drafts, saved_drafts
from services.intake.drafts.drafts import Draft
from services.intake.form.flow import FormState
from tests.intake import invited
from tests.pages.desk import MemoryDrafts, MemoryJournal, bundled, open_desk
from tests.pages.visitor import Visitor
from tests.pages.walking import begin, respondent, walk

ACTION3 = next(instrument for instrument in bundled() if instrument.id == "ai-security")
RECEIPT = "7HKM-2V9Q-8C3T-RW5N-4JXD-E6YP-0000"
DRAFT = Draft(FormState("0.1.0"), "A", "en")
MIDNIGHT = 20_000 * saved_drafts.DAY


@pytest.fixture
def desk() -> Intake:
    return open_desk(MemoryJournal())


@pytest.fixture
def kept(desk: Intake) -> MemoryDrafts:
    return cast("MemoryDrafts", desk.draft_store)


@pytest.fixture
async def visitor(desk: Intake) -> AsyncIterator[Visitor]:
    async with AsyncTestClient(create_app(desk)) as client:
        yield Visitor(client)


@pytest.mark.parametrize("second", [0, 1, saved_drafts.DAY - 1])
async def test_a_code_works_until_the_end_of_the_day_that_was_told(desk: Intake, kept: MemoryDrafts, second: int) -> None:
    now = MIDNIGHT + second
    saved = await replace(desk, clock=lambda: float(now)).drafts.save("ai-security", drafts.code_of(RECEIPT), DRAFT, "")
    assert isinstance(saved, saved_drafts.SavedDraft)
    assert saved.until == "2024-11-03"  # 30 days after 2024-10-04
    assert now + kept.seconds == MIDNIGHT + 31 * saved_drafts.DAY


@pytest.mark.parametrize(("ends", "until"), [("2024-10-20", "2024-10-19"), ("2024-10-05", "2024-10-04"), ("2024-10-04", "2024-11-03")])
async def test_nothing_is_saved_beyond_the_day_on_which_answers_are_deleted(
    desk: Intake, kept: MemoryDrafts, ends: str, until: str
) -> None:
    """A survey that is still open after its day goes on as if there were none: closing it sets another."""
    desk.registry.apply(RetentionSet("ai-security", ends))
    saved = await replace(desk, clock=lambda: float(MIDNIGHT)).drafts.save("ai-security", drafts.code_of(RECEIPT), DRAFT, "")
    assert isinstance(saved, saved_drafts.SavedDraft)
    assert saved.until == until
    assert kept.seconds <= 31 * saved_drafts.DAY
    assert today_of(MIDNIGHT + kept.seconds - 1) == until


async def test_sending_does_not_wait_for_a_stream_that_is_away_and_the_draft_still_goes(visitor: Visitor, kept: MemoryDrafts) -> None:
    await begin(visitor)
    review = await walk(visitor, ACTION3, respondent(ACTION3, 0))
    await visitor.press("later")
    assert kept.sealed
    kept.away = True
    await visitor.send(*review.press("send"))
    assert visitor.status == 200
    assert kept.sealed
    kept.away = False
    async with asyncio.timeout(60):
        while kept.sealed:
            await asyncio.sleep(0.05)


async def test_taking_answers_back_takes_back_a_change_that_was_saved(visitor: Visitor, kept: MemoryDrafts) -> None:
    await begin(visitor)
    await walk(visitor, ACTION3, respondent(ACTION3, 0))
    await visitor.press("send")
    await visitor.press("show")
    held = visitor.page
    await visitor.press("change")
    assert visitor.place == "review"
    await visitor.press("later")
    assert len(kept.sealed) == 1
    await visitor.send(*held.press("withdraw"))
    await visitor.press("withdraw.yes")
    assert not kept.sealed


async def test_a_program_that_withdraws_takes_back_a_change_that_was_saved_also_when_it_repeats_itself(
    visitor: Visitor, kept: MemoryDrafts
) -> None:
    await begin(visitor)
    await walk(visitor, ACTION3, respondent(ACTION3, 0))
    await visitor.press("send")
    receipt = visitor.page.control("receipt").value
    await visitor.press("show")
    await visitor.press("change")
    await visitor.press("later")
    [saved] = kept.sealed.items()
    assert (await visitor.client.delete(f"/api/v1/receipts/{receipt}")).status_code == 202
    assert not kept.sealed
    kept.sealed.update([saved])  # as after a crash between the journal and the drafts
    assert (await visitor.client.delete(f"/api/v1/receipts/{receipt}")).status_code == 202
    assert not kept.sealed


async def test_an_invitation_goes_on_elsewhere_without_its_code() -> None:
    journal = MemoryJournal()
    desk = open_desk(journal, [invited.instrument()])
    [code] = await invited.invite_to(desk, invited.SURVEY, 1)
    async with AsyncTestClient(create_app(desk)) as client:
        first, second = Visitor(client, "en"), Visitor(client, "en")
        (await first.get(f"/s/{invited.SURVEY}?lang=en")).fill("code", code)
        (await first.press("next")).fill("consent", "yes")
        (await first.press("next")).fill("q.A1", "1")
        await first.press("later")
        [link] = [link for link in first.page.links if "#" in link and "continue" in link]
        (await second.get(link)).fill("code", link.partition("#")[2])
        page = await second.press("continue")
        assert page.control("q.A1").value
        await second.press("next")
        await second.press("send")
        assert second.status == 200, second.page.text
    assert len(journal.events) == 1
    assert not cast("MemoryDrafts", desk.draft_store).sealed
