"""What a device keeps of unsent answers, how it says so, and how it lets go of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Playwright, Request, Route, expect

from services.intake.http.routes_static import FILES
from tests import browser
from tests.pages.served import served
from tests.pages.square import Respondent

MODULES = ("device.js", "kept.js", "reach.js", "sending.js", "sheet.js", "submit.js")
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
BLOCKED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
SHIFTS = "new PerformanceObserver(l => l.getEntries().forEach(e => window.shifted = (window.shifted || 0) + e.value))"

PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served("tests.pages.square") as found:
        yield f"{found}/s/square?lang=en"


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    found = chromium.new_context(viewport={"width": 390, "height": 844})
    yield found
    found.close()


@pytest.fixture
def person(context: BrowserContext, address: str) -> Respondent:
    return Respondent(context, address)


def come_back(person: Respondent) -> None:
    person.page.close()
    person.page = person.context.new_page()
    person.visit()


def test_in_the_grace_this_device_goes_on_with_what_it_kept_and_sends_it(person: Respondent) -> None:
    person.to_review()
    person.page.evaluate(
        """() => {
            for (const [name, value] of Object.entries(localStorage)) localStorage.setItem(name, value.replaceAll("/s/square", "/s/late"));
        }"""
    )
    person.page.close()
    person.page = person.context.new_page()
    person.page.goto(person.address.replace("/s/square", "/s/late"))
    expect(person.page.get_by_role("heading", name="You have begun to answer this survey on this device")).to_be_visible()
    person.page.get_by_role("button", name="Continue").click()
    person.at_review()
    expect(person.page.get_by_text("This survey has closed. You began in time")).to_be_visible()
    person.send()
    assert person.sent()
    person.page.goto(person.address.replace("/s/square", "/s/late"))
    expect(person.page.get_by_role("heading", name="This survey is closed", level=1)).to_be_visible()
    expect(person.page.locator("#consent")).to_have_count(0)


def test_what_was_written_is_offered_on_the_next_visit_down_to_the_last_letter(person: Respondent) -> None:
    person.to_second()
    person.says("Saved on this device")
    person.write("Wish", "More ben")
    come_back(person)
    expect(person.page.get_by_role("heading", name="You have begun to answer this survey on this device")).to_be_visible()
    expect(person.page.get_by_text("Do others use this device?").first).to_be_visible()
    expect(person.page.locator("#consent")).to_be_hidden()
    person.page.get_by_role("button", name="Continue").click()
    expect(person.page.locator("[name='q.Wish']")).to_have_value("More ben")
    person.press("back")
    expect(person.page.locator("[name='q.Visit'][value=no]")).to_be_checked()


def test_deleting_leaves_nothing_and_gives_a_fresh_start(person: Respondent) -> None:
    person.to_second()
    come_back(person)
    person.page.get_by_role("button", name="Delete from this device").click()
    person.says("Your answers were deleted from this device.")
    assert person.kept() == []
    person.agree()
    expect(person.page.locator("[name='q.Visit'][value=no]")).not_to_be_checked()


def test_each_survey_has_a_copy_of_its_own(person: Respondent, address: str) -> None:
    person.to_second()
    person.address = address.replace("square", "circle")
    person.begin()
    assert len(person.kept()) == 2
    person.address = address
    person.visit()
    person.page.get_by_role("button", name="Continue").click()
    person.shows("The square")


@pytest.mark.parametrize("trouble", [FULL, BLOCKED])
def test_a_browser_that_stores_nothing_says_so_and_sends_all_the_same(person: Respondent, trouble: str) -> None:
    person.context.add_init_script(trouble)
    person.visit()
    expect(person.page.locator("#kept")).to_contain_text("If you close it before that, they are gone.")
    person.to_review()
    person.says("This browser does not save what you write.")
    person.send()
    assert person.sent()


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(person: Respondent) -> None:
    person.to_review()
    tries: list[float] = []

    def busy(route: Route) -> None:
        tries.append(time.monotonic())
        if len(tries) == 1:
            route.fulfill(status=503, headers={"Retry-After": "3"}, body="")
        else:
            route.continue_()

    person.context.route("**/s/square*", busy)
    person.send()
    person.says("Not sent yet")
    person.page.evaluate("dispatchEvent(new Event('online'))")
    person.sent()
    assert tries[1] - tries[0] >= 3
    person.holds_nothing()


def test_a_receipt_that_the_journal_lost_is_sent_again(person: Respondent) -> None:
    person.to_review()
    receipts: list[str] = []
    asked: list[str] = []

    def lost(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            route.fulfill(status=404, body="{}")
        else:
            route.continue_()

    def note(request: Request) -> None:
        if "go=send" in (request.post_data or ""):
            receipts.append(request.post_data or "")

    person.context.route("**/api/v1/receipts/*", lost)
    person.page.on("request", note)
    person.send()
    person.sent()
    person.holds_nothing()
    assert len(receipts) == 4, "once, for its page, and twice because it was lost"
    assert len({body.partition("receipt=")[2].partition("&")[0] for body in receipts}) == 1


def test_a_server_that_does_not_answer_keeps_nobody_from_the_page(person: Respondent) -> None:
    person.page.clock.install()
    person.begin()
    person.choose("Visit", "no")
    person.context.route("**/*", lambda route: route.abort("connectionrefused"))
    person.page.clock.fast_forward(20_000)
    person.press("next")
    person.says("You are offline")
    expect(person.page.locator("[name='q.Visit'][value=no]")).to_be_checked()
    person.context.unroute_all()
    person.page.clock.resume()
    person.page.clock.fast_forward(20_000)
    person.shows("The square")


def test_while_it_waits_another_button_may_be_pressed(person: Respondent) -> None:
    person.to_review()
    person.context.set_offline(True)
    person.send()
    person.says("Not sent yet")
    person.press("back")
    person.says("You are offline")
    person.context.set_offline(False)
    person.shows("The square")
    person.page.wait_for_timeout(1500)
    person.shows("The square")
    person.press("next")
    person.send()
    person.sent()
    person.holds_nothing()


def test_a_page_brought_back_as_it_was_left_can_be_used_again(playwright: Playwright, address: str) -> None:
    chromium = playwright.chromium.launch(
        executable_path=browser.find(), args=list(browser.FLAGS), ignore_default_args=["--disable-back-forward-cache"]
    )
    person = Respondent(chromium.new_context(), address)
    person.begin()
    person.choose("Visit", "no")
    person.says("Saved on this device")
    with contextlib.suppress(Error):  # the page may be gone before it has answered this
        person.page.evaluate("history.back()")
    person.page.get_by_role("button", name="Continue").click()
    expect(person.page.locator("[name='q.Visit'][value=no]")).to_be_checked()
    chromium.close()


def test_a_closed_survey_lets_go_of_what_it_will_not_take(person: Respondent) -> None:
    person.to_second()

    def closed(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace("square", "gone")), status=403)

    person.context.route("**/s/square*", closed)
    come_back(person)
    person.page.get_by_role("button", name="Delete from this device").click()
    person.says("Your answers were deleted from this device.")
    assert person.kept() == []


def test_nothing_moves_when_the_scripts_arrive_and_while_somebody_writes(person: Respondent) -> None:
    """Counted from the whole page on: a busy browser may paint a page before it has read all of it."""
    person.context.add_init_script(f"{SHIFTS}.observe({{ type: 'layout-shift', buffered: true }})")
    person.begin()
    person.choose("Visit", "no")
    held: list[Route] = []
    painted = False
    person.context.route("**/*.js", lambda route: route.continue_() if painted else held.append(route))
    person.press("next")
    expect(person.page.locator("footer")).to_be_visible()
    person.page.evaluate(f"{PAINTED}.then(() => window.shifted = 0)")
    assert held, "the scripts came before the page was painted"
    painted = True
    for route in held:
        route.continue_()
    person.says("Saved on this device")
    person.choose("Safe", "yes")
    person.write("Wish", "More benches")
    person.page.wait_for_timeout(800)
    assert person.page.evaluate("window.shifted") == 0


def test_the_modules_weigh_less_than_twelve_kilobytes() -> None:
    assert sum(len(FILES[name].zipped) for name in MODULES) < 12_000
    assert set(MODULES) <= {path.name for path in Path("services/intake/http/static").iterdir()}
