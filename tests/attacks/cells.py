"""A count of two answers from 1 to 4, read from all editions of its table around which own answers are sent, and from one alone."""

from __future__ import annotations

from math import lgamma

import numpy as np

from tests.attacks.builds import Build, Edition, People
from tests.attacks.population import Floats, Population

QUESTIONS = 8
ENOUGH = 10
"""Row and column have so many."""
PUMP = 30
"""So many own answers at once make row and column move."""
SMALL = np.arange(1, 5)
TRUSTS = (0.5, 1.0, 2.0, 4.0)


def small_cell(build: Build, people: int, own: int, draw: np.random.Generator) -> tuple[bool, list[bool], list[bool]]:
    """Whether the best guess from the exact margins is right, the reading of one edition and that of all, for each trust. Own answers
    are all in the row and the column."""
    while True:
        population = Population(draw, QUESTIONS)
        blocks = population.blocks
        crowd = population.people(draw, people)
        counts = (crowd.T @ crowd).astype(float)
        margins = counts.diagonal()
        at = np.argwhere((counts >= 1) & (counts <= 4) & (np.minimum.outer(margins, margins) >= ENOUGH) & (blocks.of[:, None] < blocks.of))
        if len(at):
            break
    row, column = at[draw.integers(len(at))]
    answers = population.answers(draw, own)
    for one in (row, column):
        answers[:, blocks.of[one]] = one - blocks.starts[blocks.of[one]]
    survey = build.survey(blocks, int(draw.integers(2**31)), asked=[(int(blocks.of[row]), int(blocks.of[column]))])
    rows = np.vstack([crowd, blocks.rows(answers)])
    course = build.course(people, own, PUMP)
    found: list[tuple[Edition, int]] = []
    for place, standing in enumerate(course):
        numbers = np.concatenate([np.arange(people), people + np.array(standing, np.int64)])
        edition = survey.publish(People(numbers, rows[numbers]), closing=place == len(course) - 1)
        if edition is not None and (not found or edition.moved[row, column] > found[-1][0].moved[row, column]):
            found.append((edition, len(standing)))
    truth = int(counts[row, column])
    expected = margins[row] * margins[column] / people
    prior = SMALL * np.log(expected) - np.array([lgamma(n + 1) for n in SMALL])
    lifted = [one for one in found if one[1] >= ENOUGH] or found
    values = [(float(edition.tables[row, column]) - stand, edition.people) for edition, stand in lifted]

    alone = [(float(edition.tables[row, column]) - stand, edition.people) for edition, stand in found[:1]]

    def read(some: list[tuple[float, int]], trust: float) -> bool:
        return SMALL[(prior + likelihood(build, some) / trust).argmax()] == truth

    return SMALL[prior.argmax()] == truth, [read(alone, trust) for trust in TRUSTS], [read(values, trust) for trust in TRUSTS]


def likelihood(build: Build, values: list[tuple[float, int]]) -> Floats:
    """Of each small count, given what was shown of it less the own answers in it, with how many respondents there then were."""
    values = [(value, size) for value, size in values if not np.isnan(value)]
    if not values:
        return np.zeros(len(SMALL))
    shown = np.array([value for value, _ in values])
    lasting = build.table_noise(values[0][1])[0]
    fresh = np.array([build.table_noise(size)[1] for _, size in values])
    weights = np.linalg.inv(lasting + np.diag(fresh)).sum(axis=0)
    mean = weights @ shown / weights.sum()
    return -((mean - SMALL) ** 2) * weights.sum() / 2
