"""The form in a real Chromium: narrow and wide, dark and light, by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

FILL = """() => {
    document.querySelectorAll('fieldset.radios, fieldset.boxes').forEach(f => f.querySelector('input').checked = true);
    document.querySelectorAll('.matrix .line').forEach((row, i) => {
        const choices = row.querySelectorAll('input');
        choices[(4 * i) % choices.length].checked = true;
    });
    document.querySelectorAll('.ranks').forEach(f => f.querySelectorAll('select').forEach((s, i) => s.selectedIndex = i + 1));
    document.querySelectorAll('.list select').forEach(s => s.selectedIndex = 3);
    document.querySelectorAll('textarea').forEach(t => t.value = 'Unüberschaubarkeitsvermutungsnachweisverordnungsentwurf '.repeat(3));
}"""


@pytest.fixture
def open_at(chromium: Browser) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def at(width: int, scheme: str = "light") -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)  # type: ignore[arg-type]
        pages.append(context.new_page())
        return pages[-1]

    yield at
    for page in pages:
        page.context.close()


def forward(page: Page) -> None:
    page.locator(".actions button[value=next]").click()


def start(page: Page, address: str, survey: str = "ai-security", language: str = "en") -> None:
    page.goto(f"{address}/s/{survey}?lang={language}")
    page.locator("#consent").check()
    forward(page)


@pytest.mark.parametrize(("width", "scheme", "language"), [(320, "dark", "fr"), (1280, "light", "es")])
def test_no_page_scrolls_sideways(open_at: Callable[..., Page], address: str, width: int, scheme: str, language: str) -> None:
    page = open_at(width, scheme)
    seen: list[str] = []

    def fits() -> None:
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over == 0, f"{page.title()} is {over} px too wide"
        seen.append(page.title())

    page.goto(f"{address}/?lang={language}")
    fits()
    start(page, address, language=language)
    forward(page)
    fits()
    for _ in range(20):
        if page.locator("button[value=send]").count():
            break
        page.evaluate(FILL)
        forward(page)
        fits()
    page.locator(".actions button[value=send]").click()
    page.locator(".receipt .code").wait_for()
    fits()
    assert len(seen) > 10


def test_errors_take_the_focus_and_lead_to_the_field(open_at: Callable[..., Page], address: str) -> None:
    page = open_at(360)
    start(page, address)
    forward(page)
    expect(page.locator(".summary")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page).to_have_url(f"{address}/s/ai-security?lang=en#A01-0")


def test_the_enter_key_goes_forward_although_languages_come_first(open_at: Callable[..., Page], address: str) -> None:
    page = open_at(1280)
    start(page, address)
    page.get_by_role("radio", name="City (densely populated area)").press("Enter")
    expect(page.locator(".summary")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", [360, 1280])
def test_a_row_of_a_matrix_is_a_group_of_choices_or_on_a_phone_a_list(open_at: Callable[..., Page], address: str, width: int) -> None:
    page = open_at(width)
    start(page, address)
    page.evaluate(FILL)
    forward(page)
    row = page.locator("#B02-4")
    cell = row.get_by_role("radiogroup", name="Number-plate recognition", exact=True).get_by_role(
        "radio", name="In operational use", exact=True
    )
    listed = row.get_by_role("combobox", name="Number-plate recognition", exact=True)
    assert (cell.count(), listed.count()) == ((1, 0) if width == 1280 else (0, 1))
    if width == 1280:
        cell.check()
    else:
        listed.select_option("In operational use")
    expect(page.locator("[name='q.B02.anpr'][value=live]")).to_be_checked()
    assert page.locator(".columns").first.is_visible() == (width == 1280)
    box = (cell if width == 1280 else listed).bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
