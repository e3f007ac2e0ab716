"""Advice about sound questions: each case as somebody met it, and silence where nothing is odd."""

from __future__ import annotations

from typing import Any

import pytest

from proto import author
from proto.instrument import Date, Derived, Instrument, Integer, Matrix, Option, Privacy, Row, Rule, Section, Single
from proto.questionnaire_advice import advice

YEAR = 2026


def common(id: str = "Q1") -> dict[str, Any]:
    return {"id": id, "var": id.lower(), "section": "A", "text": {"en": "Which?"}, "privacy": Privacy("insensitive")}


def told(*questions: Any, derived: tuple[Derived, ...] = ()) -> list[str]:
    instrument = Instrument(
        id="advised",
        version="1",
        source_language="en",
        languages=("en",),
        title={"en": "Advised"},
        sections=(Section("A", {"en": "A"}),),
        questions=questions,
        derived=derived,
    )
    return list(advice(instrument, YEAR))


def options(*labels: str) -> tuple[Option, ...]:
    return tuple(Option("abcdef"[place], {"en": label}) for place, label in enumerate(labels))


@pytest.mark.parametrize("second", ["Yes", "yes", "Yes ", "Yes\u200b", "\u00a0Yes", "\uff39es"])
def test_two_options_that_look_alike_are_named(second: str) -> None:
    (sentence,) = told(Single(**common(), options=options("Yes", second)))
    assert sentence.startswith("the options a and b of Q1 have the same label in en")
    assert not told(Single(**common(), options=options("Yes", "No", "Yes, often")))


def test_quotes_of_a_word_processor_are_shown_and_named() -> None:
    quoted: dict[str, Any] = {**common(), "text": {"en": "“Which?”"}}
    assert told(Single(**quoted, options=options("‘Yes’", "Say “no”"))) == [
        'the label of a of Q1 is shown in quotation marks. If YAML should take them away, write "…".',
        'the text of Q1 is shown in quotation marks. If YAML should take them away, write "…".',
    ]


def test_two_rows_that_look_alike_are_named() -> None:
    rows = (Row("x", {"en": "Row"}), Row("y", {"en": "Row"}))
    assert [sentence[:31] for sentence in told(Matrix(**common(), rows=rows, options=options("No", "Yes")))] == [
        "the rows x and y of Q1 have the"
    ]


def test_a_label_without_anything_to_see_is_named() -> None:
    assert told(Single(**common(), options=options("Yes", "\u200b"))) == ["the label of b of Q1 shows nothing in en."]


def scale(*codes: str, ordered: bool = True) -> Single:
    return Single(**common(), options=tuple(Option(code, {"en": f"label {code}"}) for code in codes), ordered=ordered)


@pytest.mark.parametrize("codes", [("1", "2", "3", "4", "5", "99"), ("5", "4", "3", "-9"), ("1", "2", "3", "9"), ("-1", "10", "20", "30")])
def test_a_code_far_from_the_others_of_a_scale_is_named(codes: tuple[str, ...]) -> None:
    (sentence,) = told(scale(*codes))
    assert "far from the others" in sentence
    assert not told(scale(*codes, ordered=False))


@pytest.mark.parametrize(
    "codes", [("1", "2", "3", "4"), ("7", "8", "9", "10"), ("0", "10", "20", "30"), ("1", "2", "3", "dk"), ("1", "2", "99")]
)
def test_a_scale_in_equal_steps_is_not(codes: tuple[str, ...]) -> None:
    assert not told(scale(*codes))


@pytest.mark.parametrize(
    ("question", "limit"),
    [(Integer(**common(), min=1990, max=2030), "`max: 2026`"), (Date(**common(), max="2030-12"), "`max: today`")],
)
def test_a_year_to_come_is_named(question: Any, limit: str) -> None:
    (sentence,) = told(question)
    assert "until 2030" in sentence
    assert limit in sentence


@pytest.mark.parametrize("question", [Integer(**common(), min=0, max=2500), Integer(**common(), min=1900, max=2026), Date(**common())])
def test_other_numbers_and_dates_are_not(question: Any) -> None:
    assert not told(question)


def test_a_derived_variable_over_all_rows_is_named() -> None:
    rows = (Row("x", {"en": "Police"}), Row("y", {"en": "Translation"}))
    matrix = Matrix(**common(), rows=rows, options=options("No", "Yes"))
    every = Derived("uses", Rule(any=(Rule(q="Q1", op="any_row_in", value=("b",)), Rule(q="Q1", op="answered"))))
    assert told(matrix, derived=(every,)) == ["uses holds by any row of Q1. Unless each row is meant, name those that are: `rows: […]`."]
    assert not told(matrix, derived=(Derived("uses", Rule(q="Q1", op="any_row_in", value=("b",), rows=("x",))),))


def test_bundled_questionnaires_have_no_labels_alike() -> None:
    for path in author.bundled().values():
        instrument = author.load(path)
        assert isinstance(instrument, Instrument)
        assert not [sentence for sentence in advice(instrument, YEAR) if "same label" in sentence or "shows nothing" in sentence]
