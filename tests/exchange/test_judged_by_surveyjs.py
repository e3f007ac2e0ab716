"""SurveyJS itself shows the same questions, options and rows of our export for the same answers, and computes the same values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from deploy.cli.exchange.export_xlsform import Called
from deploy.cli.exchange.exporting import exported
from proto.answers import Reader
from proto.computed import ComputedFormula
from proto.instrument import AnyQuestion, Computed, Date, Instrument, Integer, Matrix, Numeric, Rule
from proto.logic import compile_rule
from tests.exchange import judges
from tests.exchange.questionnaires import questionnaires
from tests.exchange.test_meaning import codes_beside, given_to

CASES = 12

pytestmark = pytest.mark.service


def can_be_given(question: AnyQuestion) -> list[Any]:
    """Some answers, none among them. No special values: other tools have none, and the export says so."""
    beside = codes_beside(question) if isinstance(question, Integer | Numeric | Date) else {}
    return [value for value in given_to(question) if not isinstance(value, str) or value not in beside]


def kept_there(question: AnyQuestion, value: Any) -> Any:
    """An answer as SurveyJS keeps it."""
    return int(value) if isinstance(question, Date) and question.precision == "year" and str(value).isdecimal() else value


@settings(
    deadline=None, max_examples=15, phases=(Phase.explicit, Phase.reuse, Phase.generate), suppress_health_check=[HealthCheck.too_slow]
)
@given(written=questionnaires(), data=st.data())
def test_surveyjs_shows_what_the_form_shows(written: tuple[str, Instrument], data: st.DataObject) -> None:
    text, instrument = written
    content, _ = exported(text, instrument, "surveyjs", "some.yaml")
    called = Called(instrument).questions
    questions = {question.id: question for question in instrument.questions}
    reader = Reader(instrument)
    people: list[dict[str, Any]] = []
    for _ in range(CASES):
        drawn = {question.id: data.draw(st.sampled_from(can_be_given(question))) for question in instrument.asked}
        decoded, _ = reader.convert({id: value for id, value in drawn.items() if value is not UNSET})
        people.append({id: value for id, value in drawn.items() if getattr(decoded, id) is not UNSET})
    judged = judges.ask(
        "surveyjs",
        form=json.loads(content),
        answers=[{called[id]: kept_there(questions[id], value) for id, value in given.items()} for given in people],
    )
    derived = {item.id: item for item in instrument.derived}
    for answers, found in zip(people, judged, strict=True):
        decoded, _ = reader.convert(answers)

        def holds(rule: Rule | None, decoded: Any = decoded) -> bool:
            return rule is None or bool(compile_rule(rule, questions, derived)(decoded))

        for question in instrument.questions:
            name = called[question.id]
            assert (name in found["shown"]) == holds(question.show_if), (question.id, question.show_if, answers, text)
            parts = question.rows if isinstance(question, Matrix) else getattr(question, "options", ())
            if parts and holds(question.show_if):
                assert sorted(found["parts"][name]) == sorted(part.code for part in parts if holds(part.show_if)), (
                    question.id,
                    answers,
                    text,
                )
            if isinstance(question, Computed) and holds(question.show_if):
                value = ComputedFormula(question, questions).of(decoded)
                assert found["computed"][name] in ((None, "") if value is UNSET else (pytest.approx(value),)), (question.id, answers, text)
