"""Options and rows that come and go while the page is answered, and without scripts with the next page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.served import served


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served("tests.pages.square") as found:
        yield f"{found}/s/market?lang=en"


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1000, "height": 800}, java_script_enabled=request.param)
    found = context.new_page()
    found.goto(address)
    found.locator("#consent").check()
    forward(found)
    found.locator("[name='q.Age']").fill("30")
    for stall in ("bread", "fish"):
        found.locator(f"[name='q.Buys'][value='{stall}']").check()
    if not request.param:
        forward(found)
    yield found
    context.close()


def forward(page: Page) -> None:
    page.locator(".actions button[value=next]").click()


def seen(page: Page, field: str, part: str) -> list[str]:
    """The rows, or the options, that are to be seen."""
    return [item.inner_text().strip() for item in page.locator(f"#{field} {part}").all() if item.is_visible()]


def test_options_and_rows_are_there_for_whom_they_are(page: Page) -> None:
    assert seen(page, "Rates", ".rowhead") == ["Bread", "Fish"]
    assert seen(page, "Drink", ".choice label")[:3] == ["Water", "Juice", "Wine"]
    for stall in ("bread", "fish"):
        page.locator(f"[name='q.Rates.{stall}'][value='3']").check()
    page.locator("[name='q.Drink'][value='wine']").check()
    forward(page)
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    page.locator("button[value='change.Age']").first.click()
    page.locator("[name='q.Age']").fill("12")
    page.locator("[name='q.Buys'][value='fish']").uncheck()
    forward(page)
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    told = page.locator("section.notice").inner_text()
    assert "Wine" in told
    assert "Fish" in told
    page.locator("button[value='change.Age']").first.click()
    assert seen(page, "Rates", ".rowhead") == ["Bread"]
    assert seen(page, "Drink", ".choice label")[:2] == ["Water", "Juice"]
    assert "Wine" not in seen(page, "Drink", ".choice label")
    assert not [option for option in page.locator("#Best option[value='wine']").all() if option.get_attribute("hidden") is None]
