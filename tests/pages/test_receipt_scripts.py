"""The receipt's pages in a real Chromium: the fingerprint worked out there, and the status that follows by itself."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, Route, expect

from deploy.cli.respondents import Population
from proto import events
from tests.pages.desk import bundled

SURVEY = "ai-security"
ACTION3 = {instrument.id: instrument for instrument in bundled()}[SURVEY]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["👩🏽‍🚒", "\uffff\U00010000", "\u2028\u0085\x7f", '"\\/\b\f\n\r\t\x1f']
)
NUMBERS = st.integers(-(10**9), 10**9) | st.integers(-(10**13), 10**13).map(lambda number: number / 10_000)
"""What instruments allow: up to a milliard, with up to four decimals."""
ANSWERS = st.dictionaries(TEXTS, TEXTS | NUMBERS | st.lists(TEXTS, max_size=4) | st.dictionaries(TEXTS, TEXTS, max_size=4), max_size=8)
FINGERPRINTS = """async (texts) => {
    const { fingerprint } = await import("/static/fingerprint.js");
    return Promise.all(texts.map((text) => fingerprint(JSON.parse(text))));
}"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, accept_downloads=True, permissions=["clipboard-write"])
    yield context.new_page()
    context.close()


def submit(address: str, number: int = 1, **answers: Any) -> str:
    body = msgspec.json.decode(Population(ACTION3, 7, "2026-11-22").body(number))
    sent = json.dumps(body | {"answers": body["answers"] | answers}).encode()
    request = urllib.request.Request(f"{address}/api/v1/surveys/{SURVEY}/responses", sent, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["receipt"]


def look_up(page: Page, address: str, code: str) -> None:
    page.goto(f"{address}/s/{SURVEY}/receipt?lang=en")
    page.locator("#code").fill(code)
    page.locator("main button[value=show]").click()


@pytest.mark.parametrize(("before", "file", "after"), [("show", "pdf", "copy"), ("check", "text", "show")])
def test_after_a_file_is_saved_the_page_goes_on(page: Page, address: str, before: str, file: str, after: str) -> None:
    look_up(page, address, submit(address))
    if before != "show":
        page.locator(f"[name=go][value={before}]").click()
    with page.expect_download() as saving:
        page.locator(f"[name=go][value={file}]").click()
    assert saving.value.path().stat().st_size > 0
    assert page.locator(f"[name=go][value={file}]").get_attribute("aria-disabled") is None
    page.locator(f"[name=go][value={after}]").click()
    expect(page.locator("h1")).to_have_text({"copy": "A copy of your answers", "show": "Your receipt"}[after], timeout=3000)


def _whole(value: Any) -> Any:
    """As the server stores numbers: whole ones without a fraction."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return {key: _whole(member) for key, member in value.items()} if isinstance(value, dict) else value


def test_the_page_works_out_the_same_fingerprint_as_the_server(page: Page, address: str) -> None:
    page.goto(f"{address}/s/{SURVEY}/receipt?lang=en")

    @settings(max_examples=15, phases=[Phase.generate], suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)))
    @given(st.lists(ANSWERS, min_size=40, max_size=40), st.randoms(use_true_random=False))
    def agree(many: list[dict[str, Any]], random: Any) -> None:
        texts: list[str] = []
        for answers in many:
            shuffled = dict(random.sample(list(answers.items()), len(answers)))
            texts.append(json.dumps({"version": "0.1.0", "survey": SURVEY, "answers": shuffled}))
        expected = [events.digest(SURVEY, "0.1.0", events.canonical(_whole(answers))) for answers in many]
        assert page.evaluate(FINGERPRINTS, texts) == expected

    agree()


def test_the_page_says_that_the_fingerprints_match(page: Page, address: str) -> None:
    code = submit(address, H01='👩🏽‍🚒 "naïve" \\ </textarea>\n\n\u00a0end', H03="deny")
    look_up(page, address, code.lower())
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#verdict[role=status]")).to_have_text(
        "The two values match: the fingerprint of the stored answers is the one on your receipt."
    )
    shown = page.locator("#fingerprint").inner_text()
    copied = page.locator("#text").evaluate("area => { area.focus(); area.select(); return getSelection().toString(); }")
    assert "sha256:" + hashlib.sha256(copied.encode()).hexdigest() == shown
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save this text").click()
    assert "sha256:" + hashlib.sha256(saving.value.path().read_bytes()).hexdigest() == shown


def test_the_page_says_that_they_differ_if_a_single_answer_does(page: Page, address: str) -> None:
    code = submit(address)

    def tamper(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("&#34;A01&#34;:&#34;", "&#34;A01&#34;:&#34;X", 1))

    look_up(page, address, code)
    page.route("**/receipt?*", tamper)
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#verdict[role=status]")).to_have_text(
        "The two values do not match. Please tell the organisation that invited you."
    )


def test_the_receipt_prints_with_its_address_and_without_buttons(page: Page, address: str) -> None:
    look_up(page, address, submit(address))
    expect(page.get_by_role("button", name="Print this page")).to_be_visible()
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.get_by_role("button", name="Print this page").click()
    expect(page).to_have_title("printed")
    page.emulate_media(media="print")
    expect(page.locator(".receipt .code")).to_be_visible()
    expect(page.get_by_role("img", name="The receipt as a QR code")).to_be_visible()
    expect(page.locator(".printed")).to_contain_text(f"{address.removeprefix('http://')}/s/{SURVEY}/receipt")
    assert not any(button.is_visible() for button in page.get_by_role("button").all())


def test_a_receipt_leaves_the_page_as_a_file_that_says_where_it_belongs(page: Page, address: str) -> None:
    code = submit(address, 9)
    look_up(page, address, code)
    page.locator(".receipt .code").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    text = saved.value.path().read_text("utf-8")
    assert saved.value.suggested_filename == f"{SURVEY}.txt"
    assert text.splitlines()[0] == ACTION3.title["en"]
    assert code.replace("-", "") in text.replace("-", "")
    assert f"{address}/s/{SURVEY}/receipt" in text
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator(".keep [aria-live]")).to_have_text("Copied")
