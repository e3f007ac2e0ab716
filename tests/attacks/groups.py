"""Attacks on small groups: whether somebody is in one, what the only one between two of them answered.

In all of these the attacker knows that nobody else is in the group, and half of the victims are. `lifted` pushes the group over the
minimum with own answers; `nested` compares a group with one that holds it; `skipped` asks whether the victim left out a question that
everybody else answered. Each tells log-likelihood ratios of being there, from single counts and from the rows of all tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tests.attacks.builds import Build, Edition, People, Rows, looks
from tests.attacks.decoder import shares, undone
from tests.attacks.participant import Setting
from tests.attacks.population import Floats, Ints, Population

QUESTIONS, STRATA = 50, (2, 2, 2)
LIFT = 20
FROM = 60
"""Editions are read from so many respondents on."""
HARBOUR = 40


@dataclass(frozen=True)
class Evidence:
    """What speaks for the victim being there, each kind alone; 0 where nothing is shown."""

    singles: float
    tables: float
    unlike: float
    """Of counts in the two rows, or of numbers who answered, the share that is not the same; only nested groups and skips have it."""


def grown(
    build: Build, setting: Setting, draw: np.random.Generator, population: Population, first: Rows, own: Rows, *asked: int
) -> list[Edition]:
    """All editions of a survey in which these come one after the other, then own ones. `asked`: blocks whose tables are looked at."""
    blocks = population.blocks
    pairs = [(one, other) for one in asked for other in range(blocks.questions) if one != other]
    survey = build.survey(blocks, int(draw.integers(2**31)), invited=setting.invited, asked=pairs)
    rows = np.vstack([first, own])
    states = [np.arange(FROM + len(more)) for more in looks(FROM, len(first) - FROM)]
    everybody = np.arange(len(first))
    states += [
        np.concatenate([everybody, len(first) + np.array(standing, np.int64)]) for standing in build.course(len(first), len(own))[1:]
    ]
    made = (survey.publish(People(there, rows[there]), closing=place == len(states) - 1) for place, there in enumerate(states))
    return [edition for edition in made if edition is not None]


def level(build: Build, setting: Setting, editions: list[Edition], values: Iterable[float], groups: int) -> tuple[float, float]:
    """The best estimate of a single count that stays the same over editions, and its variance (generalised least squares). `groups`: of
    its stratum; 0 where it is of who did not answer."""
    sizes = [edition.people for edition in editions]
    weights = np.linalg.inv(build.noise(sizes, invited=setting.invited, groups=groups, absent=not groups)).sum(axis=0)
    return float(weights @ np.array(list(values)) / weights.sum()), float(1 / weights.sum())


def row_ratio(population: Population, change: Floats, left: Floats, variance: float) -> float:
    """The log-likelihood ratio of one person in a row of tables against nobody, over whatever that person may have answered."""
    blocks = population.blocks
    told = np.where(np.isnan(change), 0.0, (change - left / 2) / variance)
    told[blocks.columns(blocks.questions).start :] = 0.0  # strata of the victim are known, and hold no surprise
    each = np.exp(np.clip(told, -60, 60)[:, None]) * population.given
    classes = np.log(np.add.reduceat(each, blocks.starts, axis=0)[: blocks.questions]).sum(axis=0) + np.log(population.weights)
    return float(np.logaddexp.reduce(classes))


def mean_rows(
    build: Build, setting: Setting, population: Population, editions: list[Edition], column: int, rows: Floats, minus: int | None = None
) -> tuple[Floats, Floats, float]:
    """A row of all tables less the `rows` known to be in it (and less another row), averaged over editions; how much of each option
    is left; and the variance. NaN where it was never shown."""
    blocks = population.blocks
    share = shares(blocks, np.nan_to_num(editions[-1].singles, nan=2.5))
    undo, left = undone(blocks, share) if build.projected else (np.eye(blocks.width), np.ones(blocks.width))
    sums, weights, moved = np.zeros(blocks.width), np.zeros(blocks.width), np.full(blocks.width, -1)
    for edition in editions:
        row = edition.tables[column] - (edition.tables[minus] if minus is not None else 0.0)
        fresh = (edition.moved[column] > moved) & ~np.isnan(row)
        moved = np.maximum(moved, edition.moved[column])
        if not fresh.any():
            continue
        if build.projected:
            at = edition.singles[column] - (edition.singles[minus] if minus is not None else 0.0)
            taken = shares(blocks, edition.singles)
            rest = row - edition.singles * at / edition.people - (rows - taken * (blocks.members.T @ rows)[blocks.of])
            row = undo @ np.nan_to_num(rest)
        else:
            row = row - rows
        weight = fresh / build.table_noise(edition.people, invited=setting.invited)[1]
        sums += weight * np.nan_to_num(row)
        weights += weight
    with np.errstate(invalid="ignore"):
        mean = np.where(weights > 0, sums / weights, np.nan)
    lasting = build.table_noise(editions[-1].people, invited=setting.invited)[0] if editions else 0.0
    variance = float(lasting + 1 / max(np.median(weights), 1e-9))
    return mean, left, variance * (2 if minus is not None else 1)


def lifted(build: Build, setting: Setting, draw: np.random.Generator, population: Population, *, there: bool) -> dict[str, Evidence]:
    """Is the victim in a group of nobody else, that own answers push over the minimum?"""
    blocks = population.blocks
    answers = population.answers(draw, setting.people)
    mine = population.answers(draw, setting.own)
    hill = blocks.questions
    answers[:, hill], mine[:, hill] = 1, 1
    answers[0, hill], mine[:LIFT, hill] = (0 if there else 1), 0
    first = blocks.rows(np.vstack([answers[:1], mine[:LIFT], answers[1:]]))
    rest = blocks.rows(mine[LIFT:])
    editions = grown(build, setting, draw, population, first, rest, hill)
    column = int(blocks.starts[hill])
    lift = min(LIFT, setting.own)
    own_row = first[1 : 1 + lift].sum(axis=0).astype(np.float64)
    return _existence(build, setting, population, editions, column, lift, own_row)


def skipped(build: Build, setting: Setting, draw: np.random.Generator, population: Population, *, there: bool) -> dict[str, Evidence]:
    """Did the victim leave out a question that everybody else answered?"""
    blocks = population.blocks
    answers, mine = population.answers(draw, setting.people), population.answers(draw, setting.own)
    question = 0
    last = int(blocks.sizes[question]) - 1
    for given in (answers, mine):
        given[given[:, question] == last, question] = 0
    if there:
        answers[0, question] = last
    editions = grown(build, setting, draw, population, blocks.rows(answers), blocks.rows(mine), question)
    column = int(blocks.skipped[question])
    found = _existence(build, setting, population, editions, column, 0, np.zeros(blocks.width))
    unlike = float(np.mean([edition.answered[question] != edition.people for edition in editions]))
    return {name: Evidence(one.singles, one.tables, unlike) for name, one in found.items()}


def _existence(
    build: Build, setting: Setting, population: Population, editions: list[Edition], column: int, known: int, rows: Floats
) -> dict[str, Evidence]:
    """`plain` takes the count alone; `aware` also what the block's other empty option tells of the shift onto the whole."""
    blocks = population.blocks
    block = int(blocks.of[column])
    size = int(blocks.sizes[block])
    groups = size - 1 if block >= blocks.questions else 0
    change, left, variance = mean_rows(build, setting, population, editions, column, rows)
    inside = 1 - float(shares(blocks, np.nan_to_num(editions[-1].singles, nan=2.5))[column]) if build.projected else 1.0
    tables = row_ratio(population, change, left, variance * inside)
    found = {}
    empty = int(blocks.skipped[block])
    for name, helped in (("plain", False), ("aware", True)):
        if helped and (empty == column or not build.projected):
            continue
        values = [
            np.nan_to_num(edition.singles[column]) - known + (edition.singles[empty] / (size - 1) if helped else 0.0)
            for edition in editions
        ]
        value, spread = level(build, setting, editions, values, groups)
        told = 1 - 1 / size - (1 / (size * (size - 1)) if helped else 0.0) if build.projected else 1.0
        found[name] = Evidence((value - 0.5) / (spread * told), tables, 0.0)
    return found


