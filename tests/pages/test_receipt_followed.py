"""A receipt on the whole stack: its page follows by itself, and so do the figures when answers are changed or withdrawn."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.cli.respondents import Population
from tests.faults.operated import Operated
from tests.pages.desk import bundled

SURVEY = "ai-security"
ACTION3 = {instrument.id: instrument for instrument in bundled()}[SURVEY]
SOON = 5.0
"""Seconds within which the exact view follows."""


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def page(chromium: Browser, scripts: bool) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=scripts, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def submit(stack: Operated, number: int) -> str:
    body = Population(ACTION3, 7, "2026-11-22").body(number)
    request = urllib.request.Request(f"{stack.url}/api/v1/surveys/{SURVEY}/responses", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["receipt"]


def after(stack: Operated, fits: Callable[[dict[str, Any]], bool]) -> float:
    """Seconds until the exact view fits."""
    begun = time.monotonic()
    while not fits(stack.exact(SURVEY)):
        assert time.monotonic() - begun < SOON, "the exact view does not follow"
        time.sleep(0.05)
    return time.monotonic() - begun


def press(page: Page, go: str) -> None:
    page.locator(f"main button[value='{go}']").first.click()


def look_up(page: Page, stack: Operated, code: str) -> None:
    page.goto(f"{stack.url}/s/{SURVEY}/receipt?lang=en")
    page.locator("#code").fill(code)
    press(page, "show")


def test_the_status_follows_once_the_answers_are_recorded(stack: Operated, page: Page, scripts: bool) -> None:
    analysis = stack.child("analysis")
    analysis.suspend()
    try:
        look_up(page, stack, submit(stack, 11))
        expect(page.locator("#status")).to_contain_text("Accepted")
    finally:
        analysis.resume()
    again = page.get_by_role("button", name="Refresh")
    for _ in range(0 if scripts else 50):
        if again.count() == 0:
            break
        again.click()
    expect(page.locator("#status")).to_contain_text("Recorded")
    expect(again).to_have_count(0)


def test_the_exact_view_follows_a_change_and_a_withdrawal_within_five_seconds(stack: Operated, page: Page) -> None:
    before = stack.exact(SURVEY)["responses"] if _has_figures(stack) else 0
    codes = [submit(stack, 20 + number) for number in range(3)]
    after(stack, lambda view: view["responses"] == before + 3)
    given = msgspec.json.decode(Population(ACTION3, 7, "2026-11-22").body(20))["answers"]
    other = "joint" if given["A08"] != "joint" else "personal"
    figures = stack.exact(SURVEY)["questions"]["A08"]["cells"]

    look_up(page, stack, codes[0])
    press(page, "change")
    press(page, "change.A01")
    page.locator(f"input[name='q.A08'][value='{other}']").check()
    press(page, "next")
    press(page, "send")
    expect(page.locator("h1")).to_have_text("Your changed answers have arrived")
    changed = after(stack, lambda view: view["questions"]["A08"]["cells"][other]["n"] == figures[other]["n"] + 1)
    assert stack.exact(SURVEY)["responses"] == before + 3

    look_up(page, stack, codes[0])
    press(page, "withdraw")
    press(page, "withdraw.yes")
    expect(page.locator("#status")).to_contain_text("Withdrawn")
    withdrawn = after(stack, lambda view: view["responses"] == before + 2)
    assert stack.exact(SURVEY)["questions"]["A08"]["cells"][other]["n"] == figures[other]["n"]
    print(f"the exact view followed a change after {changed:.2f} s, a withdrawal after {withdrawn:.2f} s")


def _has_figures(stack: Operated) -> bool:
    try:
        return bool(stack.exact(SURVEY))
    except urllib.error.HTTPError:
        return False
