"""What a page costs somebody on a slow phone: bytes, requests, the time until something is seen, and whether anything jumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

BYTES, REQUESTS = 60_000, 24
"""Of the start page and the first section with all scripts. Bytes and the first paint have bounds of their own."""
LENGTH = 5000
"""Pixels that the longest section may have on the narrowest phone, with all that it can ask, in each language of the interface."""
LONGEST = "fr"
"""The language in which it is longest."""
FIRST_PAINT = 1000
"""Milliseconds."""
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8 * 0.9, "uploadThroughput": 0.75e6 / 8 * 0.9}
"""The profile that Lighthouse calls slow 4G, with its 10 % for what lies around the packets."""
SHIFTS = "new PerformanceObserver(list => list.getEntries().forEach(e => { window.shifted = (window.shifted || 0) + e.value; }))"
WATCH = f"window.shifted = 0; {SHIFTS}.observe({{type: 'layout-shift', buffered: true}})"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="fr-FR")
    yield context.new_page()
    context.close()


class Meter:
    """Counts what comes over the wire, compressed as it is."""

    def __init__(self, page: Page) -> None:
        self.bytes = self.requests = 0
        self.session = page.context.new_cdp_session(page)
        self.session.send("Network.enable")
        self.session.on("Network.loadingFinished", self._finished)

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])
        self.requests += 1


def begin(page: Page, address: str, language: str = "fr") -> None:
    page.goto(f"{address}/s/ai-security?lang={language}")
    page.locator("#consent").check()
    forward(page)


def forward(page: Page) -> None:
    with page.expect_navigation():
        page.locator(".actions button[value=next]").click()


def test_a_first_visit_stays_below_60_kilobytes(page: Page, address: str) -> None:
    meter = Meter(page)
    begin(page, address)
    page.wait_for_load_state("networkidle")
    print(f"start page and first section: {meter.bytes:,} bytes in {meter.requests} requests")
    assert 0 < meter.bytes < BYTES
    assert meter.requests <= REQUESTS


def test_the_longest_section_is_light(chromium: Browser, address: str) -> None:
    """Section B as somebody gets it who goes on with it on another device: nothing of it is there yet."""
    with chromium.new_context(viewport={"width": 320, "height": 640}) as visit:
        page = visit.new_page()
        answer_section_a(page, address, "en")
        meter = Meter(page)
        meter.session.send("Network.clearBrowserCache")
        forward(page)
        page.wait_for_load_state("networkidle")
    print(f"section B: {meter.bytes:,} bytes in {meter.requests} requests")
    assert 0 < meter.bytes < BYTES


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_longest_section_is_short_on_a_phone(chromium: Browser, address: str, scripts: bool) -> None:
    with chromium.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=scripts) as visit:
        page = visit.new_page()
        answer_section_a(page, address, LONGEST)
        forward(page)
        page.locator("[name='q.B01'][value=use]").check()
        for row in page.locator("#B02 select").all():
            row.select_option("live")
        if not scripts:
            forward(page)
        page.locator("[name='q.B03'][value=other]").check()
        if not scripts:
            forward(page)
        for id in ("B03", "B03_other", "B04", "B05", "B06", "B07"):
            page.locator(f"#{id}").wait_for()
        length = _length(page)
    print(f"section B in {LONGEST}, {'with' if scripts else 'without'} scripts: {length:,} px long with all its questions")
    assert length < LENGTH


def answer_section_a(page: Page, address: str, language: str) -> None:
    """So that section B asks all that it can ask."""
    begin(page, address, language)
    page.locator("[name='q.A01']").select_option("FR")
    for id, code in {"A02": "1", "A04": "p3", "A05": "region", "A08": "personal", "A09": "video"}.items():
        page.locator(f"[name='q.{id}'][value='{code}']").check()


def _length(page: Page) -> int:
    box = page.locator("html").bounding_box()
    assert box
    return round(box["height"])


def test_nobody_else_is_asked_for_anything(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    begin(page, address)
    page.wait_for_load_state("networkidle")
    assert asked
    assert all(url.startswith((address, "data:")) for url in asked), asked


def test_something_is_seen_within_a_second_on_slow_4g(chromium: Browser, address: str) -> None:
    """The fastest of some first visits: what a shared machine adds is not the page's."""
    fastest = min(_painted(chromium, address) for _ in range(4))
    print(f"first contentful paint on slow 4G: {fastest:.0f} ms")
    assert fastest < FIRST_PAINT


def _painted(chromium: Browser, address: str) -> float:
    with chromium.new_context(viewport={"width": 360, "height": 740}, locale="fr-FR") as visit:
        page = visit.new_page()
        session = visit.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW_4G)
        page.goto(f"{address}/s/ai-security?lang=fr")
        page.wait_for_function(PAINTED)
        return page.evaluate(PAINTED)


def test_nothing_jumps_while_somebody_answers(page: Page, address: str) -> None:
    begin(page, address)
    page.wait_for_load_state("networkidle")
    page.evaluate(WATCH)
    for choice in page.locator("main .field .choice:first-of-type input:visible").all():
        choice.check()
    for field in page.locator("main input[type=text]:visible").all():
        field.type("12")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifted") == 0
