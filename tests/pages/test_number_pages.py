"""Numbers and dates on the page without scripts: special values beside them, bounds that are not there, years alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto.events import ResponseSubmitted
from services.intake.app import create_app
from tests.builders.town_budget import town_budget
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Visitor
from tests.pages.walking import begin, walk

SURVEY = town_budget()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
async def visitor(journal: MemoryJournal) -> AsyncIterator[Visitor]:
    async with AsyncTestClient(create_app(open_desk(journal, [SURVEY]))) as client:
        yield Visitor(client, "en")


async def sent(visitor: Visitor, journal: MemoryJournal) -> dict[str, Any]:
    await visitor.press("send")
    (written,) = journal.events.values()
    return msgspec.json.decode(cast("ResponseSubmitted", written.event).answers)


FELT = {"noise": "often", "theft": "seldom"}
ANSWERS: list[dict[str, Any]] = [
    {"Cameras": 12, "Balance": -3.25, "Founded": "1931", "Felt": FELT, "Split": {"police": 0, "light": 62, "clubs": 38}, "Wish": "Light"},
    {"Cameras": "secret", "Founded": "never", "Felt": FELT, "Uses": ["patrols"], "Wish": "Light"},
    {"Cameras": "dk", "Balance": 1_250_000, "Founded": "2026", "Felt": FELT},
]


@pytest.mark.parametrize("answers", ANSWERS)
async def test_numbers_years_and_what_stands_in_their_place_arrive_as_given(
    visitor: Visitor, journal: MemoryJournal, answers: dict[str, Any]
) -> None:
    await begin(visitor, SURVEY.id, "en")
    await walk(visitor, SURVEY, answers, "en")
    for text in ("It must not be told", "There is none") if answers["Cameras"] == "secret" else (str(answers["Founded"]),):
        assert text in visitor.page.text
    assert await sent(visitor, journal) == answers


async def test_a_special_value_and_a_number_are_not_both_an_answer(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor, SURVEY.id, "en")
    visitor.page.fill("q.Cameras", "12")
    visitor.page.fill("q.Cameras.special", "dk")
    await visitor.press("next")
    assert visitor.status == 422
    assert "Keep either “Not known” or the other answers" in visitor.page.text
    assert visitor.page.control("q.Cameras").value == "12"
    assert visitor.page.control("q.Cameras.special", "dk").on
    assert not visitor.page.control("q.Cameras.special", "secret").on
    visitor.page.fill("q.Cameras", "")
    await walk(visitor, SURVEY, {"Felt": FELT}, "en")
    assert await sent(visitor, journal) == {"Cameras": "dk", "Felt": FELT}


SUM = "The numbers must add up to 100 points. They add up to "


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"police": "62"}, SUM + "62: 38 missing"),
        ({"police": "62", "light": "40"}, SUM + "102: 2 too many"),
        ({"police": "1.000"}, "Write a whole number from 0 to 100."),
        ({"police": "all"}, "Write a whole number from 0 to 100."),
    ],
)
async def test_without_scripts_the_server_says_what_is_missing_of_a_total(visitor: Visitor, typed: dict[str, str], words: str) -> None:
    page = await begin(visitor, SURVEY.id, "en")
    assert "The numbers must add up to 100 points. An empty field counts as 0." in page.text
    page.fill("q.Cameras", "1")
    for row, text in typed.items():
        page.fill(f"q.Split.{row}", text)
    await visitor.press("next")
    assert visitor.status == 422
    assert words in visitor.page.text
    assert {row: visitor.page.control(f"q.Split.{row}").value for row in typed} == typed


async def test_an_empty_row_has_nothing_of_the_total(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor, SURVEY.id, "en")
    visitor.page.fill("q.Cameras", "1")
    visitor.page.fill("q.Split.clubs", "100")
    await walk(visitor, SURVEY, {"Felt": FELT}, "en")
    assert re.search(r"Police\s+0 points", visitor.page.text)
    assert (await sent(visitor, journal))["Split"] == {"police": 0, "light": 0, "clubs": 100}


async def test_none_of_these_is_an_answer_and_stands_alone(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor, SURVEY.id, "en")
    visitor.page.fill("q.Cameras", "1")
    visitor.page.fill("q.Felt.none", "often")
    visitor.page.fill("q.Uses", "drones")
    visitor.page.fill("q.Uses", "[]")
    await visitor.press("next")
    assert visitor.status == 422
    assert "Keep either “None of these” or the other answers" in visitor.page.text
    assert visitor.page.control("q.Uses", "[]").on
    visitor.page.control("q.Uses", "drones").on = False
    await walk(visitor, SURVEY, {}, "en")
    assert "None of these" in visitor.page.text
    assert await sent(visitor, journal) == {"Cameras": 1, "Uses": [], "Felt": {"none": "often"}}


async def test_a_row_that_excludes_the_others_is_answered_alone(visitor: Visitor) -> None:
    await begin(visitor, SURVEY.id, "en")
    visitor.page.fill("q.Cameras", "1")
    await visitor.press("next")
    assert "No answer in 2 of 2 rows" in visitor.page.text
    visitor.page.fill("q.Felt.none", "often")
    visitor.page.fill("q.Felt.noise", "seldom")
    await visitor.press("next")
    assert "Keep either “About nothing that stands here” or the other answers" in visitor.page.text
    visitor.page.fill("q.Felt.none", "")
    await visitor.press("next")
    assert "No answer in 1 of 2 rows" in visitor.page.text


async def test_a_code_that_is_typed_is_no_number(visitor: Visitor) -> None:
    await begin(visitor, SURVEY.id, "en")
    visitor.page.fill("q.Cameras", "dk")
    await visitor.press("next")
    assert visitor.status == 422
    assert "Write a whole number (0 or more)" in visitor.page.text
    assert visitor.page.control("q.Cameras").value == "dk"
    assert not visitor.page.control("q.Cameras.special", "dk").on


async def test_bounds_that_the_author_left_out_are_not_told(visitor: Visitor) -> None:
    page = await begin(visitor, SURVEY.id, "en")
    assert "Write a whole number (0 or more)." in page.text
    assert "Write a number, with at most 2 decimals, for example 12.5." in page.text
    assert "1,000,000,000" not in page.text


@pytest.mark.parametrize(
    ("year", "words"),
    [
        ("31", "Write the year with four digits"),
        ("1899", "Give 1900 or a later date"),
        ("2999", "Give today or an earlier date"),
    ],
)
async def test_a_year_out_of_bounds_says_what_to_do(visitor: Visitor, year: str, words: str) -> None:
    page = await begin(visitor, SURVEY.id, "en")
    assert not page.has("q.Founded.month")
    page.fill("q.Cameras", "1")
    page.fill("q.Founded.year", year)
    await visitor.press("next")
    assert visitor.status == 422
    assert words in visitor.page.text
    assert visitor.page.control("q.Founded.year").value == year
