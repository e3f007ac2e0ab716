"""One question on each page: the same walk, the same answers, one step at a time."""

from __future__ import annotations

from proto.answers import Reader
from services.intake.form.flow import REVIEW, START, FormFlow, FormState, NextPage
from services.intake.form.pages import compose, questions
from tests.builders.fruit import fruit
from tests.pages.visitor import Page

TODAY = "2026-11-30"
FORM = FormFlow(Reader(fruit(("source_language: en", "source_language: en\none_question_per_page: true"))))


def step(view: NextPage, go: str = "next", **fields: list[str]) -> NextPage:
    return FORM.turn(view.sheet, view.place, go, {f"q.{id}": values for id, values in fields.items()}, ".,", TODAY)


def begin() -> NextPage:
    return FORM.begin(FormState("0.1.0"), TODAY)


def test_each_question_has_a_page_with_its_notes_and_the_texts_of_its_options() -> None:
    pages = {place: [item.id for item in page.items] for place, page in FORM.pages.items()}
    assert pages == {
        "A01": ["N0", "A01", "A01_other"],
        "A02": ["N1", "A02", "A02_else"],
        "A03": ["A03", "N2"],
        "B01": ["B01"],
        "B02": ["B02"],
    }
    assert [page.section for page in FORM.pages.values()] == ["A", "A", "A", "B", "B"]


def test_the_walk_goes_page_by_page_there_and_back_and_asks_what_an_answer_opened() -> None:
    view = begin()
    assert (view.place, FORM.progress(view.place, view.evaluation)) == ("A01", (1, 5))
    assert step(view, "back").place == START
    assert step(view).place == "A01", "it is required"
    view = step(view, A01=["other"])
    assert (view.place, view.opened) == ("A01", ("A01_other",))
    view = step(view, A01=["other"], A01_other=["Quince"])
    for place in ("A02", "A03", "B01", "B02"):
        assert view.place == place
        view = step(view)
    assert view.place == REVIEW
    assert step(view, "back").place == "B02"
    assert FORM.turn(view.sheet, "B02", "back", {}, ".,", TODAY).place == "B01"


def test_the_review_has_the_sections_and_leads_to_the_first_page_of_each_and_back() -> None:
    view = step(begin(), A01=["pear"])
    while view.place != REVIEW:
        view = step(view)
    survey = compose.survey_in(FORM.instrument, "en")
    buttons = [control.value for control in Page(compose.review(survey, FORM, view, "R" * 26).decode()).controls if control.name == "go"]
    assert {"change.A01", "change.B01"} <= set(buttons)
    changed = step(view, "change.B01")
    assert changed.place == "B01"
    assert step(changed, B01=["Rain"]).place == REVIEW


def test_a_place_that_was_left_is_found_again_and_one_of_sections_begins_anew() -> None:
    sheet = step(begin(), A01=["pear"]).sheet
    assert FORM.reopen(sheet, "A02", TODAY).place == "A02"
    assert FORM.reopen(sheet, "A", TODAY).place == "A01"


def test_a_page_holds_one_question() -> None:
    view = step(begin(), A01=["pear"])
    page = Page(questions.section(compose.survey_in(FORM.instrument, "en"), FORM, view, "R" * 26).decode())
    assert {control.name for control in page.controls if control.name.startswith("q.")} == {"q.A02"}
    assert "Apples and pears <grow> here." in page.text
    assert "Question 2 of 5" in page.text
