"""A weight is kept as the class it lies in; nobody is asked it, and what contradicts it is a fault with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from proto import author, case_weights, instrument
from proto.answers import Reader
from proto.instrument import Instrument, Margin, Portion, Quota, Rule
from services.intake.form.form_layout import pages_of
from services.intake.surveys import publication
from tests.builders import small_survey
from tests.builders.small_survey import survey
from tests.builders.weighted_survey import book, weighing, weight

FILE = """\
format: platea-instrument/2
id: panel
version: 1.0.0
source_language: en
languages: [en, fr]
title: {en: Panel, fr: Panel}
sections: [{id: A, text: {en: A, fr: A}}]
questions:
  - {id: S1, var: s1, section: A, type: single, text: {en: Dog, fr: Chien}, privacy: {role: insensitive}, stats: [count],
     options: [{code: "no", en: "No", fr: Non}, {code: "yes", en: "Yes", fr: Oui}]}
case_weight:
  label: {en: Weight of the panel, fr: Poids du panel}
  least: 0.2
  greatest: 5
  classes: 4
  privacy: {role: quasi_identifier}
"""
ends = st.tuples(st.floats(1e-3, 1e4), st.floats(1.2, 1e3)).map(lambda both: (both[0], both[0] * both[1]))


def read(text: str) -> Any:
    return author.read(text, "panel.yaml", lambda name: "")


@given(ends, st.integers(2, 12), st.floats(0, 1))
def test_a_weight_is_kept_as_the_middle_of_its_class(between: tuple[float, float], classes: int, place: float) -> None:
    least, greatest = between
    found = weight(classes, least, greatest)
    one = min(max(least * (greatest / least) ** place, least), greatest)
    code = case_weights.code_of(found, one)
    assert code is not None
    half = (greatest / least) ** (0.5 / classes)
    assert 1 / half * (1 - 6e-4) <= one / float(code) <= half * (1 + 6e-4), "but for the four digits of a code"


@given(ends, st.integers(2, 12))
def test_classes_rise_from_the_least_to_the_greatest_and_nothing_else_has_one(between: tuple[float, float], classes: int) -> None:
    least, greatest = between
    found = weight(classes, least, greatest)
    weights = case_weights.weights_of(found)
    assert weights == sorted(weights)
    assert case_weights.code_of(found, least) == found.options[0].code
    assert case_weights.code_of(found, greatest) == found.options[-1].code
    assert case_weights.code_of(found, least * 0.999) is None
    assert case_weights.code_of(found, greatest * 1.001) is None


def test_an_author_names_the_weight_and_gets_its_classes() -> None:
    found = read(FILE)
    assert isinstance(found, Instrument), found
    question = found.case_weight
    assert question is not None
    assert [option.code for option in question.options] == ["0.2991", "0.6687", "1.495", "3.344"]
    assert (question.id, question.var, question.stats) == ("Weight", "weight", ("none",))
    assert found.hierarchies["case-weight"].table == {
        "0.2991": ("0.4472",),
        "0.6687": ("0.4472",),
        "1.495": ("2.236",),
        "3.344": ("2.236",),
    }
    assert instrument.decode(instrument.encode(found)) == found
    assert publication.read(instrument.encode(found)) == found


def test_nobody_is_asked_a_weight() -> None:
    found = read(FILE)
    assert [question.id for question in found.asked] == ["S1"]
    assert [item.id for page in pages_of(found).values() for item in page.items] == ["S1"]
    single_pages = pages_of(replace(found, one_question_per_page=True))
    assert list(single_pages) == ["S1"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("least: 0.2", "least: 5", 13, "the least weight is not below the greatest"),
        ("least: 0.2", "least: 0", 13, "0 is"),
        ("classes: 4", "classes: 13", 15, ""),
        ("greatest: 5", "greatest: 0.2001", 15, "classes so narrow cannot be told apart"),
        (
            "case_weight:",
            'margins: [{of: S1, source: {en: Census, fr: Recensement}, counts: {"no": 1, "yes": 2}}]\ncase_weight:',
            13,
            "figures are weighted by margins or by a weight that the data bring, not by both",
        ),
        (
            "case_weight:",
            "derived: [{id: heavy, rule: {q: Weight, op: answered}}]\ncase_weight:",
            13,
            "Weight stands in a rule",
        ),
        ("case_weight:", "strata: [weight.class]\ncase_weight:", 11, "weight.class is neither"),
    ],
)
def test_what_contradicts_a_weight_is_a_fault_with_its_line(old: str, new: str, line: int, message: str) -> None:
    found = read(FILE.replace(old, new))
    assert isinstance(found, list)
    assert any(message in fault.message for fault in found), found
    assert line in [fault.line for fault in found], found


def _changed(**weight: Any) -> Callable[[Instrument], Instrument]:
    """The last question, which is the weight, with other values."""
    return lambda panel: replace(panel, questions=(*panel.questions[:-1], replace(panel.questions[-1], **weight)))


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: replace(panel, questions=(*panel.questions, replace(panel.case_weight, id="Other", var="other"))),
        _changed(required=True),
        _changed(options=weight(4).options[:1]),
        _changed(options=weight(4, greatest=6.0).options),
        _changed(least=0.0),
        lambda panel: replace(panel, margins=(Margin("S1", {"en": "Census"}, (Portion("no", 0.5), Portion("yes", 0.5))),)),
        lambda panel: replace(panel, quotas=(Quota("heavy", Rule(q="Weight", op="answered"), 10, {"en": "Thank you"}),)),
    ],
)
def test_an_instrument_that_contradicts_its_weight_is_not_published(change: Callable[[Instrument], Instrument]) -> None:
    found = publication.read(instrument.encode(change(read(FILE))))
    assert isinstance(found, list)
    assert any(fault.pointer.startswith("/case_weight") for fault in found), found


def test_whoever_weighs_as_much_as_a_class_counts_in_its_step_and_in_those_below() -> None:
    of = book()
    people, _ = weighing(3, 200, of, some=True)
    reader = Reader(of.instrument)
    answers = [reader.convert(one)[0] for one in people]
    x, _ = of.tabulate(answers)
    codes = [option.code for option in weight().options]
    expected = np.array([[one.get("Weight") in codes[at:] for at in range(len(codes))] for one in people], np.float32)
    assert (x[:, of.weights] == expected).all()
    assert expected.sum() > 200


def test_a_survey_without_a_weight_has_the_columns_it_had() -> None:
    assert not small_survey.book().weights
    assert [column for column in book().columns if column.question != "Weight"] == small_survey.book().columns
    keys = msgspec.json.decode(instrument.encode(survey())).keys()
    assert keys == msgspec.json.decode(instrument.encode(book().instrument)).keys()
