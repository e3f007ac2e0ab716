"""A full quota, as somebody meets it who answers without scripts, and as a program does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto import quotas
from proto.events import QuotasFilled
from proto.instrument import Quota, Rule, Single
from services.intake.app import create_app
from services.intake.context import Intake
from tests.builders.bundled import questionnaire
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Page, Visitor
from tests.pages.walking import begin, fill_in, respondent, walk

BUNDLED = questionnaire("security-by-design")
ANSWERS = respondent(BUNDLED, 1)
ASKED = next(q for q in BUNDLED.questions if isinstance(q, Single) and q.required and q.id in ANSWERS and q.show_if is None)
TEXT = {"en": "Enough people like you have answered.", "fr": "Assez de personnes comme vous ont r\u00e9pondu."}
QUOTA = Quota("like_you", Rule(q=ASKED.id, op="in", value=(ANSWERS[ASKED.id],)), 10, TEXT)
SURVEY = msgspec.structs.replace(BUNDLED, quotas=(QUOTA,))
SECTION = quotas.last(SURVEY, QUOTA).section
HOME = f"/s/{SURVEY.id}"
PATH = f"/api/v1/surveys/{SURVEY.id}/responses"
KEY = "x7Fq-mQ2vT9_kLp4RwZ8bN1c"


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def desk(journal: MemoryJournal) -> Intake:
    return open_desk(journal, [SURVEY])


@pytest.fixture
async def visitor(desk: Intake) -> AsyncIterator[Visitor]:
    async with AsyncTestClient(create_app(desk)) as client:
        yield Visitor(client, "en")


def fill_up(desk: Intake) -> None:
    desk.registry.apply(QuotasFilled(SURVEY.id, {QUOTA.id: QUOTA.limit}))


def told(page: Page) -> str:
    return re.sub(r"\s+", " ", page.text)


async def to_the_end_of_the_section(visitor: Visitor) -> Page:
    await begin(visitor, SURVEY.id, "en")
    for _ in range(40):
        place = visitor.place
        fill_in(visitor.page, SURVEY, ANSWERS, ".")
        page = await visitor.press("next")
        if place == SECTION and (not page.has("place") or visitor.place != SECTION):
            return page
    raise AssertionError("never left the section")


async def test_who_meets_a_full_quota_is_told_so_before_the_rest_and_nothing_is_stored(
    visitor: Visitor, desk: Intake, journal: MemoryJournal
) -> None:
    fill_up(desk)
    page = await to_the_end_of_the_section(visitor)
    assert (visitor.status, page.title.startswith("Thank you for taking part")) == (200, True)
    assert TEXT["en"] in told(page)
    assert "What you wrote was not sent, and none of it counts." in told(page)
    assert not any(control.value in ("send", "next", "delete") for control in page.controls)
    french = next(c.action for c in page.controls if c.tag == "button" and c.action == f"{HOME}?lang=fr")
    page = await visitor.send(french, page.press("quota")[1])
    assert (page.language, TEXT["fr"] in told(page)) == ("fr", True)
    assert not journal.events


async def test_a_slip_can_be_put_right(visitor: Visitor, desk: Intake, journal: MemoryJournal) -> None:
    fill_up(desk)
    await to_the_end_of_the_section(visitor)
    page = await visitor.press(f"change.{ASKED.id}")
    assert visitor.place == SECTION
    other = next(option.code for option in ASKED.options if option.code != ANSWERS[ASKED.id])
    page.answer(ASKED, other)
    await visitor.press("next")
    assert visitor.place != SECTION or visitor.page.has("sheet"), "goes on"
    assert TEXT["en"] not in told(visitor.page)


async def test_a_quota_that_is_not_full_and_one_met_by_others_say_nothing(visitor: Visitor, desk: Intake, journal: MemoryJournal) -> None:
    await begin(visitor, SURVEY.id, "en")
    await walk(visitor, SURVEY, ANSWERS, "en")
    fill_up(desk)
    page = await visitor.press("send")
    assert (visitor.status, "Thank you" in page.title, len(journal.events)) == (200, True, 1), "what was answered to the end is taken"
    await visitor.press("show")
    await visitor.press("change")
    await visitor.press(f"change.{ASKED.id}")
    await visitor.press("next")
    assert visitor.place == "review", "answers that were sent can be changed"


async def test_the_api_refuses_who_meets_it_and_finds_what_was_sent_before(visitor: Visitor, desk: Intake, journal: MemoryJournal) -> None:
    body = {"answers": ANSWERS, "consent": True}
    sent = await visitor.client.post(PATH, json=body, headers={"Idempotency-Key": KEY})
    assert sent.status_code == 201, sent.text
    fill_up(desk)
    again = await visitor.client.post(PATH, json=body, headers={"Idempotency-Key": KEY})
    assert (again.status_code, again.json()["digest"]) == (200, sent.json()["digest"])
    refused = await visitor.client.post(PATH, json=body)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/quota-full")
    assert len(journal.events) == 1
    other = next(number for number in range(50) if respondent(BUNDLED, number).get(ASKED.id) != ANSWERS[ASKED.id])
    taken = await visitor.client.post(PATH, json=body | {"answers": respondent(BUNDLED, other)})
    assert taken.status_code == 201, taken.text
