"""What a respondent is told about a fault: short, about the part that is wrong, and never the question over again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proto.answers import Reader
from proto.instrument import AnyQuestion, Date, Matrix
from services.intake.form.flow import FormFlow, FormState, question_of
from services.intake.form.pages.advice import Advice, advise
from services.intake.form.pages.voice import voice_for
from services.intake.form.pages.words import catalogues
from tests.builders.every_type import INSTRUMENT, QUESTIONS, TODAY


def told(question: AnyQuestion, value: Any, language: str = "en") -> Advice:
    """What the page says once this answer was given to this question, as it stands alone on a page."""
    alone = msgspec.structs.replace(question, required=True, show_if=None)
    flow = FormFlow(Reader(msgspec.structs.replace(INSTRUMENT, questions=(alone,), derived=(), soft_checks=(), strata=())))
    answers = {} if value is None else {question.id: value}
    faults = flow.evaluate(FormState(INSTRUMENT.version, answers, (question.id,)), TODAY).faults
    assert faults
    assert {question_of(fault) for fault in faults} == {question.id}
    return advise(voice_for(INSTRUMENT, language, ""), alone, faults, value)


def question(id: str) -> AnyQuestion:
    return next(question for question in QUESTIONS if question.id == id)


@pytest.mark.parametrize(
    ("id", "answer", "sentence"),
    [
        ("Q1", None, "Choose one answer, or “dk”."),
        ("Q2", None, "Choose at least one answer."),
        ("Q2", ["a", "b", "c", "none"], "Choose at most 3 answers."),
        ("Q2", ["a", "none"], "“none” stands on its own. Keep either “none” or the other answers."),
        ("Q3", {"row-1": "1"}, "No answer in 1 of 2 rows."),
        ("Q3", None, "No answer in 2 of 2 rows."),
        ("Q4", None, "Rank 2 options."),
        ("Q4", ["x", ""], "Choose an option for rank 2."),
        ("Q4", ["x", "x"], "Choose a different option for each rank."),
        ("Q5", "abc", "Write a whole number from 0 to 100."),
        ("Q5", 101, "Write 100 or less."),
        ("Q5", -1, "Write 0 or more."),
        ("Q6", 2_000_000, "Write 1,000,000 or less."),
        ("Q6", -2, "Write -1.5 or more."),
        ("Q7", None, "Choose a month and write the year with four digits."),
        ("Q7", "-05", "Write the year with four digits."),
        ("Q7", "2020-", "Choose the month."),
        ("Q7", "26-", "Choose the month. Write the year with four digits."),
        ("Q7", "1999-12", "Give January 2000 or a later date."),
        ("Q7", "2026-12", "Give today or an earlier date."),
        ("Q8", "2023-02-29", "This month has no such day."),
        ("Q8", "2023-02-", "Write the day as a number."),
        ("Q8", "2023-02-x", "Write the day as a number."),
        ("Q8", "2023--05", "Choose the month."),
        ("Q8", "23-02-05", "Write the year with four digits."),
        ("Q8", "2031-01-01", "Give 31 December 2030 or an earlier date."),
        ("Q9", "x" * 25, "Shorten your answer: 5 characters too many."),
        ("Q9", "x" * 21, "Shorten your answer: 1 character too many."),
        ("Q9", "a\0b", "Your answer holds a character that cannot be stored. Please write it again."),
        ("Q10", None, "Write an answer."),
    ],
)
def test_each_fault_has_a_sentence_of_its_own(id: str, answer: Any, sentence: str) -> None:
    assert told(question(id), answer).sentence == sentence


@pytest.mark.parametrize(
    ("answer", "anchor", "parts"),
    [
        ("2023-02-29", "Q8-0", {0}),
        ("2023--05", "Q8-1", {1}),
        ("23-02-05", "Q8-2", {2}),
        ("-x-05", "Q8-1", {1, 2}),
        ("2031-01-01", "Q8-0", set()),
    ],
)
def test_a_date_leads_to_the_part_that_is_wrong(answer: str, anchor: str, parts: set[int]) -> None:
    advice = told(question("Q8"), answer)
    assert (advice.anchor, advice.parts) == (anchor, parts)


def test_without_a_day_the_parts_of_a_date_are_counted_from_the_month() -> None:
    assert isinstance(question("Q7"), Date)
    assert told(question("Q7"), "26-").parts == {0, 1}
    assert told(question("Q7"), "-05").anchor == "Q7-1"


def test_a_matrix_says_how_many_rows_lack_an_answer_and_which() -> None:
    advice = told(question("Q3"), {"row-1": "1"})
    assert [(row.code, row.label, row.anchor, row.sentence) for row in advice.rows] == [("row~/2", "2", "Q3-1", "Choose one answer.")]
    assert advice.anchor == "Q3-1"


def test_the_rows_are_named_in_the_order_of_the_page_while_they_are_few() -> None:
    matrix = question("Q3")
    assert isinstance(matrix, Matrix)
    many = msgspec.structs.replace(matrix, rows=tuple(msgspec.structs.replace(matrix.rows[0], code=f"r{i}") for i in range(8)))
    flow = FormFlow(
        Reader(msgspec.structs.replace(INSTRUMENT, questions=(msgspec.structs.replace(many, required=True, show_if=None),), derived=()))
    )
    for missing, named in ((5, ["r7", "r6", "r5", "r4", "r3"]), (6, [])):
        value = {f"r{i}": "1" for i in range(8 - missing)}
        faults = flow.evaluate(FormState(INSTRUMENT.version, {"Q3": value}, ("Q3",)), TODAY).faults
        advice = advise(voice_for(INSTRUMENT, "en", ""), many, faults, value, [f"r{i}" for i in reversed(range(8))])
        assert advice.sentence == f"No answer in {missing} of 8 rows."
        assert [row.code for row in advice.named_rows] == named
        assert advice.anchor == "Q3-7"


@pytest.mark.parametrize("language", list(catalogues()))
def test_no_sentence_repeats_the_question(language: str) -> None:
    label = "A question of some length?"
    for one in QUESTIONS:
        advice = told(msgspec.structs.replace(one, text={"en": label}), None, language)
        assert advice.label == label
        assert label not in advice.sentence
        assert "{" not in advice.sentence
