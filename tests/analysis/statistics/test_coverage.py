"""Noise costs readers what is told (`python -m tests.analysis.measured`): published intervals hold as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.analysis.disclosure.accuracy import spreads_of
from services.analysis.disclosure.noise import Noise, names_of
from services.analysis.disclosure.parameters import INVITED, OPEN, Parameters
from services.analysis.disclosure.publication import Blocks, Publication
from tests.analysis.measured import measure


@pytest.mark.slow
@pytest.mark.parametrize(("n", "error"), [(100, 2.8), (300, 1.3)])
def test_published_intervals_hold_the_share_of_the_population_and_are_not_much_wider_than_sampling_alone(n: int, error: float) -> None:
    found = measure(n, 8)
    single, row = found["single"], found["row"]
    assert len(single) > 150
    assert single[:, 3].mean() > 0.9
    assert row[:, 3].mean() > 0.9
    assert single[:, 0].mean() < error
    assert single[:, 1].sum() / single[:, 2].sum() < 1.4
    assert row[:, 1].sum() / row[:, 2].sum() < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("parameters", [OPEN, INVITED])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_variance_of_a_share_is_what_many_keys_show(parameters: Parameters, seed: int) -> None:
    """Of a block of five cells, two of them of who did not answer: the formula of `accuracy` against brute force."""
    draw = np.random.default_rng(seed)
    counts = np.array([*draw.multinomial(360, [0.4, 0.35, 0.25]), 40, 45]) + 20
    absent = np.array([False, False, False, True, True])
    blocks = Blocks(names_of(range(5)), np.array([5]), np.array([False]), absent=absent)
    engines = [Publication(blocks, parameters, Noise(b"%032d" % key, "a")) for key in range(600)]
    found = np.array([engine.singles(1, counts) for engine in engines])
    n, p = int(counts.sum()), counts[0] / counts[:3].sum()
    off = found[:, 0] - p * (n - found[:, 3] - found[:, 4])
    variances = np.array([parameters.answers.variance(n)] * 3 + [parameters.absent.variance(n)] * 2)
    weights = np.array([1, 0, 0, p, p])
    variance = float(variances @ (weights - weights.mean()) ** 2)
    assert off.var() == pytest.approx(variance, rel=0.3)
    assert float(spreads_of(engines[0], n).at(0).moved(1, 1, p)) == pytest.approx(variance)
