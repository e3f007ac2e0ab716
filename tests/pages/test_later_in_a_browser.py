"""Answers begun on one device are finished on another, and nobody who takes the server reads them in between."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from proto import codes
from tests.builders.square import square
from tests.faults.operated import Operated
from tests.pages.square import Respondent, Server

SURVEY = "square-later"
WISH = "a fountain beside the zebra crossing 4711"


@pytest.fixture(scope="module")
def server(stack: Operated) -> Server:
    server = Server(stack)
    server.publish(square(SURVEY))
    return server


def tab(chromium: Browser, server: Server, *, scripts: bool = True) -> Respondent:
    context = chromium.new_context(viewport={"width": 320, "height": 700}, java_script_enabled=scripts)
    return Respondent(context, f"{server.url}/s/{SURVEY}?lang=en")


def save(person: Respondent) -> str:
    person.press("later")
    person.shows("Continue later")
    shown = person.page.locator(".receipt .code").inner_text()
    return re.sub(r"\s", "", shown)


def test_a_link_leads_another_device_to_the_very_page_and_the_server_keeps_no_word_of_it(chromium: Browser, server: Server) -> None:
    phone, desk = tab(chromium, server), tab(chromium, server)
    phone.to_second()
    phone.write("Wish", WISH)
    receipt = phone.page.locator("input[name=receipt]").input_value()
    code = save(phone)
    link = phone.page.locator("#link").evaluate("link => link.href")
    assert link == f"{server.url}/s/{SURVEY}/continue?lang=en#{code}"
    assert phone.page.locator("#link").inner_text() == link
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    files = [path for path in server.stack.data.rglob("*") if path.is_file()]
    everything = b"".join(path.read_bytes() for path in files)
    assert b"platea.drafts." in everything, "else this test looks in the wrong place"
    for secret in (WISH, WISH[:10], receipt, codes.bare(receipt), code, codes.bare(code)):
        assert secret.encode() not in everything, secret

    desk.page.goto(link)
    expect(desk.page.locator("#code")).to_have_value(code)
    assert "#" not in desk.page.url
    desk.page.locator("main button[value=continue]").click()
    desk.shows("The square")
    expect(desk.page.locator("[name='q.Wish']")).to_have_value(WISH)
    expect(desk.page.get_by_text("You are continuing answers that were saved earlier.")).to_be_visible()
    desk.finish_second(WISH)
    desk.send()
    assert desk.sent() != receipt, "whoever began holds no receipt of it"
    desk.holds_nothing()
    server.counts_one(SURVEY)

    phone.press("resume")
    phone.shows("The square")
    phone.finish_second("Something else")
    phone.send()
    expect(phone.page.locator("[role=alert]")).to_contain_text("These answers were sent already")
    phone.says("Your answers were deleted from this device.")
    assert phone.kept() == []
    server.counts_one(SURVEY)

    desk.page.goto(link)
    desk.page.locator("main button[value=continue]").click()
    expect(desk.page.locator("[role=alert]")).to_contain_text("No saved answers belong to this code.")
    phone.context.close()
    desk.context.close()


def test_without_scripts_the_code_is_typed(chromium: Browser, server: Server) -> None:
    phone, desk = tab(chromium, server, scripts=False), tab(chromium, server, scripts=False)
    phone.to_second()
    phone.write("Wish", WISH)
    code = save(phone)
    desk.visit()
    desk.page.get_by_role("link", name="I have a code for continuing").click()
    desk.page.locator("#code").fill(code.replace("-", " ").lower()[:-1])
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("[role=alert]")).to_contain_text("There is a typing mistake in this code.")
    desk.page.locator("#code").fill(code.replace("-", " ").lower())
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("[name='q.Wish']")).to_have_value(WISH)
    assert save(desk) == code
    desk.press("delete")
    expect(desk.page.locator("main")).to_contain_text("The saved copy is deleted.")
    phone.press("resume")
    expect(phone.page.locator("[name='q.Wish']")).to_have_value(WISH)
    phone.context.close()
    desk.context.close()
