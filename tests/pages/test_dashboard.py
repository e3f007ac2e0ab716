"""The dashboard in a real browser: for every eye and hand, moving without shifting, and whole without scripts."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.accessibility.axe import objections
from tests.pages.gallery import KINDS, SMALLER, SURVEY, WAITING
from tests.pages.served import served

TABLE = "table?row=P01&column=country.region_group"
SIGHTS = (
    "/",
    f"/{SURVEY}/table?row=F02.benefit&column=B01&lang=es",
    f"/{SURVEY}/embed?question=F02",
    f"/{SMALLER}",
    f"/{SMALLER}?by=country.region_group",
    f"/{SMALLER}/{TABLE}",
    f"/{SMALLER}/table",
    f"/{SMALLER}/table?row=P01&column=P01",
    f"/{SMALLER}/embed?question=P01",
    f"/{SMALLER}?wall",
    f"/{WAITING}",
    f"/{KINDS}?by=level",
    "/nothing?lang=fr",
)
VIEWS: tuple[tuple[tuple[Literal["light", "dark"], int], ...], ...] = ((("light", 1280), ("dark", 360)), (("dark", 1280), ("light", 360)))
LAID_OUT = "document.styleSheets[0].insertRule('.figure { content-visibility: visible !important }')"
"""All at once: axe asks for the place of everything, and what is out of view would be laid out anew for each answer."""
SHIFTS = """async () => {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    window.shifted = [];
    const told = (entry) => entry.sources.map((source) => `${source.node?.nodeName} ${source.node?.textContent.slice(0, 40)}`).join("; ");
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.shifted.push([entry.value, told(entry)])))
        .observe({type: "layout-shift"});
}"""
HEARD = """() => {
    window.heard = [];
    const region = document.getElementById("told");
    new MutationObserver(() => window.heard.push(region.textContent))
        .observe(region, {childList: true, characterData: true, subtree: true});
}"""


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    with served("tests.pages.gallery") as found:
        yield found


@contextmanager
def opened(
    chromium: Browser,
    address: str,
    width: int = 1280,
    *,
    scripts: bool = True,
    motion: Literal["reduce", "no-preference"] = "no-preference",
) -> Generator[Page]:
    """A page that must not complain."""
    height = 740 if width < 500 else 800
    context = chromium.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=scripts, reduced_motion=motion, locale="en-GB"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        page.goto(address)
        yield page
    finally:
        context.close()
    assert not complaints


def publish(gallery: str, survey: str = SMALLER) -> None:
    urllib.request.urlopen(f"{gallery}/-/next/{survey}", timeout=20).close()


def responses(page: Page) -> int:
    return int(page.locator("#figures").get_attribute("data-responses") or 0)


def shown_numbers(page: Page) -> set[int]:
    """The numbers of answers that can be seen at the top."""
    told = [page.locator(place).inner_text() for place in (".standing", "#news")]
    seen = page.evaluate("document.getElementById('told').getBoundingClientRect().width")
    assert seen <= 1
    return {int(number.replace(",", "")) for number in re.findall(r"([\d,]+) answers", " ".join(told))}


def await_more(page: Page, than: int) -> None:
    page.wait_for_function("than => Number(document.getElementById('figures').dataset.responses) > than", arg=than)


@pytest.mark.parametrize(("place", "path"), list(enumerate(SIGHTS)))
def test_axe_finds_nothing_in_both_themes_on_phone_and_desktop(chromium: Browser, gallery: str, place: int, path: str) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{gallery}/live{path}")
    page.evaluate(LAID_OUT)
    for scheme, width in VIEWS[place % 2]:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert objections(page) == [], (scheme, width)
    context.close()


@pytest.mark.parametrize(
    ("path", "statement"),
    [
        ("/", "/accessibility?lang=en"),
        (f"/{SMALLER}", f"/s/{SMALLER}/accessibility?lang=en"),
        (f"/{SMALLER}/{TABLE}", f"/s/{SMALLER}/accessibility?lang=en"),
        (f"/{SURVEY}?lang=fr", f"/s/{SURVEY}/accessibility?lang=fr"),
        (f"/{WAITING}", f"/s/{WAITING}/accessibility?lang=en"),
        ("/nothing?lang=fr", "/accessibility?lang=fr"),
    ],
)
def test_every_page_leads_to_the_accessibility_statement(chromium: Browser, gallery: str, path: str, statement: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{gallery}/live{path}")
    expect(page.locator(f"footer a[href='{statement}']")).to_have_count(1)
    context.close()


def test_shares_of_a_total_special_values_and_computed_values_are_told_in_groups(chromium: Browser, gallery: str) -> None:
    with opened(chromium, f"{gallery}/live/{KINDS}?by=level", 360) as page:
        expect(page.locator("#Split")).to_contain_text("which part of 10 hours each got on average")
        expect(page.locator("#Split")).to_contain_text("By Question Level")
        expect(page.locator("#Count")).to_contain_text("Not known")
        expect(page.locator("#Level")).to_contain_text("2.5–3.49")
        expect(page.locator("#Level")).not_to_contain_text("left it out")  # nobody is asked it
        expect(page.get_by_text("This survey is closed")).to_be_visible()
        expect(page.get_by_role("link", name="Take part in this survey")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1280])
def test_new_figures_move_in_place_and_nothing_else_moves(chromium: Browser, gallery: str, width: int) -> None:
    with opened(chromium, f"{gallery}/live/{SMALLER}", width) as page:
        held: list[Route] = []
        page.route("**/live.js", lambda route: held.append(route))
        page.reload(wait_until="commit")
        expect(page.locator("footer")).to_be_visible()
        page.evaluate(SHIFTS)
        assert held, "the script came before the page was painted"
        held[0].continue_()
        expect(page.locator("#news")).not_to_be_empty()
        page.evaluate("document.querySelector('#P01 .fill').ontransitionrun = () => { window.glided = true; }")
        for figure in page.locator(".figures > .figure").all():
            figure.scroll_into_view_if_needed()  # how high it is, is known once it was seen
        height = page.evaluate("document.body.scrollHeight")
        for place in ("h1", "#who", "#P01", "#P03"):
            page.locator(place).first.scroll_into_view_if_needed()
            before = responses(page)
            publish(gallery)
            await_more(page, before)
            page.wait_for_timeout(600)
        shifts = page.evaluate("window.shifted")
        assert sum(value for value, _ in shifts) < 0.01, shifts
        assert abs(page.evaluate("document.body.scrollHeight") - height) < 0.01 * height  # a line more or less, out of sight
        assert page.evaluate("window.glided")
        shown = responses(page)
        expect(page.locator("#responses")).to_have_text(f"{shown:,} answers")
        expect(page.locator("#P01 .facts").first).to_contain_text(re.compile(r"As of 14:\d\d:\d\d UTC"))


def test_the_live_region_speaks_at_most_every_fifteen_seconds_and_can_be_silenced(chromium: Browser, gallery: str) -> None:
    with opened(chromium, "about:blank") as page:
        page.clock.install()
        page.goto(f"{gallery}/live/{SMALLER}")
        expect(page.locator("#news")).to_have_text("This page follows new figures by itself.")
        page.evaluate(HEARD)
        for _ in range(3):
            before = responses(page)
            publish(gallery)
            await_more(page, before)
            page.clock.run_for(1000)
        assert len(page.evaluate("window.heard")) == 1
        page.clock.run_for(15_000)
        heard = page.evaluate("window.heard")
        assert len(heard) == 2
        assert re.fullmatch(rf"New figures: {responses(page)} answers, as of 14:\d\d:\d\d UTC\.", heard[1])
        assert shown_numbers(page) == {responses(page)}  # what is said later than it is shown is not seen
        page.get_by_role("button", name="Pause updates").press("Enter")
        expect(page.locator("#news")).to_have_text("Paused. The figures stay as they are.")
        before = responses(page)
        publish(gallery)
        page.clock.run_for(20_000)
        page.wait_for_timeout(300)
        assert (responses(page), len(page.evaluate("window.heard"))) == (before, 2)
        page.get_by_role("button", name="Pause updates").press("Enter")
        await_more(page, before)


def test_focus_stays_where_it_was_when_figures_move(chromium: Browser, gallery: str) -> None:
    with opened(chromium, f"{gallery}/live/{SMALLER}") as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        for name in ("only", "P01"):
            link = page.locator("#only") if name == "only" else page.locator("#P01 .doors a").first
            link.focus()
            before = responses(page)
            publish(gallery)
            await_more(page, before)
            expect(link).to_be_focused()


def test_without_scripts_everything_is_there_and_chosen_with_forms(chromium: Browser, gallery: str) -> None:
    with opened(chromium, f"{gallery}/live/{SMALLER}", scripts=False) as page:
        expect(page.locator("#P01 tbody tr").first).to_be_visible()
        page.get_by_label("Show only").select_option("country.region_group:south")
        page.get_by_role("button", name="Show").press("Enter")
        expect(page.locator(".only")).to_contain_text("Southern Europe")
        page.get_by_role("link", name="Cross any two questions").click()
        page.get_by_label("Rows").select_option("P01")
        page.get_by_label("Columns").select_option("country.region_group")
        page.get_by_role("button", name="Show the table").press("Enter")
        expect(page.locator(".crossed thead th")).to_have_count(5)
        expect(page.locator(".crossed tfoot")).to_contain_text("Everybody")
        page.goto(f"{gallery}/live/{SMALLER}?wall")
        assert page.locator(".slide:visible").count() == page.locator(".slide").count() > 3
        page.goto(f"{gallery}/live/{SMALLER}/embed?question=P01")
        expect(page.locator("tbody tr").first).to_be_visible()


def test_the_wall_turns_by_itself_by_keys_and_not_against_the_readers_wish(chromium: Browser, gallery: str) -> None:
    with opened(chromium, "about:blank") as page:
        page.clock.install()
        page.goto(f"{gallery}/live/{SMALLER}?wall")
        shown = lambda: page.locator(".slide.now h2").inner_text()  # noqa: E731
        expect(page.locator(".slide.now")).to_have_count(1)
        first = shown()
        page.clock.run_for(12_500)
        second = shown()
        assert second != first
        page.keyboard.press("Space")
        page.clock.run_for(30_000)
        assert shown() == second
        page.keyboard.press("ArrowLeft")
        assert shown() == first
        before = responses(page)
        publish(gallery)
        await_more(page, before)
        assert shown() == first
    with opened(chromium, f"{gallery}/live/{SMALLER}?wall", motion="reduce") as page:
        expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")


def test_one_figure_may_stand_in_any_page_and_nothing_else_may(chromium: Browser, gallery: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{gallery}/-/elsewhere".replace("127.0.0.1", "localhost"))
    figure, dashboard = page.frames[1], page.frames[2]
    figure.locator("#P01 tbody tr").first.wait_for()
    assert dashboard.locator("#figures").count() == 0
    context.close()


def test_the_whole_survey_is_followed_too(chromium: Browser, gallery: str) -> None:
    with opened(chromium, f"{gallery}/live/{SURVEY}?weighted=yes&by=population_band.size_group") as page:
        expect(page.locator(".notice.small")).to_contain_text("weighted")
        before = responses(page)
        publish(gallery, SURVEY)
        await_more(page, before)
        expect(page.locator("#responses")).to_have_text(f"{responses(page):,} answers")
