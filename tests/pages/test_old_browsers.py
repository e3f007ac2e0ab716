"""Browsers of 2020 (Safari 14, Chrome 85, Firefox 79): what they lack is taken away, and each answer still arrives, once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.pages.served import served
from tests.pages.square import Respondent

LACKING = {
    "AbortSignal.timeout": "delete AbortSignal.timeout",
    "requestSubmit": "delete HTMLFormElement.prototype.requestSubmit",
    "submitter": "delete SubmitEvent.prototype.submitter",
    "storage": """
        const denied = { get() { throw new DOMException('no', 'SecurityError'); } };
        for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, denied);
    """,
    "subtle": "Object.defineProperty(Crypto.prototype, 'subtle', { get() { return undefined; } })",
    "streams": "delete window.ReadableStream; delete Response.prototype.body; delete Request.prototype.body",
    "small things": """
        performance.getEntriesByType = () => [];
        delete String.prototype.replaceAll; delete Array.prototype.at; delete String.prototype.at; delete Object.hasOwn;
        delete window.structuredClone; delete Element.prototype.replaceChildren; delete Promise.any; delete Crypto.prototype.randomUUID
    """,
}
BROKEN = {
    "requests": "delete window.fetch; delete window.Request",
    "forms": "delete window.FormData; delete window.AbortController; delete CSS.escape; delete Intl.PluralRules",
}
"""What every browser with modules has: whatever else may fail in a script fails in the same places."""
CASES = {
    **LACKING,
    **BROKEN,
    "all that they lack": ";".join(LACKING.values()),
    "everything": ";".join([*LACKING.values(), *BROKEN.values()]),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served("tests.pages.square") as found:
        yield found


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    found = chromium.new_context()
    yield found
    found.close()


def outcomes(address: str) -> dict[str, int]:
    """How often what was sent was accepted, and how often it was there before."""
    told = httpx.get(f"{address}/metrics").text
    found = re.findall(r'platea_intake_outcomes_total\{outcome="(\w+)"\} ([0-9.]+)', told)
    return {"accepted": 0} | {outcome: int(float(count)) for outcome, count in found}


@pytest.mark.parametrize("case", CASES)
def test_without_it_a_survey_is_answered_from_start_to_receipt_and_arrives_once(context: BrowserContext, address: str, case: str) -> None:
    """Each page is left long after it was loaded: only then scripts ask for the server before they let it go."""
    before = outcomes(address)["accepted"]
    context.add_init_script(CASES[case])
    person = Respondent(context, f"{address}/s/square?lang=en")
    errors: list[str] = []
    person.page.on("pageerror", lambda error: errors.append(error.message))
    person.page.clock.install()
    person.visit()
    person.page.locator("#consent").check()

    def press(go: str) -> None:
        person.page.clock.fast_forward(20_000)
        person.press(go)

    press("next")
    person.shows("You")
    person.choose("Visit", "no")
    press("next")
    person.shows("The square")
    person.choose("Safe", "yes")
    person.write("Wish", "More benches")
    press("next")
    person.at_review()
    press("back")
    person.shows("The square")
    expect(person.page.locator("[name='q.Wish']")).to_have_value("More benches")
    press("next")
    person.at_review()
    expect(person.page.locator("main")).to_contain_text("More benches")
    press("send")
    assert re.fullmatch(r"([0-9A-Z]{4}-){6}[0-9A-Z]{4}", person.sent())
    assert outcomes(address)["accepted"] == before + 1
    if case in LACKING or case == "all that they lack":
        assert errors == []
