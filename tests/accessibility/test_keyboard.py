"""Action 3 from the first page to the receipt, by keyboard alone, on a narrow phone, without scripts, offline in the middle."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as BrowserError

from tests.accessibility.keyboard import Typist
from tests.faults.operated import Operated

SURVEY = "ai-security"
PAGES = 40
"""More than Action 3 has, with those that come again because answers opened more questions."""


@pytest.fixture
def page(chromium: Browser, language: str, scripts: bool) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=scripts, locale=language, viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


def go_offline_and_return(typist: Typist, *, scripts: bool) -> None:
    """The page is sent into nothing; back online, it is still there with what was filled in."""
    context = typist.page.context
    context.set_offline(True)
    typist.page.evaluate("document.querySelector('button[value=next]').focus()")
    typist.page.keyboard.press("Enter")
    typist.page.wait_for_timeout(300)
    if scripts:
        with typist.page.expect_navigation():  # the page goes on by itself
            context.set_offline(False)
    else:
        context.set_offline(False)
        try:
            typist.page.go_back()
        except BrowserError:
            typist.page.reload()
    assert typist.page.locator("input[name=sheet]").count() == 1


@pytest.mark.clause("9.2.1.1", "9.2.1.2", "9.2.4.3", "9.2.4.7", "9.1.4.10", "9.2.2.1", "WCAG 2.5.7")
@pytest.mark.parametrize(("language", "scripts"), [("en", False), ("es", False), ("fr", True)])
def test_action_3_is_finished_by_keyboard_at_320_pixels(stack: Operated, page: Page, language: str, scripts: bool) -> None:
    before = stack.exact()["responses"]
    page.goto(f"{stack.url}/s/{SURVEY}?lang={language}")
    typist = Typist(page)
    for number in range(PAGES):
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.title()
        if page.locator("button[name=go][value=send]").count():
            break
        if number == 3:
            go_offline_and_return(typist, scripts=scripts)
        typist.fill_in("next")
    typist.fill_in("send")
    page.locator(".receipt .code").wait_for()
    assert typist.order == sorted(typist.order), "the focus jumps"
    assert not typist.unseen, f"no visible focus: {typist.unseen}"
    deadline = time.monotonic() + 60
    while stack.exact()["responses"] != before + 1:
        assert time.monotonic() < deadline, stack.exact()["responses"]
        time.sleep(0.2)
