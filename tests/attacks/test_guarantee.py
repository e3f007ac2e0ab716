"""The attack beside the guarantee shows less than is promised, and more of builds that are deliberately wrong: so it would be seen."""

from __future__ import annotations

import pytest

from tests.attacks.guarantee import careless, counts_attacked, guarantee_of, survey_attacked


@pytest.mark.parametrize("epsilon", [2.0, 8.0])
def test_who_knows_all_but_one_person_shows_less_than_the_promised_epsilon_over_all_editions(epsilon: float) -> None:
    found = counts_attacked(guarantee_of(epsilon), 60_000)
    assert 0.25 * epsilon < found < epsilon, "less than that, and the attack would be too weak to say anything"


def test_half_of_the_noise_is_found_out() -> None:
    assert counts_attacked(careless(guarantee_of(2.0)), 60_000) > 2


def test_what_is_published_shows_less_than_is_promised_between_two_answers() -> None:
    guarantee = guarantee_of(2.0, 7)
    assert survey_attacked(guarantee, 250) < guarantee.of_other_answers
    assert survey_attacked(careless(guarantee, 10), 250) > guarantee.of_other_answers
