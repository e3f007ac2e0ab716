"""Each attack succeeds on the build one would write first, and little better than guessing on ours."""

from __future__ import annotations

import pytest

from tests.attacks.attacks import ATTACKS, Attack
from tests.attacks.report import PAGE, outcome, page


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.run.__name__)
def test_an_attack_that_works_on_the_naive_build_stays_within_its_bound_on_ours(attack: Attack) -> None:
    found = outcome(attack)
    assert found.naive > found.guess + 0.2
    assert found.advantage - found.error <= attack.bound


def test_the_report_in_the_documentation_has_every_attack_with_its_bound() -> None:
    told = PAGE.read_text("utf-8").splitlines()
    head = page([]).splitlines()
    assert told[: len(head)] == head
    rows = [line.strip("| ").split(" | ") for line in told[len(head) :]]
    assert [(row[0], row[1], row[-1]) for row in rows] == [(a.name, a.wants, f"{a.bound:.2f}") for a in ATTACKS]
