"""Skip logic: every operator, what holds where there is no answer, and rules inside rules."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.answers import Reader
from proto.instrument import Derived, Rule
from proto.logic import Predicate, compile_rule
from tests.builders.every_type import INSTRUMENT, good_answers

READER = Reader(INSTRUMENT)
DERIVED = {item.id: item for item in INSTRUMENT.derived}


def compiled(rule: Rule) -> Predicate:
    return compile_rule(rule, READER.questions, DERIVED)


def given_answers(**answers: Any) -> Any:
    return msgspec.convert(answers, READER.type)


@pytest.mark.parametrize(
    ("rule", "holds", "fails"),
    [
        (Rule(q="Q1", op="in", value=("yes", "dk")), {"Q1": "dk"}, {"Q1": "no"}),
        (Rule(q="Q1", op="not_in", value=("yes",)), {"Q1": "no"}, {"Q1": "yes"}),
        (Rule(q="Q2", op="any_in", value=("b", "c")), {"Q2": ["a", "c"]}, {"Q2": ["a"]}),
        (Rule(q="Q4", op="any_in", value=("z",)), {"Q4": ["x", "z"]}, {"Q4": ["x", "y"]}),
        (Rule(q="Q3", op="any_row_in", value=("3",)), {"Q3": {"row~/2": "3"}}, {"Q3": {"row-1": "1"}}),
        (Rule(q="Q3", op="any_row_in", value=("3",), rows=("row-1",)), {"Q3": {"row-1": "3"}}, {"Q3": {"row~/2": "3"}}),
        (Rule(q="Q9", op="answered"), {"Q9": "text"}, {"Q1": "yes"}),
        (Rule(q="Q5", op="answered"), {"Q5": 0}, {}),
        (Rule(q="keen", op="derived", value=("1",)), {"Q1": "yes"}, {"Q1": "no"}),
        (Rule(q="keen", op="derived", value=("0",)), {"Q1": "no"}, {"Q1": "yes"}),
    ],
)
def test_each_operator(rule: Rule, holds: dict[str, Any], fails: dict[str, Any]) -> None:
    predicate = compiled(rule)
    assert predicate(given_answers(**holds)) is True
    assert predicate(given_answers(**fails)) is False
    assert compiled(Rule(not_=rule))(given_answers(**fails)) is True


@pytest.mark.parametrize(
    ("rule", "without"),
    [
        (Rule(q="Q1", op="in", value=("yes",)), False),
        (Rule(q="Q1", op="not_in", value=("yes",)), True),
        (Rule(q="Q2", op="any_in", value=("a",)), False),
        (Rule(q="Q3", op="any_row_in", value=("1",)), False),
        (Rule(q="Q3", op="answered"), False),
        (Rule(q="keen", op="derived", value=("1",)), False),
        (Rule(q="keen", op="derived", value=("0",)), True),
    ],
)
def test_where_there_is_no_answer(rule: Rule, without: bool) -> None:
    assert compiled(rule)(given_answers()) is without


_RULES = st.recursive(
    st.one_of(
        st.builds(lambda values: Rule(q="Q1", op="in", value=tuple(values)), st.lists(st.sampled_from(["yes", "no", "dk"]), min_size=1)),
        st.builds(lambda values: Rule(q="Q2", op="any_in", value=tuple(values)), st.lists(st.sampled_from("abc"), min_size=1)),
        st.just(Rule(q="Q5", op="answered")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: Rule(all=tuple(rules))),
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: Rule(any=tuple(rules))),
        inner.map(lambda rule: Rule(not_=rule)),
    ),
    max_leaves=8,
)


@given(st.lists(_RULES, min_size=1, max_size=4), good_answers())
def test_not_all_is_any_not(rules: list[Rule], answers: dict[str, Any]) -> None:
    struct = given_answers(**answers)
    not_all = compiled(Rule(not_=Rule(all=tuple(rules))))
    any_not = compiled(Rule(any=tuple(Rule(not_=rule) for rule in rules)))
    assert not_all(struct) == any_not(struct)


def test_a_rule_about_something_unknown_does_not_compile() -> None:
    for rule in (
        Rule(q="Q99", op="in", value=("a",)),
        Rule(q="nobody", op="derived", value=("1",)),
        Rule(),
        Rule(q="Q1"),
        Rule(q="Q1", op="any_row_in", value=("a",)),
    ):
        with pytest.raises(KeyError):
            compiled(rule)


def test_derived_variables_may_build_on_each_other() -> None:
    derived = DERIVED | {"keener": Derived("keener", Rule(all=(Rule(q="keen", op="derived", value=("1",)), Rule(q="Q5", op="answered"))))}
    predicate = compile_rule(Rule(q="keener", op="derived", value=("1",)), READER.questions, derived)
    assert predicate(given_answers(Q1="yes", Q5=1))
    assert not predicate(given_answers(Q1="yes"))
