"""Attacks on releases work on a naive build and not on ours; the documentation has each of them."""

from __future__ import annotations

import pytest

from tests.export.attacks import ATTACKS, PAGE, Played, play

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("played", ATTACKS, ids=lambda played: played.name)
def test_an_attack_succeeds_on_a_naive_build_and_stays_below_its_bound_on_ours(played: Played) -> None:
    outcome = play(played, min(played.surveys, 4))
    assert outcome.ours <= played.bound + 1e-9
    assert outcome.naive > max(2 * outcome.ours, 0.0)


def test_the_documentation_has_every_attack() -> None:
    rows = PAGE.read_text("utf-8").splitlines()
    for played in ATTACKS:
        assert any(row.startswith(f"| {played.name} |") for row in rows), f"{played.name}: run python -m tests.export.attacks"
