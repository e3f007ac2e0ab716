"""Each attack succeeds on the build one would write first, and little better than guessing on ours."""

from __future__ import annotations

import pytest

from tests.analysis.small import crowd, released
from tests.attacks.attacks import ATTACKS, Attack
from tests.attacks.formats import everything
from tests.attacks.report import PAGE, outcome, page


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.run.__name__)
def test_an_attack_that_works_on_the_naive_build_stays_within_its_bound_on_ours(attack: Attack) -> None:
    found = outcome(attack)
    assert found.naive > found.guess + 0.2
    assert found.advantage - found.error <= attack.bound


@pytest.mark.parametrize("seed", [5, 8])
def test_every_format_in_every_language_says_the_same_of_the_same_state(seed: int) -> None:
    shown = everything(released(crowd(seed, 300), 100, 200))
    assert len({one.where for one in shown}) > 20
    revisions = {one.state.partition(" ")[0] for one in shown}
    assert revisions == {"3"}
    assert len({one.state for one in shown if " " in one.state}) == 1
    for code in {one.code for one in shown}:
        same = [one for one in shown if one.code == code]
        assert len({one.n for one in same}) == 1, same
        shares = [(one.share, one.slack) for one in same if one.share is not None]
        assert all(abs(share - shares[0][0]) <= slack for share, slack in shares), same


def test_the_report_in_the_documentation_has_every_attack_with_its_bound() -> None:
    told = PAGE.read_text("utf-8").splitlines()
    head = page([]).splitlines()
    assert told[: len(head)] == head
    rows = [line.strip("| ").split(" | ") for line in told[len(head) :]]
    assert [(row[0], row[1], row[-1]) for row in rows] == [(a.name, a.wants, f"{a.bound:.2f}") for a in ATTACKS]
