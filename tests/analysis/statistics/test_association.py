"""Chi-square and Cramér's V equal scipy on exact counts, and keep their promise on counts with noise."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from services.analysis.statistics.association import associate, chi_square_tail

NOISE = np.arange(-5, 6)
CHANCE = np.exp(-(NOISE**2) / 4.0) / np.exp(-(NOISE**2) / 4.0).sum()
VARIANCE = float((CHANCE * NOISE**2).sum())


def noisy(counts: Any, draw: np.random.Generator) -> Any:
    """Bounded noise that leaves zeros alone and shows no 1 and no 2."""
    shown = np.maximum(np.where(counts > 0, counts + draw.choice(NOISE, counts.shape, p=CHANCE), 0), 0)
    return np.where((shown == 1) | (shown == 2), np.where(draw.random(counts.shape) < shown / 3, 3, 0), shown)


tables = st.integers(2, 6).flatmap(
    lambda rows: st.integers(2, 6).flatmap(
        lambda columns: st.lists(st.lists(st.integers(0, 60), min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
)


@settings(max_examples=100, deadline=None)
@given(tables)
def test_exact_tables_equal_scipy(rows: list[list[int]]) -> None:
    counts = np.array(rows, float)
    kept = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    found = associate(counts)
    if min(kept.shape) < 2:
        assert found.reason == "empty"
        return
    oracle = chi2_contingency(kept, correction=False)
    assert (found.chi2, found.df) == pytest.approx((oracle.statistic, oracle.dof), abs=1e-9)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-9, abs=1e-14)
    n, (r, c) = kept.sum(), kept.shape
    phi2 = max(oracle.statistic / n - (r - 1) * (c - 1) / (n - 1), 0) if n > 1 else 0.0
    smaller = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1 if n > 1 else 0.0
    assert found.cramers_v == pytest.approx(min(np.sqrt(phi2 / smaller), 1) if smaller > 0 else 0.0, abs=1e-9)
    assert associate(counts.T).cramers_v == pytest.approx(found.cramers_v, abs=1e-9)


@given(st.floats(1e-3, 500), st.floats(0.5, 200))
def test_the_tail_of_chi_square_equals_scipy(x: float, df: float) -> None:
    assert chi_square_tail(x, df) == pytest.approx(chi2.sf(x, df), rel=1e-9, abs=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "n"), [((2, 2), 100), ((3, 4), 400), ((4, 5), 1000), ((6, 7), 1500)])
def test_noise_makes_no_association_out_of_nothing(shape: tuple[int, int], n: int) -> None:
    """The size of the test stays at 5 %, within the error of 1,500 simulated surveys; without the correction it does not."""
    draw = np.random.default_rng(shape[0])
    shares = np.outer(draw.dirichlet(np.full(shape[0], 20)), draw.dirichlet(np.full(shape[1], 20)))
    found = [associate(noisy(draw.multinomial(n, shares.ravel()).reshape(shape), draw), VARIANCE) for _ in range(1500)]
    tested = [association.p for association in found if association.p is not None]
    assert len(tested) > 500
    error = np.sqrt(0.05 * 0.95 / len(tested))
    assert np.mean(np.array(tested) < 0.05) < 0.05 + 2.5 * error
    assert np.mean([association.cramers_v for association in found]) < 0.06


def test_without_the_correction_noise_looks_like_an_association() -> None:
    draw = np.random.default_rng(1)
    shares = np.full(42, 1 / 42)
    p = [associate(noisy(draw.multinomial(600, shares).reshape(6, 7), draw)).p for _ in range(300)]
    assert np.mean(np.array(p) < 0.05) > 0.1


@pytest.mark.parametrize("strength", [0.15, 0.3, 0.6])
def test_cramers_v_of_noisy_counts_is_nearly_unbiased(strength: float) -> None:
    draw = np.random.default_rng(7)
    shares = (1 - strength) / 16 + strength * np.eye(4) / 4
    true = np.sqrt(((shares - 1 / 16) ** 2 * 16).sum() / 3)
    found = [associate(noisy(draw.multinomial(500, shares.ravel()).reshape(4, 4), draw), VARIANCE).cramers_v for _ in range(600)]
    assert np.mean([v for v in found if v is not None]) == pytest.approx(true, abs=0.012)


def test_a_sparse_table_with_noise_has_no_p() -> None:
    sparse = np.array([[9.0, 4.0], [3.0, 6.0]])
    assert associate(sparse).p is not None
    found = associate(sparse, 2.0)
    assert found.sparse
    assert found.p is None
