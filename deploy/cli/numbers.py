"""Numbers or dates of simulated respondents: most small, some large, all within the question's bounds."""

from __future__ import annotations

import datetime
import math
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import Any

from proto.instrument import BIGGEST, ConstantSum, Date, Integer, Measured, Numeric
from proto.logic import row_attribute

SPECIAL = 0.08
"""How often a special value is chosen where there are some."""
RECENT = 0.35
"""Dates crowd towards the end of what is possible: the share of the whole span within which half of them lie."""


def drawn(question: Integer | Numeric, shifts: list[float]) -> Callable[[Random, int], int | float]:
    """A band by its place (`shifts[class]` moves it up or down), then a number within; without bands, over orders of magnitude."""
    spans = _spans(question)
    sums = [
        list(accumulate(math.exp(-0.5 * (place - middle) ** 2 / 2) for place in range(len(spans))))
        for middle in _middles(shifts, len(spans))
    ]
    decimals = question.decimals if isinstance(question, Numeric) else 0
    lowest, highest = question.min, question.max

    def draw(random: Random, kind: int) -> int | float:
        lower, upper = spans[bisect(sums[kind], random.random() * sums[kind][-1])]
        value = _between(random, lower, upper)
        rounded = round(value, decimals) if decimals else round(value)
        return rounded if lowest <= rounded <= highest else _inside(lowest, highest, decimals)

    return draw


def shared_out(question: ConstantSum, kind: Callable[..., Any]) -> Callable[[Random, int], Any]:
    """Some rows get nothing, the others parts of the total of any size; the earlier rows rather more. `kind`: the type of an answer."""

    def draw(random: Random, _: int) -> Any:
        weights = [random.random() ** 2 / (at + 2) if random.random() < 0.8 else 0.0 for at in range(len(question.rows))]
        whole = sum(weights)
        shares = [int(question.total * weight / whole) if whole else 0 for weight in weights]
        shares[weights.index(max(weights))] += question.total - sum(shares)
        return kind(**{row_attribute(at): share for at, share in enumerate(shares)})

    return draw


def dated(question: Date, today: str) -> Callable[[Random, int], str]:
    first = _day(question.min)
    last = _day(today if question.max == "today" else question.max)
    span = max((last - first).days, 0)
    power = math.log(1 - RECENT) / math.log(0.5)

    def draw(random: Random, kind: int) -> str:
        return (first + datetime.timedelta(days=int(span * random.random() ** power))).isoformat()[: question.length]

    return draw


def with_special(question: Measured, draw: Callable[[Random, int], Any]) -> Callable[[Random, int], Any]:
    """Now and then one of the special values in place of a number or date."""
    codes = [option.code for option in question.special]
    if not codes:
        return draw
    return lambda random, kind: random.choice(codes) if random.random() < SPECIAL else draw(random, kind)


def _spans(question: Integer | Numeric) -> list[tuple[float, float]]:
    low, high = _plausible(question)
    bands = [
        (max(band.lower, low), min(high, band.upper if band.upper is not None else max(4.0 * band.lower, band.lower + 1.0)))
        for band in question.bands
        if band.lower <= high and (band.upper is None or band.upper >= low)
    ]
    return bands or [(low, high)]


def _plausible(question: Integer | Numeric) -> tuple[float, float]:
    """The bounds; of a number that may be any, from 0 to a thousand, or as near to that as the other bound allows."""
    low, high = float(question.min), float(question.max)
    if high == BIGGEST:
        high = max(low, 0.0) + 1_000
    return (min(high, 0.0) if low == -BIGGEST else low), high


def _middles(shifts: list[float], count: int) -> list[float]:
    """The most likely band of each class: somewhat below the middle, so that large numbers stay rare."""
    return [min(max((count - 1) * (0.4 + 0.3 * shift), 0.0), count - 1.0) for shift in shifts]


def _between(random: Random, lower: float, upper: float) -> float:
    if lower >= 0 and upper > 20 * (lower + 1):
        return math.expm1(random.uniform(math.log1p(lower), math.log1p(upper)))
    return random.uniform(lower, upper)


def _inside(lowest: float, highest: float, decimals: int) -> int | float:
    """The smallest number with these decimals that is not below the bound."""
    scale = 10**decimals
    value = math.ceil(lowest * scale) / scale
    return int(value) if decimals == 0 else min(value, highest)


def _day(text: str) -> datetime.date:
    parts = (text + "-01-01").split("-")[:3]
    return datetime.date.fromisoformat("-".join(parts))
