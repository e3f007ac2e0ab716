"""The discrete Gaussian distribution, drawn by inversion: whole numbers x with a probability in proportion to exp(-x² / 2 s). Pure.

A table holds the cumulative probabilities as whole numbers of 128 bits, worked out in fixed-point arithmetic of 256 bits, so that every
machine has the same and no floating-point number decides anything; 128 random bits are one number. What is drawn is then nowhere farther
than 2⁻¹⁰⁰ (in total variation, tails included) from the distribution of C. L. Canonne, G. Kamath, T. Steinke, The discrete Gaussian for
differential privacy, NeurIPS 2020, which over all counts of a survey adds less than 2⁻⁵⁰ to delta. Their sampler is exact, but takes an
unknown number of random bits; here one block of a cipher is to be one number. For inversion see C. Peikert, An efficient and parallel
Gaussian sampler for lattices, CRYPTO 2010.
"""

from __future__ import annotations

import decimal
from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

BITS = 128
_FIXED = 256
_LEAST = 1 << _FIXED - 144
"""Weights below, of 2⁻¹⁴⁴ of the largest, are left out: farther than about 14 standard deviations."""
_EXACTLY = decimal.Context(prec=100)


class DiscreteGaussian:
    """`variance`: s, above 0."""

    def __init__(self, variance: Fraction) -> None:
        if variance <= 0:
            raise ValueError("noise without a variance is none")
        weights = _weights(variance)
        self.most = len(weights) - 1
        both = [*reversed(weights[1:]), *weights]
        whole = sum(both)
        self.table = [(sum_ << BITS) // whole for sum_ in accumulate(both[:-1])]
        """Cumulative probabilities of -most, … most - 1."""
        self._high = np.array([least >> 64 for least in self.table], np.uint64)

    def drawn(self, words: NDArray[np.uint64]) -> NDArray[np.int64]:
        """One number for each pair of random words, of which the first is the more significant. Shape of `words`: (numbers, 2)."""
        first = words[:, 0]
        place = np.searchsorted(self._high, first, side="right")
        for unclear in np.flatnonzero(np.searchsorted(self._high, first, side="left") != place):  # one word does not decide
            place[unclear] = bisect_right(self.table, int(words[unclear, 0]) << 64 | int(words[unclear, 1]))
        return place - self.most


@lru_cache(maxsize=64)
def discrete_gaussian(variance: Fraction) -> DiscreteGaussian:
    return DiscreteGaussian(variance)


def _weights(variance: Fraction) -> list[int]:
    """exp(-x² / 2 s) for x = 0, 1, … in fixed point. Each is the one before times exp(-(2x - 1) / 2 s)."""
    weights, factor, step = [1 << _FIXED], _exp(-1 / (2 * variance)), _exp(-1 / variance)
    while (weight := weights[-1] * factor >> _FIXED) >= _LEAST:
        weights.append(weight)
        factor = factor * step >> _FIXED
    return weights


def _exp(exponent: Fraction) -> int:
    power = _EXACTLY.divide(decimal.Decimal(exponent.numerator), decimal.Decimal(exponent.denominator))
    return int(_EXACTLY.multiply(_EXACTLY.exp(power), decimal.Decimal(1 << _FIXED)))
