"""Somebody who takes part: sends own answers around the coming of one person, and reads that person from everything published.

The attacker knows the law by which people answer, the rule of the build, all own answers, one stratum of the victim, and before which
state the victim came; neither the answers of the others nor the key. Readings: `singles` (single counts before and after), `tables` (all
tables of two answers, jointly), `adaptive` (both), each the most likely under everything that was published; and `bound`, the adaptive
one started half at the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.attacks.builds import Build, Edition, People, looks
from tests.attacks.decoder import Seen, centred, likeliest, read, shares, starts, step, undone
from tests.attacks.population import Floats, Ints, Population

PAUSES = (1, 2, 4, 8)
"""Days."""
OFTEN_SKIPPED = 0.3


@dataclass(frozen=True)
class Setting:
    people: int
    """Respondents before the attack begins."""
    own: int
    """Answers that the attacker may send."""
    strangers: int = 0
    """Others who come during the attack."""
    invited: bool = False
    patient: bool = False
    """Whether the attacker also changes own answers before and after the victim comes, and waits for the figures that move by the clock."""


@dataclass(frozen=True)
class State:
    """An edition, and of how many it tells whose answers the attacker does not know."""

    edition: Edition
    own: Floats
    """Counts of two answers of own answers that stood. Shape (width, width)."""
    strangers: int
    after: bool
    """Whether the victim was there."""


@dataclass(frozen=True)
class Reading:
    """Shares of right answers of one victim; beside them how many `editions` there were."""

    answers: dict[str, float]
    skips: dict[str, float]
    """Of questions that a third to a half leave out, how often it was right that they did or did not; empty where there are none."""


def play(build: Build, setting: Setting, draw: np.random.Generator, population: Population) -> Reading:
    """One victim of one survey. Readings are named by what they take together and how far they trust tables."""
    victim = population.answers(draw, 1)[0]
    crowd = population.people(draw, setting.people)
    states = watched(build, setting, draw, population, crowd, victim)
    seen = difference(build, setting, population, states)
    blocks, margin = population.blocks, population.margin
    known = {blocks.questions: int(victim[blocks.questions])}
    found: dict[str, Floats] = {}
    truth = blocks.rows(victim[None])[0]
    nothing = np.zeros(blocks.width)
    for name, field in (("model", nothing), ("singles", seen.field)):
        found[name] = read(population, replace(seen, field=field, difference=None), known, np.ones(1), margin[None])[0][0]
    begins, half = starts(population, seen), (margin + truth)[None] / 2
    for name, field, begin in (("tables", nothing, begins), ("adaptive", seen.field, begins), ("bound", seen.field, half)):
        readings = likeliest(population, replace(seen, field=field), known, begin)
        found |= {f"{name} {trust:g}": belief for trust, belief in readings.items()}
    found["guess"] = crowd.sum(axis=0) + truth
    reading = scored(population, victim, found)
    of_tables = len({int(state.edition.moved.max()) for state in states} - {-1})
    return replace(reading, answers=reading.answers | {"editions": len(states), "editions-tables": of_tables})


def scored(population: Population, victim: Ints, found: dict[str, Floats]) -> Reading:
    blocks = population.blocks
    asked = range(blocks.questions)
    often = [block for block in asked if population.margin[blocks.skipped[block]] > OFTEN_SKIPPED]
    answers, skips = {}, {}
    for name, belief in found.items():
        each = [belief[blocks.columns(block)] for block in asked]
        answers[name] = float(np.mean([part.argmax() == victim[block] for block, part in enumerate(each)]))
        if often:
            skips[name] = float(np.mean([(each[b][-1] > each[b].sum() / 2) == (victim[b] == blocks.sizes[b] - 1) for b in often]))
    return Reading(answers, skips)


def watched(
    build: Build, setting: Setting, draw: np.random.Generator, population: Population, crowd: np.ndarray, victim: Ints
) -> list[State]:
    """Every edition around the coming of the victim. Own answers are spread evenly where rows must be filled, else drawn as others are."""
    blocks = population.blocks
    come = setting.own + setting.strangers
    course = looks(setting.people, come) if setting.strangers else build.course(setting.people, setting.own)
    turn = len(course) // 2 if setting.strangers else build.turn(setting.people, course)
    pauses = {turn - 1, len(course) - 1} if setting.patient else set[int]()
    law = population.evenly if build.evenly else population.answers
    fills = [blocks.rows(one) for one in (law(draw, come), population.evenly(draw, come))]
    mine = draw.permutation(np.arange(come) < setting.own)
    survey = build.survey(blocks, int(draw.integers(2**31)), invited=setting.invited)
    before = np.vstack([crowd, blocks.rows(victim[None])])
    found, day, changes = list[State](), 0, 0
    for place, standing in enumerate(course):
        after, there = place >= turn, np.array(standing, np.int64)
        numbers = np.concatenate([np.arange(setting.people + after), setting.people + 1 + there])
        for pause in (0, *PAUSES) if place in pauses else (0,):
            day, changes = day + pause, changes + (pause > 0)
            fill = fills[changes % 2]
            people = People(numbers, np.vstack([before[: setting.people + after], fill[there]]))
            edition = survey.publish(people, closing=place == len(course) - 1, day=day)
            if edition is not None:
                own = fill[there[mine[there]]].astype(np.float64)
                found.append(State(edition, own.T @ own, int((~mine[there]).sum()), after))
    return found


def difference(build: Build, setting: Setting, population: Population, states: list[State]) -> Seen:
    blocks = population.blocks
    share = shares(blocks, np.nan_to_num(states[-1].edition.singles, nan=2.5))
    undo, left = undone(blocks, share) if build.projected else (np.eye(blocks.width), np.ones(blocks.width))
    field = _of_singles(build, setting, population, states)
    change, precision = _of_tables(build, setting, population, states, undo)
    return Seen(field, change if precision.max() > 0 else None, precision, left)


def _of_singles(build: Build, setting: Setting, population: Population, states: list[State]) -> Floats:
    """The log-likelihood of each option of the victim, from all editions of single counts."""
    blocks, margin = population.blocks, population.margin
    turn = sum(not state.after for state in states)
    field = np.zeros(blocks.width)
    if not 0 < turn < len(states):
        return field
    sizes = [state.edition.people for state in states]
    strangers = np.array([state.strangers for state in states], float)
    seen = np.array([np.nan_to_num(state.edition.singles, nan=2.5) - state.own.diagonal() for state in states])
    stratum = blocks.of >= blocks.questions
    groups = int(blocks.sizes[blocks.questions]) - 1
    absent = np.isin(np.arange(blocks.width), blocks.skipped) & ~stratum
    spread = float(np.mean(margin * (1 - margin))) * np.minimum.outer(strangers, strangers)
    for cells, of_groups, of_absent in ((~stratum & ~absent, 0, False), (absent, 0, True), (stratum, groups, False)):
        noise = build.noise(sizes, invited=setting.invited, groups=of_groups, absent=of_absent)
        weights, variance = step(noise + spread, turn)
        change = weights @ (seen - strangers[:, None] * margin)
        field = np.where(cells, (change - 0.5) / variance, field)
    return field


def _of_tables(build: Build, setting: Setting, population: Population, states: list[State], undo: Floats) -> tuple[Floats, Floats]:
    """The difference in every count of two answers, and its inverse variance: values shown before and after, weighed by their noise."""
    blocks = population.blocks
    shape = (blocks.width, blocks.width)
    sums, weights, strangers = np.zeros((2, *shape)), np.zeros((2, *shape)), np.zeros((2, *shape))
    usual = population.given * population.weights @ population.given.T
    moved = np.full(shape, -1)
    for state in states:
        fresh = (state.edition.moved > moved) & ~np.isnan(state.edition.tables)
        moved = np.maximum(moved, state.edition.moved)
        if not fresh.any():
            continue
        weight = fresh / build.table_noise(state.edition.people, invited=setting.invited)[1]
        side = int(state.after)
        sums[side] += weight * np.nan_to_num(_without_own(build, population, state, usual, undo))
        weights[side] += weight
        strangers[side] += weight * state.strangers
    with np.errstate(divide="ignore", invalid="ignore"):
        means, came = sums / weights, strangers / weights
        noise = 1 / weights[0] + 1 / weights[1] + SPREAD * np.nan_to_num(came[1] - came[0])
    both = (weights > 0).all(axis=0) & (blocks.of[:, None] != blocks.of)
    return np.where(both, means[1] - means[0], 0.0), np.where(both, 1 / noise, 0.0)


SPREAD = 0.05
"""How much a stranger adds to the variance of a count of two answers, on average."""


def _without_own(build: Build, population: Population, state: State, usual: Floats, undo: Floats) -> Floats:
    """Tables less what own answers and the expected ones of strangers put into them."""
    blocks, edition = population.blocks, state.edition
    known = state.own + state.strangers * usual
    if not build.projected:
        return edition.tables - known
    singles = np.nan_to_num(edition.singles)
    rest = np.nan_to_num(edition.tables) - np.outer(singles, singles) / edition.people
    return undo @ (rest - centred(blocks, known, shares(blocks, singles))) @ undo.T
