"""What the attackers calculate with, against brute force: an attacker who miscalculates praises us."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tests.attacks.cells import SMALL, likelihood
from tests.attacks.decoder import Seen, centred, likeliest, read, shares, starts, step, undone
from tests.attacks.ours import Ours
from tests.attacks.population import Floats, Population


def people(questions: int, seed: int) -> Population:
    return Population(np.random.default_rng(seed), questions, (2,))


@pytest.mark.parametrize("seed", range(5))
def test_single_counts_alone_are_read_as_by_trying_all_answers(seed: int) -> None:
    draw, population = np.random.default_rng(seed), people(3, seed)
    blocks = population.blocks
    field = draw.normal(size=blocks.width)
    empty = np.zeros((blocks.width, blocks.width))
    seen = Seen(field, None, empty, np.ones(blocks.width))
    beliefs, _ = read(population, seen, {3: 0}, np.ones(1), population.margin[None])
    assert beliefs[0][: blocks.starts[3]] == pytest.approx(_every(population, field, empty)[: blocks.starts[3]], abs=1e-9)


def _every(population: Population, field: Floats, pairs: Floats) -> Floats:
    """How probable each option is, over all answers of somebody whose last block is known to be 0."""
    blocks = population.blocks
    found = np.zeros(blocks.width)
    for answers in product(*(range(size) for size in blocks.sizes[:-1])):
        x = blocks.rows(np.array([[*answers, 0]]))[0].astype(float)
        law = population.weights @ np.prod(population.given[x > 0], axis=0)
        found += law * np.exp(field @ x + x @ pairs @ x / 2) * x
    return found / found[blocks.columns(0)].sum()


@pytest.mark.parametrize("seed", range(5))
def test_all_tables_together_are_read_about_as_well_as_by_trying_all_answers(seed: int) -> None:
    draw, population = np.random.default_rng(seed), people(4, seed)
    blocks = population.blocks
    apart = blocks.of[:, None] != blocks.of
    answers = population.answers(draw, 1)
    answers[0, 4] = 0
    x = blocks.rows(answers)[0].astype(float)
    half = np.triu(draw.normal(size=apart.shape), 1)
    difference = (np.outer(x, x) + half + half.T) * apart
    seen = Seen(np.zeros(blocks.width), difference, apart.astype(float), np.ones(blocks.width))
    found = likeliest(population, seen, {4: 0}, starts(population, seen))[1.0]
    exact = _every(population, np.zeros(blocks.width), difference - apart / 2)
    assert np.abs(found - exact)[: blocks.starts[4]].mean() < 0.1


def test_without_noise_a_person_is_read_whole() -> None:
    population = people(30, 3)
    blocks = population.blocks
    apart = blocks.of[:, None] != blocks.of
    answers = population.answers(np.random.default_rng(4), 1)
    x = blocks.rows(answers)[0].astype(float)
    seen = Seen(np.zeros(blocks.width), np.outer(x, x) * apart, apart * 10.0, np.ones(blocks.width))
    found = likeliest(population, seen, {}, starts(population, seen))[1.0]
    assert [int(found[blocks.columns(block)].argmax()) for block in range(30)] == answers[0, :30].tolist()


@pytest.mark.parametrize("turn", [1, 3, 5])
def test_a_step_is_estimated_as_by_trying(turn: int) -> None:
    draw = np.random.default_rng(turn)
    noise = Ours().noise([100, 120, 140, 160, 180, 200])
    weights, variance = step(noise, turn)
    after = (np.arange(6) >= turn).astype(float)
    assert weights @ after == pytest.approx(1)
    assert weights.sum() == pytest.approx(0, abs=1e-9), "whatever the level"
    found = draw.multivariate_normal(after, noise, 20_000) @ weights
    assert found.mean() == pytest.approx(1, abs=0.1)
    assert found.var() == pytest.approx(variance, rel=0.1)


def test_of_what_tables_add_up_to_nothing_is_left() -> None:
    draw, population = np.random.default_rng(1), people(4, 1)
    blocks = population.blocks
    crowd = population.people(draw, 80).astype(float)
    share = shares(blocks, crowd.sum(axis=0))
    left = centred(blocks, crowd.T @ crowd, share)
    brute = np.eye(blocks.width) - share[:, None] * (blocks.members @ blocks.members.T)
    assert left == pytest.approx(brute @ (crowd.T @ crowd) @ brute.T)
    undo, squares = undone(blocks, share)
    for block in range(4):
        at = blocks.columns(block)
        projector = undo[at, at] @ brute[at, at]
        assert projector == pytest.approx(projector @ projector)
        assert np.diagonal(projector) == pytest.approx(squares[at])


def test_a_small_count_is_weighed_by_its_lasting_and_its_fresh_noise() -> None:
    build = Ours()
    values = [(2.0, 300), (4.0, 600)]
    lasting = build.table_noise(300)[0]
    noise = lasting + np.diag([build.table_noise(size)[1] for _, size in values])
    each = [-(np.array([2.0, 4.0]) - count) @ np.linalg.inv(noise) @ (np.array([2.0, 4.0]) - count) / 2 for count in SMALL]
    found = likelihood(build, values)
    assert found - found[0] == pytest.approx(np.array(each) - each[0])
