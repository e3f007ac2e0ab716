"""What axe cannot see: how the pages behave, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.accessibility.shown import STATIC, Stage, stage
from tests.accessibility.tour import Sight, tour_of
from tests.pages.visitor import Page as Parsed

clause = pytest.mark.clause
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""
CUT = """() => [...document.querySelectorAll('main *')].filter(seen => {
    const style = getComputedStyle(seen);
    return style.overflowY === 'hidden' && style.clipPath === 'none' && seen.scrollHeight > seen.clientHeight + 1;
}).map(seen => seen.outerHTML.slice(0, 80))"""
HIDDEN = """() => {
    const at = document.activeElement, seen = at.closest('.choice') || at, box = seen.getBoundingClientRect();
    const points = [[.5, .5], [.1, .2], [.9, .2], [.1, .8], [.9, .8]].map(([x, y]) => [box.left + x * box.width, box.top + y * box.height]);
    const there = points.map(([x, y]) => document.elementFromPoint(x, y));
    return at === document.body || there.some(top => top && (seen.contains(top) || top.contains(seen))) ? '' : seen.outerHTML.slice(0, 100);
}"""
USE_ALL = """() => {
    window.same = true;
    for (const control of document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')) {
        control.focus();
        if (control.tagName === 'SELECT') {
            control.selectedIndex = 1;
            control.dispatchEvent(new Event('change', {bubbles: true}));
        } else if (/radio|checkbox/.test(control.type)) {
            control.click();
        }
    }
}"""
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def shown(chromium: Browser) -> Iterator[Stage]:
    with stage(chromium) as opened:
        yield opened


def sight(name: str, language: str = "en") -> Sight:
    """The first of the tour whose name begins like this."""
    return next(found for found in tour_of(language) if found.name.startswith(name))


def mistakes(language: str = "en") -> list[Sight]:
    return [found for found in tour_of(language) if found.name.endswith("mistakes")]


@clause("9.1.2.1", "9.1.2.2", "9.1.2.3", "9.1.2.4", "9.1.2.5", "9.1.4.2", "9.1.4.5", "9.2.2.2", "9.2.3.1")
def test_nothing_plays_moves_or_hides_words_in_pictures() -> None:
    for found in tour_of("en"):
        assert not re.search(r"<(audio|video|marquee|blink|object|embed|iframe|canvas|img)\b", found.html), found.name
    assert not re.search(r"@keyframes|animation:(?! none)", (STATIC / "platea.css").read_text())


@clause("9.1.4.13", "9.2.1.4", "WCAG 3.3.8")
def test_nothing_hangs_on_hovering_single_keys_or_passwords() -> None:
    for found in tour_of("en"):
        assert not re.search(r"\s(title|accesskey)=|type=\"password\"", found.html), found.name


@clause("9.2.5.1", "9.2.5.2", "9.2.5.4")
def test_scripts_act_when_a_press_ends_and_never_on_gestures_or_motion() -> None:
    for script in STATIC.glob("*.js"):
        assert not re.search(r"pointerdown|mousedown|touchstart|touchmove|devicemotion|deviceorientation", script.read_text()), script.name


@clause("9.1.4.12")
def test_wider_spacing_cuts_nothing_off(shown: Stage) -> None:
    for found in tour_of("en"):
        page = shown.show(found, 320)
        page.evaluate(
            "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet]; }", SPACED
        )
        for width in (320, 1280):
            _resize(page, width)
            assert page.evaluate(CUT) == [], (found.name, width)
            assert page.evaluate(FITS), (found.name, width)


def _resize(page: Page, width: int) -> None:
    """Returns once the page is laid out in this width."""
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_function("width => innerWidth === width", arg=width)


@clause("9.1.4.4", "9.1.4.10", "9.1.3.4")
def test_text_of_twice_the_size_fits_upright_and_across(shown: Stage) -> None:
    for found in tour_of("en"):
        page = shown.show(found, 320)
        assert page.evaluate(FITS), found.name
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        _resize(page, 640)
        assert page.evaluate(FITS), found.name


@clause("9.4.1.1")
def test_every_page_is_closed_nested_and_names_each_place_once() -> None:
    for found in tour_of("en"):
        assert Parsed(found.html).ids, found.name


@clause("9.4.1.3")
def test_what_changes_without_a_move_of_the_focus_is_told_as_a_status(shown: Stage) -> None:
    page = shown.show(sight("page 0"))
    page.locator("main input:visible").first.focus()
    held = page.evaluate("document.activeElement.id")
    assert held
    for offline, told in ((True, "You are offline"), (False, "You are online again")):
        page.context.set_offline(offline)
        expect(page.locator("[aria-live=polite]").filter(has_text=told)).to_be_visible()
        assert page.evaluate("document.activeElement.id") == held


@clause("9.3.2.1", "9.3.2.2")
def test_neither_focus_nor_input_leads_away(shown: Stage) -> None:
    for found in (one for one in tour_of("en") if one.name.startswith("page")):
        page = shown.show(found)
        page.evaluate(USE_ALL)
        page.wait_for_timeout(100)
        assert page.evaluate("window.same"), found.name


@clause("9.3.3.1", "9.3.3.3", "9.2.4.3")
def test_mistakes_are_summed_up_with_the_focus_and_told_at_the_field(shown: Stage) -> None:
    assert len(mistakes()) >= 5
    for found in mistakes():
        page = shown.show(found)
        expect(page.locator(".summary")).to_be_focused()
        for link in page.locator(".summary a").all():
            target = page.locator(f"[id='{(link.get_attribute('href') or '')[1:]}']")
            expect(target).to_have_count(1)
            field = target.locator("xpath=ancestor-or-self::*[contains(concat(' ', @class, ' '), ' field ')]")
            expect(field.locator(".message").first).to_be_visible()
        assert page.title().startswith("Error: ")


@clause("9.3.3.4", "WCAG 3.3.7")
def test_answers_are_shown_before_they_are_sent_and_a_withdrawal_is_asked_about(shown: Stage) -> None:
    review = shown.show(sight("review"))
    assert review.get_by_role("button", name="Change").count() >= 5
    assert review.get_by_role("button", name="Send my answers").count() == 1
    asked = shown.show(sight("withdraw, asked"))
    assert asked.get_by_role("button", name="No, keep them").count() == 1


@clause("9.3.2.3", "9.3.2.4", "WCAG 3.2.6")
def test_every_page_leads_on_in_the_same_places(shown: Stage) -> None:
    footers = {tuple(_footer(shown.show(found))) for found in tour_of("en") if found.name.startswith(("page", "review", "sent", "receipt"))}
    assert len(footers) == 1, footers


def _footer(page: Page) -> list[str]:
    return page.locator("footer a").all_inner_texts()


@clause("WCAG 2.4.11")
@pytest.mark.parametrize(("width", "height"), [(320, 480), (1280, 700)])
def test_nothing_lies_over_what_has_the_focus(shown: Stage, width: int, height: int) -> None:
    for found in (one for one in tour_of("en") if one.name.startswith(("page 1", "page 3", "review"))):
        page = shown.show(found, width)
        page.set_viewport_size({"width": width, "height": height})
        for _ in range(page.locator("a:visible, button:visible, input:visible, select:visible, textarea:visible").count()):
            page.keyboard.press("Tab")
            hidden = page.evaluate(HIDDEN)
            assert not hidden, f"{found.name}: {hidden}"


@clause("9.3.1.2")
def test_questions_in_another_language_say_which(shown: Stage) -> None:
    """Action 3 is not written in German: its questions come in English, and say so."""
    page = shown.show(sight("page 0", "de"))
    assert page.locator("html").get_attribute("lang") == "de"
    spoken = """seen => {
        const texts = document.createTreeWalker(seen, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            if (texts.currentNode.data.trim()) { return texts.currentNode.parentElement.closest('[lang]').lang; }
        }
    }"""
    for text in page.locator("main legend, main .choice label").all()[:30]:
        assert text.evaluate(spoken) == "en", text.inner_text()
    assert page.get_by_role("button").last.evaluate(spoken) == "de"


@clause("11.7", "9.1.4.1")
def test_the_pages_follow_what_the_system_asks_for(shown: Stage, chromium: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (shown.show(sight("page 0"), 1280, scheme).evaluate(ground) for scheme in ("light", "dark"))
    assert light != dark
    page = shown.show(sight("page 0"))
    page.emulate_media(forced_colors="active")
    chosen = page.locator("main .choice").first
    chosen.locator("input").check()
    assert chosen.evaluate("seen => getComputedStyle(seen).outlineStyle") == "solid"
    page.emulate_media(forced_colors="none")
