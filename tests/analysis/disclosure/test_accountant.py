"""The accountant of the guarantee against oracles: known figures, the exact Gaussian mechanism, brute force over histories."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import ndtr

from services.analysis.disclosure.accountant import Guarantee, delta_of, epsilon_of, rho_of
from tests.analysis.factorisations import cost_of_identity, cost_of_root, root
from tests.analysis.promised import costs

epsilons, deltas, rhos = st.floats(0.1, 16), st.floats(-12, -4).map(lambda power: 10**power), st.floats(1e-4, 4)


@pytest.mark.parametrize(("epsilon", "rho"), [(2, 0.088), (4, 0.311), (8, 1.052)])
def test_rho_is_that_of_the_literature(epsilon: float, rho: float) -> None:
    assert float(rho_of(epsilon, 1e-6)) == pytest.approx(rho, abs=5e-4)


@given(rhos, epsilons)
def test_delta_is_the_least_over_all_orders(rho: float, epsilon: float) -> None:
    orders = 1 + np.logspace(-4, 5, 20_000)
    tried = (orders - 1) * (orders * rho - epsilon) - np.log(orders - 1) + orders * np.log1p(-1 / orders)
    assert delta_of(rho, epsilon) == pytest.approx(math.exp(min(tried.min(), 0)), rel=1e-4)


@given(rhos, epsilons)
@example(0.625, 9.0)
def test_no_less_is_promised_than_the_gaussian_mechanism_needs(rho: float, epsilon: float) -> None:
    """Its exact delta (B. Balle, Y.-X. Wang, Improving the Gaussian mechanism for differential privacy, ICML 2018, theorem 8) is below."""
    distance = math.sqrt(2 * rho)
    left = ndtr(distance / 2 - epsilon / distance)
    exact = float(left - math.exp(epsilon) * ndtr(-distance / 2 - epsilon / distance))
    assert exact <= delta_of(rho, epsilon) * (1 + 1e-9) + 1e-15


@pytest.mark.slow
@given(epsilons, deltas)
def test_the_budget_is_never_passed_and_hardly_wasted(epsilon: float, delta: float) -> None:
    rho = rho_of(epsilon, delta)
    assert delta_of(float(rho), epsilon) <= delta * (1 + 1e-9)
    assert epsilon_of(float(rho), delta) == pytest.approx(epsilon, rel=1e-3)


@pytest.mark.slow
@given(epsilons, deltas, st.integers(1, 12), st.integers(1, 500))
def test_editions_add_up_to_what_is_promised_whatever_is_published_at_each(
    epsilon: float, delta: float, editions: int, histograms: int
) -> None:
    guarantee = Guarantee(epsilon, delta, editions, histograms)
    spent = [guarantee.spent(made) for made in range(editions + 1)]
    assert spent[0] == 0
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(epsilon, rel=1e-3)
    assert spent[-1] <= epsilon * (1 + 1e-6)
    of_one = Fraction(histograms) / (2 * guarantee.variance)
    assert of_one == guarantee.rho / editions, "an edition spends the same part, however many histograms a version has"
    assert guarantee.of_other_answers > epsilon


def histories(editions: int, cells: int) -> Iterator[tuple[int, ...]]:
    """Every history of somebody over the editions: in no cell (0), or in one of the cells. Cells are named in the order of their use."""
    grown: list[tuple[int, ...]] = [()]
    for _ in range(editions):
        grown = [(*each, cell) for each in grown for cell in range(min(max(each, default=0) + 2, cells + 1))]
    yield from grown


@pytest.mark.parametrize("editions", [1, 2, 3, 4, 5, 6])
def test_sensitivities_are_the_greatest_over_all_histories(editions: int) -> None:
    changes = np.eye(editions) - np.eye(editions, k=-1)
    lower = np.tril(np.ones((editions, editions)))
    assert np.allclose(root(editions) @ root(editions), lower)
    for right, cost in ((lower, cost_of_identity(editions)), (root(editions), cost_of_root(editions, "any"))):
        greatest = 0.0
        for history in histories(editions, editions):
            stays = np.array([[place == cell for place in history] for cell in range(1, editions + 1)], np.float64)
            greatest = max(greatest, ((right @ changes @ stays.T) ** 2).sum())
        length = (np.linalg.norm((lower @ np.linalg.inv(right))[-1])) * math.sqrt(greatest)
        assert length == pytest.approx(cost)


def test_a_person_who_comes_once_or_leaves_again_makes_the_difference_that_is_said() -> None:
    editions = 8
    right = root(editions)
    once = [np.r_[np.zeros(start), np.ones(editions - start)] for start in range(editions)]
    twice = [one - other for one in once for other in once]
    changes = np.eye(editions) - np.eye(editions, k=-1)
    found = [max(((right @ changes @ history) ** 2).sum() for history in some) for some in (once, twice)]
    length = (right[-1] ** 2).sum()
    assert math.sqrt(found[0] * length) == pytest.approx(cost_of_root(editions, "once"))
    assert math.sqrt(found[1] * length) <= cost_of_root(editions, "twice")
    assert cost_of_identity(editions) < cost_of_root(editions, "any")
    assert cost_of_identity(editions) / cost_of_root(editions, "twice") == pytest.approx(1.16, abs=0.01)


def test_the_documentation_has_the_costs_as_they_are_reckoned() -> None:
    page = (Path(__file__).parents[3] / "docs" / "disclosure.md").read_text("utf-8")
    assert all(line in page for line in costs())
    for epsilon, other in ((2, "2.9"), (4, "5.9"), (8, "12.1")):
        assert f"{Guarantee(epsilon, 1e-6, 8, 8).of_other_answers:.1f}" == other
    assert "2.9, 5.9 and 12.1 for 2, 4 and 8" in page
