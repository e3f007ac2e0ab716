"""The perturbation table keeps its limits for every count, and is as uncertain as they allow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cell_key_perturbation.create_perturbed_table import create_perturbed_table
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from services.analysis import perturb, ptable

limits = st.integers(3, 20).flatmap(lambda most: st.tuples(st.just(most), st.floats(2.02, most - 0.02)))


@settings(max_examples=25, deadline=None)
@given(limits)
def test_noise_is_bounded_right_on_average_and_never_shows_one_or_two(limit: tuple[int, float]) -> None:
    most, variance = limit
    noise = ptable.table.__wrapped__(most, variance).astype(int)
    shown = noise + np.arange(len(noise))[:, None]
    assert np.abs(noise).max() <= most
    assert (noise.sum(axis=1) == 0).all(), "exactly, for every count"
    assert (noise[0] == 0).all()
    assert not np.isin(shown, (1, 2)).any()
    assert shown.min() == 0
    assert noise[1:].var(axis=1) == pytest.approx(variance, abs=0.01 * most**2 / 4)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8])
def test_no_other_noise_within_the_limits_is_less_certain(count: int) -> None:
    noise, p = ptable.distribution(count, 5, 3.0)

    def entropy(q: np.ndarray) -> float:
        return float((q * np.log(np.maximum(q, 1e-300))).sum())

    keeps = [{"type": "eq", "fun": lambda q, f=f, v=v: f @ q - v} for f, v in ((np.ones(len(noise)), 1), (noise, 0), (noise**2, 3.0))]
    found = minimize(entropy, p + 0.001, bounds=[(1e-9, 1)] * len(p), constraints=keeps, method="SLSQP", options={"ftol": 1e-12})
    assert found.x == pytest.approx(p, abs=2e-3)
    assert entropy(p) <= found.fun + 1e-6


@pytest.mark.parametrize(("most", "variance"), [(5, 2.0), (5, 5.0), (5, 7.0), (5, 0.0)])
def test_impossible_limits_are_refused(most: int, variance: float) -> None:
    with pytest.raises(ValueError, match="variance"):
        ptable.table(most, variance)


def test_the_office_for_national_statistics_draws_the_same_noise_from_our_table() -> None:
    """Their package `cell-key-perturbation`, given our table and record keys, makes the same table of two variables."""
    keys = 256
    noise = ptable.table(5, 3.0, keys)
    theirs = pd.DataFrame(
        {
            "pcv": np.repeat(np.arange(1, 751), keys),
            "ckey": np.tile(np.arange(keys), 750),
            "pvalue": noise[np.minimum(np.arange(1, 751), len(noise) - 1)].ravel(),
        }
    )
    draw = np.random.default_rng(3)
    people = pd.DataFrame(
        {"a": draw.choice(list("uvwx"), 400, p=[0.6, 0.3, 0.09, 0.01]), "b": draw.choice(list("mno"), 400, p=[0.9, 0.08, 0.02])}
    )
    people["record_key"] = draw.integers(0, keys, 400)
    found = create_perturbed_table(people, theirs, [], ["a", "b"], "record_key", threshold=0).set_index(["a", "b"])
    x = pd.get_dummies(people[["a", "b"]]).to_numpy(np.float64)
    sums = x.T @ (x * people["record_key"].to_numpy()[:, None])
    ours = perturb.perturb((x.T @ x).astype(np.int64), (perturb.cell_keys(sums) % keys).astype(np.uint16), noise)
    names = pd.get_dummies(people[["a", "b"]]).columns
    for (a, b), line in found.iterrows():
        assert line["count"] == ours[names.get_loc(f"a_{a}"), names.get_loc(f"b_{b}")]
    assert (found["pvalue"] != 0).any()
