"""Numbers or dates of simulated respondents: most small, some large, all within the question's bounds."""

from __future__ import annotations

import datetime
import math
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate
from random import Random

from proto.instrument import Date, Integer, Numeric

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


def dated(question: Date, today: str) -> Callable[[Random, int], str]:
    first = _day(question.min)
    last = _day(today if question.max == "today" else question.max)
    span = max((last - first).days, 0)
    length = 7 if question.precision == "month" else 10
    power = math.log(1 - RECENT) / math.log(0.5)

    def draw(random: Random, kind: int) -> str:
        return (first + datetime.timedelta(days=int(span * random.random() ** power))).isoformat()[:length]

    return draw


def _spans(question: Integer | Numeric) -> list[tuple[float, float]]:
    low, high = float(question.min), float(question.max)
    bands = [
        (max(band.lower, low), min(high, band.upper if band.upper is not None else max(4.0 * band.lower, band.lower + 1.0)))
        for band in question.bands
        if band.lower <= high and (band.upper is None or band.upper >= low)
    ]
    return bands or [(low, high)]


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
