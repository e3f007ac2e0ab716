"""The text that an option opens and the notes between questions, with scripts: at once, in order, and heard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from proto import receipt
from proto.answers import Reader
from services.intake.form.flow import FormFlow, FormState
from services.intake.form.pages import compose, questions
from services.intake.form.piped_texts import list_patterns, listed
from tests.accessibility.axe import objections
from tests.accessibility.shown import Stage, stage
from tests.accessibility.tour import Sight
from tests.builders.fruit import fruit

FORM = FormFlow(Reader(fruit()))


@pytest.fixture(scope="module")
def opened(chromium: Browser) -> Iterator[Stage]:
    with stage(chromium) as shown:
        yield shown


@pytest.fixture
def page(opened: Stage) -> Page:
    """The first page, on a phone, of somebody new: another's answers would be kept on the device."""
    view = FORM.begin(FormState("0.1.0"), "2026-11-30")
    html = questions.section(compose.survey_in(FORM.instrument, "en"), FORM, view, receipt.make()).decode()
    return opened.show(Sight("fruit", "en", html), 320)


def tick(page: Page, id: str, code: str) -> None:
    page.locator(f"[name='q.{id}'][value='{code}']").check()


def test_a_text_opens_inside_its_option_and_keeps_what_was_written(page: Page) -> None:
    text = page.get_by_label("Another: please say which").and_(page.locator("[type=text]"))
    expect(text).to_have_count(0)
    tick(page, "A01", "other")
    expect(page.locator("#told")).to_contain_text("New question: Another: please say which")
    page.keyboard.press("Tab")
    expect(text).to_be_focused()
    page.keyboard.type("Quince")
    expect(page.locator("#A01_other .count")).to_have_text("14 characters left")
    tick(page, "A01", "apple")
    expect(text).to_have_count(0)
    expect(page.locator("[name=shown]")).to_have_value("A01 A02 A03")
    tick(page, "A01", "other")
    expect(text).to_have_value("Quince")
    expect(page.locator("[name=shown]")).to_have_value("A01 A01_other A02 A03")


def test_a_note_comes_and_goes_and_is_read_out_as_it_comes(page: Page) -> None:
    note = page.locator("#N1")
    expect(note).to_have_count(0)
    tick(page, "A01", "pear")
    expect(note).to_be_visible()
    expect(page.locator("#told")).to_contain_text("Apples and pears <grow> here.")
    tick(page, "A01", "dk")
    expect(note).to_have_count(0)


def test_texts_follow_the_answers_that_they_show(page: Page) -> None:
    note, option = page.locator("#N2"), page.locator("#A03 select").first.locator("option[value=juice]")
    expect(note).to_have_text("You like this: \u2026.")
    tick(page, "A01", "dk")
    expect(note).to_have_text("You like this: Don't know.")
    expect(page.locator("#told")).to_have_text("You like this: Don't know.")
    tick(page, "A01", "pear")
    expect(option).to_have_text("Juice of Pear & quince")
    expect(page.locator("#told")).to_have_text("Apples and pears <grow> here. You like this: Pear & quince.")


def test_page_and_server_list_things_alike(page: Page) -> None:
    for language in ("en", "fr", "ga", "hu"):
        for size in range(1, 5):
            items = [f"{{1}}{letter}" for letter in "abcd"[:size]]
            by_page = page.evaluate(
                """async ([patterns, items]) => {
                    document.getElementById('told').dataset.list = JSON.stringify(patterns);
                    const { refill } = await import(`/static/piped.js?${Math.random()}`);
                    const field = document.createElement('select');
                    field.id = 'Q1';
                    for (const item of items) field.append(new Option(item, item));
                    const text = Object.assign(document.createElement('p'), { textContent: '' });
                    text.dataset.piped = '{Q1}';
                    refill([text], new Map([['Q1', items]]), () => field);
                    return text.textContent;
                }""",
                [list_patterns(language), items],
            )
            assert by_page == listed(items, language)


def test_axe_finds_nothing_while_everything_is_open(page: Page) -> None:
    for id, code in (("A01", "other"), ("A02", "else")):
        tick(page, id, code)
    expect(page.locator(".field > .field input")).to_have_count(2)
    assert objections(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
