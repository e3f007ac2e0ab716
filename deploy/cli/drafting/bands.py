"""Bands for numbers that nobody has banded yet: round steps, or powers of ten where a few answers are much larger than the rest. Pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import msgspec

MOST_BANDS = 10


class Bands(msgspec.Struct, frozen=True):
    """As they are written in an instrument: bounds and bands as text, without gap or overlap."""

    least: str
    greatest: str
    decimals: int
    texts: tuple[str, ...]


def bands(values: list[float], decimals: int) -> Bands:
    """Covers every value. Works on whole numbers of the smallest step, so that nothing is lost to rounding."""
    unit = 10**decimals
    whole = sorted(round(value * unit) for value in values)
    least, greatest = whole[0], whole[-1]
    if least >= 0 and greatest > 20 * max(unit, median(whole)):
        starts = [0, unit]
        while starts[-1] * 10 <= greatest:
            starts.append(starts[-1] * 10)
        end = starts[-1] * 10
    else:
        step = _step(greatest - least)
        starts = list(range(least // step * step, greatest + 1, step))
        end = starts[-1] + step
    texts = [_band(one, other - 1, decimals) for one, other in pairwise([*starts, end])]
    return Bands(_number(starts[0], decimals), _number(end - 1, decimals), decimals, tuple(texts))


def _step(width: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that needs no more than `MOST_BANDS` bands."""
    step, factors = 1, (2, 5, 10)
    for power in range(20):
        for factor in (1, *factors[:2]):
            step = factor * 10**power
            if width // step + 2 <= MOST_BANDS:
                return step
    return step


def _band(one: int, other: int, decimals: int) -> str:
    return _number(one, decimals) if one == other else f"{_number(one, decimals)}-{_number(other, decimals)}"


def _number(whole: int, decimals: int) -> str:
    if decimals == 0:
        return str(whole)
    sign, digits = ("-" if whole < 0 else ""), str(abs(whole)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")
