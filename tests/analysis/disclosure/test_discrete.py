"""Noise of the discrete Gaussian distribution: exact to what is said, and the same whenever and wherever it is asked for."""

from __future__ import annotations

import decimal
from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from services.analysis.disclosure.discrete import BITS, DiscreteGaussian
from services.analysis.disclosure.noise import Noise, NoisePart, names_of

KEY = b"a key of thirty-two bytes.......x"[:32]
VARIANCES = [Fraction(1, 3), Fraction(257, 11), Fraction(771_5, 10), Fraction(10**5, 7)]


@pytest.mark.parametrize("variance", VARIANCES)
def test_the_table_is_nowhere_farther_than_said_from_the_distribution(variance: Fraction) -> None:
    made, exactly = DiscreteGaussian(variance), decimal.Context(prec=80)
    half = exactly.divide(decimal.Decimal(-variance.denominator), decimal.Decimal(2 * variance.numerator))
    weights = [exactly.exp(exactly.multiply(half, decimal.Decimal(x * x))) for x in range(2 * made.most + 2)]
    with decimal.localcontext(exactly):
        whole = 2 * sum(weights, decimal.Decimal(0)) - 1
        masses = [after - before for before, after in pairwise([0, *made.table, 1 << BITS])]
        inside = zip(masses, range(-made.most, made.most + 1), strict=True)
        off: decimal.Decimal | int = sum(abs(decimal.Decimal(mass) / 2**BITS - weights[abs(x)] / whole) for mass, x in inside)
        outside = 2 * sum(weights[made.most + 1 :], decimal.Decimal(0)) / whole
        assert (off + outside) / 2 < decimal.Decimal(2) ** -100
    assert min(masses) >= 0


@pytest.mark.parametrize("variance", [Fraction(1, 2), Fraction(257, 11), Fraction(7715, 10)])
def test_what_is_drawn_has_the_distribution(variance: Fraction) -> None:
    drawn = Noise(KEY, "a").guaranteed(NoisePart.GUARANTEED, 1, variance, names_of(range(100_000)))
    x = np.arange(-200, 201)
    pmf = np.exp(-(x**2) / (2 * float(variance)))
    pmf /= pmf.sum()
    edges = np.searchsorted(np.cumsum(pmf), np.linspace(0, 1, 21)[1:-1])
    bins = np.unique(np.concatenate([[0], edges, [len(x)]]))
    expected = len(drawn) * np.add.reduceat(pmf, bins[:-1])
    found = np.array([((drawn >= x[start]) & (drawn <= x[end - 1])).sum() for start, end in pairwise(bins)])
    assert found.sum() == len(drawn)
    kept = expected > 5
    statistic = float(((found - expected)[kept] ** 2 / expected[kept]).sum())
    assert chi2.sf(statistic, kept.sum() - 1) > 1e-4
    assert drawn.var() == pytest.approx(float((pmf * x**2).sum()), rel=0.03)


@given(st.sampled_from(VARIANCES), st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), max_size=8), st.data())
def test_a_number_is_where_its_bits_lie_among_the_cumulative_probabilities(
    variance: Fraction, words: list[tuple[int, int]], data: st.DataObject
) -> None:
    made = DiscreteGaussian(variance)
    edges = data.draw(st.lists(st.sampled_from(made.table), max_size=8))
    bits = [high << 64 | low for high, low in words] + [
        edge + step for edge in edges for step in (-1, 0, 1) if 0 <= edge + step < 1 << BITS
    ]
    asked = np.array([(each >> 64, each & (2**64 - 1)) for each in bits], np.uint64).reshape(-1, 2)
    assert made.drawn(asked).tolist() == [bisect_right(made.table, each) - made.most for each in bits]


def test_noise_without_a_variance_is_refused() -> None:
    with pytest.raises(ValueError, match="variance"):
        DiscreteGaussian(Fraction(0))


def test_the_same_noise_comes_out_whenever_it_is_asked_for_and_another_for_anything_else() -> None:
    noise, names, variance = Noise(KEY, "a"), names_of(range(40)), Fraction(7715, 10)
    found = noise.guaranteed(NoisePart.GUARANTEED, 3, variance, names)
    assert found.dtype == np.int64
    assert (found == Noise(KEY, "a").guaranteed(NoisePart.GUARANTEED, 3, variance, names)).all()
    assert (found[::-1] == noise.guaranteed(NoisePart.GUARANTEED, 3, variance, names[::-1])).all(), (
        "it is the cell's, wherever the cell stands"
    )
    pairs = noise.guaranteed(NoisePart.TABLE_GUARANTEED, 3, variance, names, names_of("x" * 40))
    assert (pairs == noise.guaranteed(NoisePart.TABLE_GUARANTEED, 3, variance, names_of("x" * 40), names)).all(), (
        "turned round it is the same"
    )
    others = [
        Noise(KEY, "b").guaranteed(NoisePart.GUARANTEED, 3, variance, names),
        Noise(b"another key of 32 bytes.........", "a").guaranteed(NoisePart.GUARANTEED, 3, variance, names),
        noise.guaranteed(NoisePart.TABLE_GUARANTEED, 3, variance, names),
        noise.guaranteed(NoisePart.GUARANTEED, 4, variance, names),
        pairs,
    ]
    assert all((found == other).mean() < 0.3 for other in others)


def test_what_is_drawn_stays_the_same_in_every_release_of_platea() -> None:
    """Another draw for an edition that was shown would be one more than is paid for."""
    drawn = Noise(KEY, "a").guaranteed(NoisePart.GUARANTEED, 3, Fraction(7715, 10), names_of(range(8)))
    pairs = Noise(KEY, "a").guaranteed(NoisePart.TABLE_GUARANTEED, 3, Fraction(7715, 10), names_of(range(4)), names_of("abcd"))
    assert (drawn.tolist(), pairs.tolist()) == ([50, 3, -7, -21, -5, -39, 52, -12], [1, -26, -3, 4])


def test_noise_of_another_variance_is_no_scaled_one() -> None:
    """Else two publications of the same counts, of which one has more histograms, would give the counts away."""
    noise, names = Noise(KEY, "a"), names_of(range(4000))
    one, other = (noise.guaranteed(NoisePart.GUARANTEED, 1, Fraction(variance), names) for variance in (400, 401))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
