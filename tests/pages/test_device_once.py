"""Twelve ways to lose the thread while answering: each ends in exactly one response, and in nothing left on the device."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect

from tests.builders.square import square
from tests.faults.operated import Operated
from tests.pages.square import Respondent, Server, crashing, losing

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(stack: Operated) -> Server:
    return Server(stack)


@pytest.fixture
def survey(server: Server) -> str:
    name = f"square-{next(_numbers)}"
    server.publish(square(name))
    return name


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    found = chromium.new_context(viewport={"width": 390, "height": 844})
    yield found
    found.close()


@pytest.fixture
def person(context: BrowserContext, server: Server, survey: str) -> Respondent:
    return Respondent(context, f"{server.url}/s/{survey}?lang=en")


@pytest.fixture
def counted(server: Server, survey: str) -> Callable[[Respondent], None]:
    def once(person: Respondent) -> None:
        person.sent()
        expect(person.page.locator("h1")).not_to_have_text("These answers were sent already")
        person.holds_nothing()
        server.counts_one(survey)

    return once


def test_1_the_answer_to_sending_is_lost_and_it_is_sent_again(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_review()
    person.context.route("**/s/*", losing(2))
    person.send()
    person.says("Not sent yet")
    counted(person)


@pytest.mark.parametrize("go", ["next", "send"])
def test_2_a_double_click_is_one_click(person: Respondent, counted: Callable[[Respondent], None], go: str) -> None:
    person.begin()
    person.choose("Visit", "no")
    next_button = person.page.locator(".actions button[value=next]")
    next_button.dblclick() if go == "next" else next_button.click()
    person.shows("The square")
    person.finish_second()
    send_button = person.page.locator(".actions button[value=send]")
    send_button.dblclick() if go == "send" else send_button.click()
    counted(person)


def test_3_enter_is_pressed_twice(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_review()
    person.page.locator(".actions button[value=send]").focus()
    person.page.keyboard.press("Enter")
    person.page.keyboard.press("Enter")
    counted(person)


def test_4_back_after_sending_says_that_it_was_sent(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_review()
    person.send()
    person.shows("Thank you for taking part")
    receipt = person.sent()
    counted(person)
    person.page.go_back()
    person.shows("These answers were sent already")
    expect(person.page.locator("#was-sent-title")).to_be_focused()
    expect(person.page.locator(".actions button[value=send]")).to_be_hidden()
    person.page.wait_for_timeout(600)
    assert person.kept() == [], "looking back is no writing"
    person.page.get_by_role("button", name="Look up this receipt").click()
    person.shows("Your receipt")
    assert person.sent() == receipt


def test_4_without_scripts_too_sending_again_says_that_it_was_sent(chromium: Browser, server: Server, survey: str) -> None:
    """The browser shows the review as it kept it; the server tells."""
    with chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        person = Respondent(context, f"{server.url}/s/{survey}?lang=en")
        person.to_review()
        person.send()
        receipt = person.sent()
        for again in (person.send, lambda: (person.press("back"), person.press("next"))):
            person.page.go_back()
            person.at_review()
            again()
            person.shows("These answers were sent already")
            assert person.sent() == receipt
        server.counts_one(survey)


def test_5_back_in_the_middle_loses_nothing_of_what_came_after(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_second()
    person.choose("Safe", "yes")
    person.write("Wish", "More benches, and trees")
    person.page.go_back()
    person.shows("You")
    expect(person.page.locator("[name='q.Visit'][value=no]")).to_be_checked()
    person.press("next")
    person.shows("The square")
    expect(person.page.locator("[name='q.Wish']")).to_have_value("More benches, and trees")
    expect(person.page.locator("[name='q.Safe'][value=yes]")).to_be_checked()
    person.press("next")
    person.send()
    counted(person)


def test_6_reloaded_in_the_middle(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_second()
    person.choose("Safe", "yes")
    person.write("Wish", "Shade")
    person.page.reload()
    expect(person.page.locator("[name='q.Wish']")).to_have_value("Shade")
    person.press("next")
    person.send()
    counted(person)


def test_7_reloaded_after_sending(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_review()
    person.send()
    receipt = person.sent()
    person.page.reload()
    assert person.sent() == receipt
    counted(person)
    person.page.wait_for_timeout(600)
    assert person.kept() == []
    person.page.close()
    person.page = person.context.new_page()
    person.visit()
    expect(person.page.locator("#consent")).to_be_visible()


def fall(context: BrowserContext, folder: Path) -> None:
    """kill -9 for the whole browser, as when the battery is taken out."""
    for process in psutil.process_iter(["cmdline"]):
        if f"--user-data-dir={folder}" in (process.info["cmdline"] or []):
            process.send_signal(signal.SIGKILL)


def written(person: Respondent, folder: Path) -> None:
    """Waits until the disk has everything that the page stores, which Chromium writes some seconds later."""
    for _ in range(300):
        stored: list[str] = person.page.evaluate("Object.values(localStorage)")
        logs = b"".join(file.read_bytes() for file in folder.glob("Default/Local Storage/leveldb/*.log"))
        if stored and all(value.encode(_encoding(value)) in logs for value in stored):
            return
        person.page.wait_for_timeout(200)
    raise AssertionError("nothing was written")


def _encoding(value: str) -> str:
    return "latin-1" if max(value) <= "\xff" else "utf-16-le"


@pytest.mark.parametrize("when", ["in the middle", "after sending"])
def test_8_the_browser_falls_over(
    playwright: Playwright, server: Server, survey: str, counted: Callable[[Respondent], None], tmp_path: Path, when: str
) -> None:
    address = f"{server.url}/s/{survey}?lang=en"
    first = crashing(playwright, tmp_path)
    person = Respondent(first, address)
    person.to_second()
    person.choose("Safe", "yes")
    person.write("Wish", "Light")
    if when == "after sending":
        person.press("next")
        person.at_review()
        first.route("**/s/*", losing(99))
        person.send()
        person.says("Not sent yet")
    written(person, tmp_path)
    fall(first, tmp_path)
    second = crashing(playwright, tmp_path)
    person = Respondent(second, address)
    person.visit()
    if when == "in the middle":
        person.page.get_by_role("button", name="Continue").click()
        expect(person.page.locator("[name='q.Wish']")).to_have_value("Light")
        person.press("next")
        person.send()
    counted(person)
    second.close()


def test_9_offline_in_the_middle_goes_on_by_itself(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.begin()
    person.choose("Visit", "no")
    person.context.set_offline(True)
    person.press("next")
    person.says("You are offline. Your answers are saved on this device.")
    person.shows("You")
    person.context.set_offline(False)
    person.shows("The square")
    person.finish_second()
    person.send()
    counted(person)


def test_10_offline_while_sending_also_with_the_page_closed(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_review()
    person.context.set_offline(True)
    person.send()
    person.says("Not sent yet. Your answers are saved on this device")
    person.page.close()
    person.context.set_offline(False)
    person.page = person.context.new_page()
    person.visit()
    counted(person)


@pytest.mark.parametrize("what", ["closed", "newer"])
def test_11_an_old_page_meets_a_closed_survey_or_a_newer_version(
    person: Respondent, server: Server, survey: str, counted: Callable[[Respondent], None], what: str
) -> None:
    person.to_review()
    if what == "closed":
        person.context.route("**/s/*", losing(1))
        person.send()
        person.says("Not sent yet")
        server.close(survey)
    else:
        server.publish(square(survey, "2.0.0"))
        person.send()
    counted(person)


def test_a_copy_that_waited_until_the_answers_were_deleted_goes_as_well(person: Respondent, server: Server, survey: str) -> None:
    person.context.route("**/api/v1/receipts/*", lambda route: route.abort())
    person.to_review()
    person.send()
    receipt = person.sent()
    person.says("until then they also stay on this device")
    server.counts_one(survey)
    server.close(survey)
    server.end(survey, receipt)
    person.context.unroute("**/api/v1/receipts/*")
    person.says("have been deleted, as promised")
    person.holds_nothing()
    person.page.goto(person.address.replace("?", "/receipt?"))
    person.page.locator("#code").fill(receipt)
    person.page.locator("button[value=show]").click()
    expect(person.page.locator("#status")).to_contain_text("There is nothing left to change or withdraw.")
    assert server.responses(survey) == 1


def test_12_two_tabs_share_one_receipt(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    other = Respondent(person.context, person.address)
    other.visit()
    person.to_review()
    other.agree()
    other.page.get_by_role("button", name="Continue").click()
    other.at_review()
    person.send()
    receipt = person.sent()
    other.send()
    assert other.sent() == receipt
    counted(other)


def test_the_server_falls_over_while_an_answer_is_sent(person: Respondent, server: Server, counted: Callable[[Respondent], None]) -> None:
    person.to_review()
    server.stack.kill("intake")
    person.send()
    counted(person)


def test_changed_answers_are_still_one_response(person: Respondent, counted: Callable[[Respondent], None]) -> None:
    person.to_review()
    person.send()
    receipt = person.sent()
    counted(person)
    person.press("show")
    person.press("change")
    person.at_review()
    person.page.locator("button[value='change.Safe']").click()
    person.shows("The square")
    person.choose("Safe", "no")
    person.press("next")
    person.at_review()
    person.says("Saved on this device")
    person.send()
    person.shows("Your changed answers have arrived")
    assert person.sent() == receipt
    counted(person)
