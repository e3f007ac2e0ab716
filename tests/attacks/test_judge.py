"""The judge reads what an attacker wrote down without own answers or other victims."""

from __future__ import annotations

import numpy as np

from tests.attacks.builds import Edition
from tests.attacks.campaign import Moment
from tests.attacks.judge import People, guessed, judged
from tests.attacks.population import Floats, Population

CROWD, EDITIONS = 100, 15


def test_a_victim_is_read_from_enough_exact_editions_whoever_else_comes() -> None:
    draw = np.random.default_rng(2)
    population = Population(draw, questions=12, strata=(4,))
    blocks = population.blocks
    people = People(population, population.answers(draw, CROWD), population.answers(draw, 3))
    own = population.answers(draw, 3 * EDITIONS + EDITIONS)
    moments = list[Moment]()
    for place in range(4 * EDITIONS):
        others, mine = CROWD + place // EDITIONS, tuple(range(place))
        rows: Floats = blocks.rows(np.vstack([people.crowd, people.victims[: others - CROWD], own[list(mine)]])).astype(np.float64)
        counts = rows.T @ rows
        singles, size = counts.diagonal(), len(rows)
        edition = Edition(size, singles, size - singles[blocks.skipped], counts, np.full(counts.shape, place))
        moments.append(Moment(edition, mine, others))
    for apart in (True, False):
        found = [judged(people, moments, own, victim, apart=apart) for victim in range(3)]
        assert np.mean([trial.readings["adaptive 1"] for trial in found]) > 0.9
        assert np.mean([trial.guess for trial in found]) < 0.7
    assert guessed(people, moments[-1], own) == [trial.guess for trial in found]