def nested(build: Build, setting: Setting, draw: np.random.Generator, population: Population, *, there: bool) -> dict[str, Evidence]:
    """`south` holds the people of `harbour`, and the victim or nobody else. Nothing of own is needed."""
    editions, south, harbour, _ = _towns(build, setting, draw, population, there=there)
    blocks = population.blocks
    values = [edition.singles[south] - edition.singles[harbour] for edition in editions]
    value, spread = level(build, setting, editions, np.nan_to_num(values), STRATA[0])
    nothing = np.zeros(blocks.width)
    change, left, variance = mean_rows(build, setting, population, editions, south, nothing, harbour)
    unlike = [one != other for edition in editions for one, other in _both(edition, south, harbour, blocks.starts[-3])]
    told = 2 * (1 - 1 / int(blocks.sizes[blocks.questions])) if build.projected else 2.0
    return {
        "plain": Evidence((value - 0.5) / (spread * told), row_ratio(population, change, left, variance), float(np.mean(unlike or [0])))
    }


def _both(edition: Edition, one: int, other: int, end: int) -> list[tuple[float, float]]:
    pairs = zip(edition.tables[one, :end], edition.tables[other, :end], strict=True)
    return [(a, b) for a, b in pairs if not np.isnan(a + b)]


def between(build: Build, setting: Setting, draw: np.random.Generator, population: Population) -> tuple[float, float]:
    """How often an answer of the only one who is in `south` and not in `harbour` is guessed from the law, and how often read."""
    editions, south, harbour, victim = _towns(build, setting, draw, population, there=True)
    blocks = population.blocks
    change, left, variance = mean_rows(build, setting, population, editions, south, np.zeros(blocks.width), harbour)
    told = np.where(np.isnan(change), 0.0, (change - left / 2) / variance) + np.log(population.margin)
    asked = range(blocks.questions)
    guessed = [population.margin[blocks.columns(block)].argmax() == victim[block] for block in asked]
    right = [told[blocks.columns(block)].argmax() == victim[block] for block in asked]
    return float(np.mean(guessed)), float(np.mean(right))


def _towns(
    build: Build, setting: Setting, draw: np.random.Generator, population: Population, *, there: bool
) -> tuple[list[Edition], int, int, Ints]:
    blocks = population.blocks
    answers, mine = population.answers(draw, setting.people), population.answers(draw, setting.own)
    south, harbour = blocks.questions, blocks.questions + 1
    for given in (answers, mine):
        given[:, [south, harbour]] = 1
    answers[:HARBOUR, [south, harbour]] = 0
    answers[0, harbour] = 1 if there else 0
    order = np.concatenate([np.arange(HARBOUR), HARBOUR + draw.permutation(setting.people - HARBOUR)])
    editions = grown(build, setting, draw, population, blocks.rows(answers[order]), blocks.rows(mine), south, harbour)
    return editions, int(blocks.starts[south]), int(blocks.starts[harbour]), answers[0]
