"""A city official answers Action 3 in French, in a browser without JavaScript, and finds the answer recorded and counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.faults.operated import Operated

SECTIONS = 30
"""More pages than any questionnaire has."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Operated]:
    with Operated(tmp_path) as operated:
        yield operated


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=False, locale="fr-FR", viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def press(page: Page, go: str) -> None:
    page.locator(f"main button.button[name=go][value='{go}']").first.click()


def fill(field: Locator) -> None:
    """Gives some answer: the first choice, in each row of a matrix, different ones in a ranking."""
    rows = field.locator(".line")
    if rows.count():
        for row in rows.all():
            narrow = row.locator("select.narrow")
            if narrow.is_visible():
                narrow.select_option(index=1)
            else:
                row.locator("label").first.click()
    elif field.locator("select").count():
        for place, choice in enumerate(field.locator("select").all()):
            choice.select_option(index=place + 1)
    else:
        field.locator(".choice label").first.click()


def answer_everything_required(page: Page) -> None:
    for _ in range(SECTIONS):
        if page.locator("button[name=go][value=send]").count():
            return
        for field in page.locator(".field:has(.needed)").all():
            fill(field)
        press(page, "next")
        assert page.locator("[role=alert]").count() == 0, page.locator("[role=alert]").inner_text()
    pytest.fail("the form has no end")


def test_an_answer_in_french_without_javascript_is_recorded_and_counted(stack: Operated, page: Page) -> None:
    page.goto(f"{stack.url}/?lang=fr")
    page.locator("a[href*='/s/ai-security']").first.click()
    assert page.locator("html").get_attribute("lang") == "fr"
    answer_everything_required(page)
    press(page, "send")
    receipt = page.locator(".receipt .code").inner_text().strip()

    deadline = time.monotonic() + 10
    while True:
        page.goto(f"{stack.url}/s/ai-security/receipt?lang=fr")
        page.locator("#code").fill(receipt.lower())
        press(page, "show")
        if page.locator(".status.recorded").count():
            break
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        time.sleep(0.2)

    page.goto(f"{stack.url}/live/ai-security?lang=fr")
    assert page.locator("table").count() == 0, "one answer alone is nobody else's business"
    stack.platea("simulate", "ai-security", "--responses", "24", "--seed", "7")
    while "25" not in page.locator("main").inner_text():
        assert time.monotonic() < deadline + 30, page.locator("main").inner_text()
        time.sleep(0.5)
        page.reload()
    assert page.locator("table").count() > 0
