"""Tests that compare: numbers, dates and numbers of choices with values, or the answers to two questions with each other. Pure.

A comparison with an absent answer is false, and so is one with a code that stands in place of a number or a date.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from proto.instrument import Date, Multiple, Number, Question, Rule

Measure = float | str
"""A number, or a date as it is answered."""

WITH_VALUES = ("at_least", "at_most", "between")
WITH_ANSWERS = ("same_as", "before")
COMPARING = (*WITH_VALUES, *WITH_ANSWERS)

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")


def is_date(text: str) -> bool:
    """Whether a text has the form of a year, a month or a day."""
    return _DATE.fullmatch(text) is not None


def measure_of(question: Question) -> Callable[[Any], Measure | None]:
    """Returns a function from an answer to what is compared of it; None where that is nothing. Raises KeyError for a question of which
    nothing can be compared."""
    if isinstance(question, Number):
        return lambda value: value if isinstance(value, int | float) else None
    if isinstance(question, Date):
        return lambda value: value if isinstance(value, str) and is_date(value) else None
    if isinstance(question, Multiple):
        return lambda value: None if value is UNSET else len(value)
    raise KeyError(question.id)


def within(rule: Rule) -> Callable[[Measure | None], bool]:
    """Returns whether a measure is at least, at most, or between the values of the rule, both ends included."""
    least = None if rule.op == "at_most" else rule.value[0]
    most = None if rule.op == "at_least" else rule.value[-1]

    def holds(measure: Measure | None) -> bool:
        return (least is None or order(measure, least) in (0, 1)) and (most is None or order(measure, most) in (0, -1))

    return holds


def agree(op: str | None) -> Callable[[Measure | None, Measure | None], bool]:
    """Returns whether two measures are the same, or the first is before (lower than) the second."""
    wanted = -1 if op == "before" else 0
    return lambda one, other: order(one, other) == wanted


def order(one: Measure | None, other: Measure | None) -> int | None:
    """Returns -1, 0 or 1 where one is lower than, the same as, or higher than the other; None where they cannot be compared.

    Dates are compared by what both tell: a day with a month by the month.
    """
    if isinstance(one, str) and isinstance(other, str):
        one, other = one[: len(other)], other[: len(one)]
        return int(one > other) - int(one < other)
    if one is None or other is None or isinstance(one, str) or isinstance(other, str):
        return None
    return int(one > other) - int(one < other)
