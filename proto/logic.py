"""Compiles the rules of an instrument to functions of decoded answers. Pure.

Answers are the Struct that `proto.answers` builds: one attribute per question, UNSET where there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from proto.comparisons import COMPARING, WITH_VALUES, agree, measure_of, within
from proto.instrument import Derived, Matrix, Question, Rule

Predicate = Callable[[Any], bool]


def row_attribute(index: int) -> str:
    """Row codes need not be Python names, so the rows of a matrix are attributes r0, r1, …"""
    return f"r{index}"


def compile_rule(rule: Rule, questions: Mapping[str, Question], derived: Mapping[str, Derived]) -> Predicate:
    """The rule as a function. `not_in` also holds where there is no answer; a comparison does not. Raises KeyError on an unknown name."""
    if rule.all:
        parts = [compile_rule(part, questions, derived) for part in rule.all]
        return lambda answers: all(part(answers) for part in parts)
    if rule.any:
        parts = [compile_rule(part, questions, derived) for part in rule.any]
        return lambda answers: any(part(answers) for part in parts)
    if rule.not_ is not None:
        inner = compile_rule(rule.not_, questions, derived)
        return lambda answers: not inner(answers)
    if rule.q is None:
        raise KeyError("q")
    return _test(rule.q, rule, questions, derived)


def _test(name: str, rule: Rule, questions: Mapping[str, Question], derived: Mapping[str, Derived]) -> Predicate:
    values = frozenset(rule.value)
    if rule.op == "derived":
        inner = compile_rule(derived[name].rule, questions, derived)
        holds, fails = "1" in values, "0" in values
        return lambda answers: holds if inner(answers) else fails
    question = questions[name]
    if rule.op in COMPARING:
        return _comparison(name, rule, questions)
    match rule.op:
        case "in":
            return lambda answers: getattr(answers, name) in values
        case "not_in":
            return lambda answers: getattr(answers, name) not in values
        case "any_in":
            return lambda answers: (given := getattr(answers, name)) is not UNSET and not values.isdisjoint(given)
        case "answered":
            return lambda answers: getattr(answers, name) is not UNSET
        case "any_row_in" if isinstance(question, Matrix):
            attributes = [row_attribute(i) for i, row in enumerate(question.rows) if not rule.rows or row.code in rule.rows]
            if not attributes:
                raise KeyError(rule.rows[0])
            rows: Callable[[Any], Any] = attrgetter(*attributes, attributes[0])  # with a second name it always gives a tuple
            return lambda answers: (given := getattr(answers, name)) is not UNSET and not values.isdisjoint(rows(given))
        case _:
            raise KeyError(name)


def _comparison(name: str, rule: Rule, questions: Mapping[str, Question]) -> Predicate:
    measure = measure_of(questions[name])
    if rule.op in WITH_VALUES:
        holds = within(rule)
        return lambda answers: holds(measure(getattr(answers, name)))
    other = questions[rule.other or ""].id
    measure_other, holds_of_both = measure_of(questions[other]), agree(rule.op)
    return lambda answers: holds_of_both(measure(getattr(answers, name)), measure_other(getattr(answers, other)))


def questions_in(rule: Rule | None, derived: Mapping[str, Rule], depth: int = 0) -> Iterator[str]:
    """The questions that a rule speaks of, also through derived variables, one as often as it is named. A circle of these has an end."""
    if rule is None:
        return
    for part in (*rule.all, *rule.any, rule.not_):
        yield from questions_in(part, derived, depth)
    if rule.op == "derived" and rule.q is not None and rule.q in derived and depth < len(derived):
        yield from questions_in(derived[rule.q], derived, depth + 1)
    else:
        yield from (name for name in (rule.q, rule.other) if name is not None)
