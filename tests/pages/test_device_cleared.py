"""What was cleared stays cleared, on pages that were made before and in other tabs; one device keeps one copy of what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.pages.served import served
from tests.pages.square import Respondent

SECRET = "my secret story"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served("tests.pages.square") as found:
        yield f"{found}/s/three?lang=en"


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    found = chromium.new_context()
    yield found
    found.close()


@pytest.fixture
def person(context: BrowserContext, address: str) -> Respondent:
    person = Respondent(context, address)
    person.visit()
    person.agree()
    person.shows("First")
    person.press("next")
    person.shows("Middle")
    return person


def fill_in(person: Respondent) -> None:
    person.write("Story", SECRET)
    person.page.locator("[name='q.Where'][value='park']").check()
    person.write("Day.year", "2024")
    person.page.locator("[name='q.Day.month']").select_option("05")
    for rank, code in enumerate(("river", "hill"), 1):
        person.page.locator(f"[name='q.Best.{rank}']").select_option(code)


def clear(person: Respondent) -> None:
    person.write("Story", "")
    person.page.locator("[name='q.Where'][value='park']").uncheck()
    person.write("Day.year", "")
    for name in ("Day.month", "Best.1", "Best.2"):
        person.page.locator(f"[name='q.{name}']").select_option("")


def answers(page: Page) -> dict[str, Any]:
    return json.loads(page.locator("[name=sheet]").input_value()).get("answers", {})


def test_cleared_answers_do_not_come_back_with_a_page_that_was_made_before(person: Respondent) -> None:
    fill_in(person)
    person.press("next")
    person.shows("Last")
    person.says("Saved on this device")
    person.press("back")
    person.shows("Middle")
    clear(person)
    person.press("next")
    person.shows("Last")
    assert answers(person.page) == {}
    person.page.go_back()
    person.shows("Middle")
    person.page.go_back()
    person.shows("Last")
    person.press("next")
    person.at_review()
    assert answers(person.page) == {}
    expect(person.page.locator("main")).not_to_contain_text(SECRET)
    person.press("send")
    person.sent()


def test_another_tab_learns_what_was_cleared_and_loses_nothing_that_was_written(person: Respondent, context: BrowserContext) -> None:
    fill_in(person)
    person.press("next")
    person.shows("Last")
    older = Respondent(context, person.address)
    older.visit()
    older.page.get_by_role("button", name="Continue").click()
    older.shows("Last")
    person.press("back")
    person.shows("Middle")
    clear(person)
    person.write("Story", "another one")
    person.press("next")
    person.shows("Last")
    older.write("End", "the end")  # on a page that knows of the secret still
    older.press("next")
    older.at_review()
    assert answers(older.page) == {"Story": "another one", "End": "the end"}
    person.press("next")  # without the end, which this tab was never told
    person.at_review()
    older.press("send")
    older.at_review()
    expect(older.page.locator("main")).to_contain_text("another one")
    older.press("send")
    older.sent()


def test_going_on_with_the_code_on_the_same_device_leaves_one_copy_of_what_is_answered(person: Respondent) -> None:
    fill_in(person)
    person.press("later")
    link = person.page.locator("#link").evaluate("link => link.href")
    assert len(person.kept()) == 1
    person.page.goto(link)
    person.page.locator("main button[value=continue]").click()
    person.shows("Middle")
    expect(person.page.locator("[name='q.Story']")).to_have_value(SECRET)
    person.says("Saved on this device")
    assert len(person.kept()) == 1
    person.press("next")
    person.shows("Last")
    person.press("next")
    person.at_review()
    person.press("send")
    person.sent()
    person.holds_nothing()
