"""A survey with an opening and a closing, as a browser without scripts meets it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto import schedule
from proto.events import ResponseSubmitted, SurveyClosed
from proto.instrument import Closing, Opening
from services.intake.app import create_app
from services.intake.context import Intake
from tests.builders.bundled import questionnaire
from tests.clock import Clock
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Page, Visitor
from tests.pages.walking import begin, respondent, walk

OPENS, CLOSES = Opening("2026-12-01 09:00", "Europe/Brussels"), Closing("2026-12-31 18:00", "Europe/Brussels", 60)
SURVEY = msgspec.structs.replace(questionnaire("security-by-design"), opens=OPENS, closes=CLOSES)
UNLISTED = msgspec.structs.replace(questionnaire("social-cohesion"), listed=False)
HOME = f"/s/{SURVEY.id}"
ANSWERS = respondent(SURVEY, 1)


@pytest.fixture
def clock() -> Clock:
    return Clock(schedule.closing(CLOSES) - 3600)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def desk(journal: MemoryJournal, clock: Clock) -> Intake:
    return open_desk(journal, [SURVEY, UNLISTED], clock)


@pytest.fixture
async def visitor(desk: Intake) -> AsyncIterator[Visitor]:
    async with AsyncTestClient(create_app(desk)) as client:
        yield Visitor(client, "en")


def told(page: Page) -> str:
    return re.sub(r"\s+", " ", page.text)


async def to_review(visitor: Visitor) -> None:
    await begin(visitor, SURVEY.id, "en")
    await walk(visitor, SURVEY, ANSWERS, "en")


async def test_the_card_and_the_start_page_say_until_when_by_the_clocks_of_the_survey(visitor: Visitor) -> None:
    until = "Open until 31 December 2026, 18:00 (Central European Time)"
    assert until in told(await visitor.get("/?lang=en"))
    assert until in told(await visitor.get(f"{HOME}?lang=en"))
    assert "Offen bis 31. Dezember 2026, 18:00 (Mitteleuropäische Zeit)" in told(await visitor.get(f"{HOME}?lang=de"))


async def test_before_it_opens_it_says_when_and_takes_nothing(visitor: Visitor, clock: Clock, journal: MemoryJournal) -> None:
    await visitor.get(f"{HOME}?lang=en")
    stale = visitor.page
    clock.now = schedule.opening(OPENS) - 1
    assert "Opens on 1 December 2026, 09:00 (Central European Time)" in told(await visitor.get("/?lang=en"))
    page = await visitor.get(f"{HOME}?lang=en")
    assert (visitor.status, "Opens on 1 December 2026, 09:00" in told(page), page.has("consent")) == (403, True, False)
    stale.fill("consent", "yes")
    await visitor.send(*stale.press("next"))
    assert visitor.status == 403
    body = {"answers": ANSWERS, "consent": True}
    refused = await visitor.client.post(f"/api/v1/surveys/{SURVEY.id}/responses", json=body)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/survey-not-open")
    clock.now += 1
    assert (await visitor.get(f"{HOME}?lang=en")).has("consent")
    assert not journal.events


async def test_in_the_grace_whoever_has_begun_can_send_and_nobody_can_begin(visitor: Visitor, clock: Clock, journal: MemoryJournal) -> None:
    await visitor.get(f"{HOME}?lang=en")
    stale = visitor.page
    await to_review(visitor)
    begun = visitor.page
    clock.now = schedule.end(CLOSES) - 1
    assert HOME not in " ".join((await visitor.get("/?lang=en")).links)
    page = await visitor.get(f"{HOME}?lang=en")
    assert (visitor.status, page.has("consent")) == (403, False)
    assert "you can still send your answers until 31 December 2026, 19:00" in told(page)
    assert f"{HOME}/continue?lang=en" in page.links
    stale.fill("consent", "yes")
    await visitor.send(*stale.press("next"))
    assert (visitor.status, visitor.page.has("sheet") and visitor.page.control("sheet").value) == (403, "")
    review = await visitor.send(*begun.press("back"))
    assert "This survey has closed. You began in time" in told(review)
    assert (visitor.status, "Thank you" in (await visitor.send(*begun.press("send"))).title) == (200, True)
    [written] = journal.events.values()
    assert isinstance(written.event, ResponseSubmitted)
    page = await visitor.press("show")
    assert "change" in [control.value for control in page.controls], "answers can be changed as long as they can be sent"


@pytest.mark.parametrize("go", ["send", "back", "later"])
async def test_who_is_answering_when_it_closes_is_told_that_nothing_was_sent(
    visitor: Visitor, clock: Clock, journal: MemoryJournal, go: str
) -> None:
    await to_review(visitor)
    clock.now = schedule.end(CLOSES)
    page = await visitor.press(go)
    assert (visitor.status, page.title.startswith("This survey is closed")) == (403, True)
    assert SURVEY.title["en"] in told(page)
    assert "It closed before you sent your answers. What you wrote was not sent, and none of it counts." in told(page)
    assert not any(control.value == "delete" for control in page.controls), "there is no copy to delete"
    assert f"{HOME}/receipt?lang=en" in page.links
    fr = next(c.action for c in page.controls if c.tag == "button" and c.action == f"{HOME}?lang=fr")
    french = await visitor.send(fr, page.press("stay")[1])
    assert (visitor.status, french.language) == (403, "fr")
    assert "Ce que vous avez écrit n’a pas été envoyé" in told(french)
    assert not journal.events


async def test_what_was_sent_before_the_end_is_found_by_sending_it_again(visitor: Visitor, clock: Clock, journal: MemoryJournal) -> None:
    await to_review(visitor)
    review = visitor.page
    receipt = (await visitor.press("send")).control("receipt").value
    clock.now = schedule.end(CLOSES)
    page = await visitor.send(*review.press("send"))
    assert (visitor.status, page.control("receipt").value, len(journal.events)) == (200, receipt, 1)


async def test_changes_that_come_too_late_leave_the_answers_and_lead_to_the_receipt(visitor: Visitor, clock: Clock) -> None:
    await to_review(visitor)
    await visitor.press("send")
    await visitor.press("show")
    await visitor.press("change")
    clock.now = schedule.end(CLOSES)
    page = await visitor.press("send")
    assert visitor.status == 403
    assert "The answers you sent before stay as they are." in told(page)
    page = await visitor.press("show")
    assert (visitor.status, "Accepted" in page.text) == (200, True)
    assert not any(control.value == "change" for control in page.controls)


async def test_a_saved_draft_goes_on_in_the_grace_and_after_it_can_be_deleted(visitor: Visitor, clock: Clock) -> None:
    await to_review(visitor)
    page = await visitor.press("later")
    assert "Open until 31 December 2026" in told(page)
    code = re.search(r"([0-9A-Z]{4}-){6}[0-9A-Z]{4}", page.text)
    assert code is not None

    async def enter() -> Page:
        (await visitor.get(f"{HOME}/continue?lang=en")).fill("code", code[0])
        return await visitor.press("continue")

    clock.now = schedule.end(CLOSES) - 1
    page = await enter()
    assert (visitor.status, visitor.place) == (200, "review")
    assert "You began in time" in told(page)
    clock.now += 1
    page = await enter()
    assert (visitor.status, SURVEY.title["en"] in told(page)) == (403, True)
    assert "The copy you saved for continuing later cannot be sent any more." in told(page)
    page = await visitor.press("delete")
    assert (visitor.status, "The saved copy is deleted" in page.text) == (200, True)
    await enter()
    assert visitor.status == 404


async def test_a_reopened_survey_is_open_whatever_its_date_says(visitor: Visitor, clock: Clock, desk: Intake) -> None:
    clock.now = schedule.end(CLOSES) + 1
    desk.registry.apply(SurveyClosed(SURVEY.id, closed=False, lifts=schedule.closing(CLOSES)))
    page = await visitor.get(f"{HOME}?lang=en")
    assert (visitor.status, "Open until" in told(page)) == (200, False)


async def test_a_survey_that_is_not_listed_is_reached_by_its_address_alone(visitor: Visitor) -> None:
    assert f"/s/{UNLISTED.id}" not in " ".join((await visitor.get("/?lang=en")).links)
    assert (await visitor.get(f"/s/{UNLISTED.id}?lang=en")).has("consent")
    listed = (await visitor.client.get("/api/v1/surveys?closed=true")).json()
    assert [survey["id"] for survey in listed] == [SURVEY.id]
    assert listed[0]["closes"] == "2026-12-31T18:00:00+01:00"
    assert (await visitor.client.get(f"/api/v1/surveys/{UNLISTED.id}")).status_code == 200
