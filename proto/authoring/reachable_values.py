"""Is there an answer that lies within some bounds and outside others? Of numbers, dates, numbers of choices. Pure.

Answers come in steps, so they are looked at as whole numbers: of steps, of days, months or years, of choices. What is allowed is made of
intervals; if any answer is allowed, then one at an end of an interval or next to one.
"""

from __future__ import annotations

import datetime
import math
from fractions import Fraction

from proto.comparisons import order
from proto.instrument import Date, Integer, Multiple, Numeric, Rule

Bound = tuple[Rule, bool]
"""A comparison with values, and whether it must hold or must not."""
Compared = Integer | Numeric | Date | Multiple


def can_lie(question: Compared, bounds: tuple[Bound, ...], most_choices: int | None = None) -> bool:
    """Whether one number, date or number of choices meets all bounds. `most_choices`: how many options of a multiple choice are left."""
    first, last = _ends(question)
    last = last if most_choices is None else min(last, most_choices)
    intervals = [(_interval(question, rule), expected) for rule, expected in bounds]
    ends = {first, last}
    for (low, high), _ in intervals:
        ends |= {low - 1, low, high, high + 1}
    return any(all((low <= end <= high) == expected for (low, high), expected in intervals) for end in ends if first <= end <= last)


def can_agree(op: str | None, one: Compared, other: Compared) -> bool:
    """Whether two questions can have answers of which one is before (lower than) the other, or the same."""
    (least, most), (least_other, most_other) = _written(one), _written(other)
    if op == "before":
        return order(least, most_other) in (-1, None)
    return order(least, most_other) in (-1, 0, None) and order(least_other, most) in (-1, 0, None)


def _written(question: Compared) -> tuple[float | str, float | str]:
    match question:
        case Multiple():
            return question.min_choices, question.max_choices or len(question.options)
        case Date():
            return question.min, "9999-12-31" if question.max == "today" else question.max
        case Integer() | Numeric():
            return question.min, question.max


def _ends(question: Compared) -> tuple[int, int]:
    least, most = _written(question)
    return _step(question, least, up=True), _step(question, most, up=False)


def _interval(question: Compared, rule: Rule) -> tuple[int, int]:
    first, last = _ends(question)
    low = first if rule.op == "at_most" else _step(question, rule.value[0], up=True)
    high = last if rule.op == "at_least" else _step(question, rule.value[-1], up=False)
    return low, high


def _step(question: Compared, value: float | str, *, up: bool) -> int:
    """The first step that is not lower than the value, or the last that is not higher."""
    if isinstance(question, Date):
        return _day(question.precision, str(value), end=not up)
    scaled = Fraction(str(value)) * 10 ** (question.decimals if isinstance(question, Numeric) else 0)
    return math.ceil(scaled) if up else math.floor(scaled)


def _day(precision: str, date: str, *, end: bool) -> int:
    """The first or last day (month, year) of a date that may tell less."""
    year, month, day = int(date[:4]), int(date[5:7] or (12 if end else 1)), date[8:]
    if precision == "year":
        return year
    if precision == "month":
        return year * 12 + month
    if day or not end:
        return datetime.date(year, month, int(day or 1)).toordinal()
    return (
        datetime.date.max.toordinal()
        if (year, month) == (9999, 12)
        else datetime.date(year + month // 12, month % 12 + 1, 1).toordinal() - 1
    )
