"""Earlier answers in later texts, on pages as they are without scripts and on the review."""

from __future__ import annotations

import html
import re

import pytest

from proto.answers import Reader
from services.intake.form.flow import REVIEW, FormFlow, FormState, NextPage
from services.intake.form.pages import compose, questions
from services.intake.form.piped_texts import list_patterns, listed
from tests.builders.fruit import fruit
from tests.pages.visitor import Page

TODAY = "2026-11-30"
FORM = FormFlow(Reader(fruit()))


def told(view: NextPage, language: str = "en") -> str:
    """The words of a page."""
    draw = compose.review if view.place == REVIEW else questions.section
    markup = draw(compose.survey_in(FORM.instrument, language), FORM, view, "R" * 26).decode()
    Page(markup)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", markup)))


def after(go: str = "next", **fields: list[str]) -> NextPage:
    """The page after the first was filled in like this, and sent as often as it takes."""
    view = FORM.begin(FormState("0.1.0"), TODAY)
    for _ in range(2):
        if view.place == "A":
            view = FORM.turn(view.sheet, "A", go, {f"q.{id}": values for id, values in fields.items()}, ".,", TODAY)
    return view


def test_a_text_shows_the_answer_in_the_language_of_the_page_and_as_text() -> None:
    view = after(A01=["pear"], A02=["shop", "else"], A02_else=["Garden"])
    assert view.place == "B"
    assert "What is missing in Shop and Elsewhere? { } Besides: Pear & quince" in told(view)
    assert "Que manque-t-il dans Magasin et Ailleurs ? { } Outre : Poire et coing" in told(view, "fr")
    markup = questions.section(compose.survey_in(FORM.instrument, "en"), FORM, view, "R" * 26).decode()
    assert '<span data-piped="Besides: {A01}">Besides: Pear &amp; quince</span>' in markup


def test_what_is_not_answered_or_was_taken_back_is_an_ellipsis() -> None:
    assert "What is missing in …? { } Besides: Apple" in told(after(A01=["apple"]))
    view = after("stay")
    assert "Juice of …" in told(view)
    assert "You like this: …." in told(view)


def test_a_text_that_somebody_wrote_is_never_shown() -> None:
    view = after(A01=["other"], A01_other=["Quince"])
    assert view.place == "B"
    assert "Besides: Another: please say which" in told(view)
    assert "Quince" not in told(view)


def test_faults_and_the_review_say_the_same_words() -> None:
    view = after(A01=["apple"], A02=["shop"])
    wrong = FORM.turn(view.sheet, "B", "next", {"q.B01": ["x" * 3001]}, ".,", TODAY)
    assert [fault.code for fault in wrong.faults] == ["too-long"]
    assert told(wrong).count("What is missing in Shop? { }") == 2, "in the summary and at the question"
    review = FORM.turn(view.sheet, "B", "next", {"q.B01": ["Rain"]}, ".,", TODAY)
    assert review.place == REVIEW
    assert "What is missing in Shop? { }" in told(review)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "a, b, and c"), ("fr", "a, b et c"), ("de", "a, b und c"), ("ga", "a, b agus c"), ("el", "a, b και c"), ("pt-BR", "a, b e c")],
)
def test_things_are_listed_as_the_language_lists_them(language: str, said: str) -> None:
    assert listed(["a", "b", "c"], language) == said
    patterns = list_patterns(language)
    two = patterns["start"].format("a", "b")
    assert patterns["end"].format(two, "c") == said
    assert listed(["a"], language) == "a"


def test_a_language_that_nobody_has_patterns_of_still_lists() -> None:
    assert listed(["a", "b"], "xx") == "a and b"
