"""95 % intervals: of a share, of the mean of a scale, of the net agreement. Counts may be effective ones, and need not be whole. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""The 97.5 % point of the standard normal distribution: two-sided 95 %."""

Interval = tuple[float, float]
Counts = NDArray[np.float64]


def wilson(n: Counts, answered: Counts, noise: Counts | float = 0.0) -> tuple[Counts, Counts]:
    """95 % score interval of n out of `answered`; NaN where nobody answered. It never leaves [0, 1]. `noise`: the variance by which the
    count is off; it goes into the width as a sum of squares.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = n / answered
        spread = Z * Z / answered
        centre = (share + spread / 2) / (1 + spread)
        half = Z * np.sqrt(share * (1 - share) / answered + spread / (4 * answered)) / (1 + spread)
        half = np.hypot(half, Z * np.sqrt(noise) / answered)
    low = np.where(n == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(n == answered, 1.0, np.minimum(centre + half, 1.0))
    nobody = answered == 0
    return np.where(nobody, np.nan, low), np.where(nobody, np.nan, high)


def of_share(share: float, of: float, noise: float = 0.0) -> Interval:
    """The same of one share of so many; from 0 to 1 where there are none."""
    if of <= 0:
        return 0.0, 1.0
    low, high = wilson(np.array(min(max(share, 0.0), 1.0) * of), np.array(float(of)), noise)
    return float(low), float(high)


def student(df: float) -> float:
    """The 97.5 % point of Student's t: 0.03 % too low at 4 degrees of freedom, exact to five digits from 9 on, never above it.

    Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.5, at Z.
    """
    return Z + (2.3722712282 + (2.8224985778 + (2.5558497001 + 1.5895341289 / df) / df) / df) / df


def of_mean(counts: Sequence[float], scores: Sequence[int], noise: float = 0.0) -> Interval | None:
    """Of the mean of a scale: `counts[i]` answers are worth `scores[i]`, which ascend. Student's; None below two answers; kept on
    the scale. `noise`: the variance by which the sum of what answers are worth is off."""
    n = sum(counts)
    if n < 2:
        return None
    mean = sum(score * count for score, count in zip(scores, counts, strict=True)) / n
    variance = sum(count * (score - mean) ** 2 for score, count in zip(scores, counts, strict=True)) / (n - 1)
    half = hypot(student(n - 1) * sqrt(variance / n), Z * sqrt(noise) / n)
    return max(mean - half, float(scores[0])), min(mean + half, float(scores[-1]))


def of_net(above: float, below: float, n: float, noise: float = 0.0) -> Interval:
    """Of (above - below) / n, two shares of the same answers; not a point even where all agree. Kept within [-1, 1]. `noise`: the
    variance by which above - below is off.

    D. G. Bonett and R. M. Price, Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data, Journal of Educational and Behavioral Statistics 37 (2012).
    """
    one, other, m = (above + 1) / (n + 2), (below + 1) / (n + 2), n + 2
    half = Z * hypot(sqrt((one + other - (one - other) ** 2) / m), sqrt(noise) / n)
    return max(one - other - half, -1.0), min(one - other + half, 1.0)
