"""The privacy accountant: converts a promised (epsilon, delta) to the noise that it takes. Pure.

Claim. Take any respondent, whose whole history (sending, changing, withdrawing, sending anew, as often as they like) is one unit. All
that is ever published of a survey is (epsilon, delta)-indistinguishable from what would be published had this respondent left no answer,
*given the number of respondents and the moments of editions*, which are exact and outside of the guarantee (zero-out neighbours; P. Kairouz
et al., Practical and private (deep) learning without sampling or shuffling, ICML 2021). Between two histories of the same respondent rho
is twice as large, as both are one step from none: `Guarantee.of_other_answers` is the epsilon of that.

Proof. 1. *Sensitivity.* At an edition H histograms are published, in each of which everybody is in exactly one cell; whoever leaves no
answer is in none. So the counts of one edition, as one vector of integers, differ by at most H ones, whatever the history was before: each
edition is counted from the answers that stand at that moment. 2. *One edition.* With independent discrete Gaussian noise of variance s on
each count it is H / (2 s)-zCDP (C. L. Canonne, G. Kamath, T. Steinke, The discrete Gaussian for differential privacy, NeurIPS 2020, theorem
4; added up over the cells). 3. *Composition.* T editions with fresh noise are T H / (2 s)-zCDP, also where later ones hang on what was
published (M. Bun, T. Steinke, Concentrated differential privacy, TCC 2016, lemma 2.3): with s = T H / (2 rho), rho. A version of a
questionnaire with more histograms has more noise and spends rho / T an edition all the same. 4. *Post-processing.* Moving onto the number
of respondents and onto margins, clipping, rounding, shares, intervals, and withholding by published counts use noisy counts and that number
alone. 5. rho-zCDP is (epsilon, delta)-DP with the delta of `delta_of` (Canonne, Kamath, Steinke, corollary 13).

Assumes that an edition's number never comes again with other counts or another variance, and that AES-256 under the secret key cannot be
told from chance: noise is drawn from it, so the guarantee is computational. Does not cover releases of single answers, the exact view of
organisers, nor what the number of respondents gives away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

STEPS = 100
"""Halvings of an interval, more than floating-point numbers can tell apart."""
UNIT = 10**9
"""rho is a whole number of billionths: rounded down, and the same on every machine."""


def delta_of(rho: float, epsilon: float) -> float:
    """The least delta for which a rho-zCDP mechanism is known to be (epsilon, delta)-DP: the minimum over a > 1 of
    exp((a - 1)(a rho - epsilon)) / (a - 1) · (1 - 1/a)^a. Its logarithm is convex in a."""
    if rho <= 0:
        return 0.0

    def log_delta(a: float) -> float:
        return (a - 1) * (a * rho - epsilon) - math.log(a - 1) + a * math.log1p(-1 / a)

    def slope(a: float) -> float:
        return (2 * a - 1) * rho - epsilon + math.log1p(-1 / a)

    low, high = 1.0, 2.0
    while slope(high) < 0:
        low, high = high, 2 * high
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if middle <= 1 or slope(middle) < 0 else (low, middle)
    return math.exp(min(log_delta(high), 0.0))


@lru_cache(maxsize=256)
def epsilon_of(rho: float, delta: float) -> float:
    """The least epsilon, up to rounding, for which rho-zCDP is known to be (epsilon, delta)-DP."""
    low, high = 0.0, rho + 2 * math.sqrt(rho * math.log(1 / delta))
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if delta_of(rho, middle) <= delta else (middle, high)
    return high


@lru_cache(maxsize=256)
def rho_of(epsilon: float, delta: float) -> Fraction:
    """The greatest rho, rounded down, for which rho-zCDP is (epsilon, delta)-DP."""
    low, high = 0.0, epsilon
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return Fraction(math.floor(low * UNIT), UNIT)


@dataclass(frozen=True)
class Guarantee:
    """(epsilon, delta) over the life of a survey. `editions`: how many there are at most. `histograms`: published at each."""

    epsilon: float
    delta: float
    editions: int
    histograms: int

    @cached_property
    def rho(self) -> Fraction:
        return rho_of(self.epsilon, self.delta)

    @cached_property
    def variance(self) -> Fraction:
        """Of the discrete Gaussian noise on each count."""
        return self.histograms * self.editions / (2 * self.rho)

    def spent(self, editions: int) -> float:
        """The epsilon, at the same delta, of so many editions."""
        return epsilon_of(float(self.rho) * editions / self.editions, self.delta) if editions else 0.0

    @property
    def of_other_answers(self) -> float:
        """The epsilon, at the same delta, between two histories of one respondent."""
        return epsilon_of(2 * float(self.rho), self.delta)
