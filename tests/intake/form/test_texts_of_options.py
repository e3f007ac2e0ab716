"""Texts that options open and notes between questions, on the pages of the form as they are without scripts."""

from __future__ import annotations

import html
import re

from proto.answers import Reader
from services.intake.form.flow import REVIEW, FormFlow, FormState, NextPage
from services.intake.form.pages import compose, questions
from tests.builders.fruit import fruit
from tests.pages.visitor import Page

TODAY = "2026-11-30"
FORM = FormFlow(Reader(fruit()))
RECEIPT = "R" * 26
TEMPLATE = re.compile(r"<template>(?:(?!<template>).)*?</template>", re.DOTALL)


def page(view: NextPage, language: str = "en") -> str:
    survey = compose.survey_in(FORM.instrument, language)
    draw = compose.review if view.place == REVIEW else questions.section
    return draw(survey, FORM, view, RECEIPT).decode()


def seen(markup: str) -> str:
    """What is there without scripts."""
    while TEMPLATE.search(markup):
        markup = TEMPLATE.sub("", markup)
    return markup


def begin() -> NextPage:
    return FORM.begin(FormState("0.1.0"), TODAY)


def answer(view: NextPage, go: str = "next", **fields: list[str]) -> NextPage:
    return FORM.turn(view.sheet, view.place, go, {f"q.{id}": values for id, values in fields.items()}, ".,", TODAY)


def test_a_text_is_asked_for_on_the_next_round_and_stands_inside_its_option() -> None:
    first = begin()
    assert "A01_other-0" not in seen(page(first))
    view = answer(first, A01=["other"])
    assert (view.place, view.opened, view.faults) == ("A", ("A01_other",), ())
    markup = seen(page(view))
    Page(markup)  # each element is closed where it began, each id is there once
    order = [markup.index(f'id="{id}"') for id in ("A01-0-2", "A01_other-0", "A01-0-3", "A02")]
    assert order == sorted(order), "behind its option, before the next one"
    assert markup.index("</fieldset>") > markup.index('id="A01_other-0"')
    assert re.search(r'<p class="question"><label for="A01_other-0">.*?<span data-title>Another: please say which</span>', markup)


def test_what_is_wrong_with_the_text_is_told_beside_it() -> None:
    view = answer(answer(begin(), A01=["other"]), A01=["other"], A01_other=[""])
    assert [(fault.pointer, fault.code) for fault in view.faults] == [("/answers/A01_other", "required")]
    markup = page(view)
    assert '<a href="#A01_other-0">' in markup
    assert re.search(r'id="A01_other-0" [^>]*aria-describedby="A01_other-hint A01_other-error" aria-invalid="true"', markup)


def test_the_review_shows_the_text_with_its_option_and_nothing_as_markup() -> None:
    view = answer(
        answer(begin(), A01=["other"], A02=["else"]), A01=["other"], A01_other=["<b>Quince"], A02=["shop", "else"], A02_else=["Garden"]
    )
    view = answer(view)
    assert view.place == REVIEW
    markup = page(view)
    assert "<b>" not in markup
    told = html.unescape(re.sub(r"<[^>]*>", "", markup))
    assert "Another: please say which \u2013 <b>Quince" in told
    assert "Elsewhere \u2013 Garden" in told
    assert told.count("Quince") == 1


def test_a_text_whose_option_is_taken_back_is_left_out_and_said() -> None:
    view = answer(answer(begin(), A01=["other"]), A01=["other"], A01_other=["Quince"])
    view = answer(FORM.reopen(view.sheet, "A", TODAY), A01=["apple"], A01_other=["Quince"])
    assert (view.place, view.closed) == ("A", ("A01_other",))
    assert FORM.reader.canonical(view.evaluation.answers) == b'{"A01":"apple"}'
    view = answer(answer(view, A01=["apple"]))
    assert view.place == REVIEW
    assert "Which fruit do you like best? \u2013 Another: please say which" in page(view)


def test_notes_stand_between_the_questions_and_follow_their_rules() -> None:
    first = begin()
    markup = seen(page(first))
    assert first.evaluation.notes == ("N0", "N2"), "a note whose rule waits for a required answer waits, too"
    order = [markup.index(f'id="{id}"') for id in ("N0", "A01", "A02", "A03", "N2")]
    assert order == sorted(order)
    assert 'id="N1"' not in markup
    view = answer(answer(first, A01=["pear"]), go="back")
    assert view.evaluation.notes == ("N0", "N1", "N2")
    markup = seen(page(view))
    assert '<p class="note" id="N1"' in markup
    assert "Apples and pears &lt;grow&gt; here." in markup
    assert markup.index('id="A01"') < markup.index('id="N1"') < markup.index('id="A02"')
    assert "Pommes et poires" in page(view, "fr")
