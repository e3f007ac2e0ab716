"""A count that nobody joined says the same again: which of one person's answers moved after the row and all columns were filled?

The attacker knows the victim's row and sends own answers that fill the row and, from elsewhere, all columns of one question, but none of
the counts where they cross. Of these only the victim's has another member.
"""

from __future__ import annotations

import numpy as np

from tests.attacks.builds import Build, Edition, People
from tests.attacks.population import Floats, Population

QUESTIONS = 6
MOST_OPTIONS = 6
"""Questions with more take more own answers to fill."""
SURE = 10.0
FILL = 30
"""So many at once make every row move."""


def frozen(build: Build, people: int, own: int, draw: np.random.Generator) -> tuple[bool, bool]:
    """Whether the best guess of an answer is right, and the reading."""
    population = Population(draw, QUESTIONS)
    blocks = population.blocks
    crowd, victim = population.answers(draw, people), population.answers(draw, 1)
    few = np.flatnonzero(blocks.sizes[:QUESTIONS] <= MOST_OPTIONS)
    question, stratum = int(draw.choice(few)) if len(few) else int(blocks.sizes[:QUESTIONS].argmin()), blocks.questions
    options = int(blocks.sizes[question]) - 1
    victim[0, question] = draw.choice(options, p=_known(population, question)[:options] / _known(population, question)[:options].sum())
    group = int(victim[0, stratum])
    elsewhere = (group + 1) % (int(blocks.sizes[stratum]) - 1)
    height = min(own // 2, FILL * (options + 1))
    mine = population.evenly(draw, own)
    mine[:, stratum] = elsewhere
    mine[:, question] = np.arange(own) % (options + 1)
    mine[mine[:, question] == options, stratum] = group
    rows = blocks.rows(np.vstack([crowd, victim, mine]))
    course = build.course(people, own, height)
    turn = build.turn(people, course)
    survey = build.survey(blocks, int(draw.integers(2**31)), asked=[(question, stratum)])
    seen: list[tuple[Edition, bool]] = []
    for place, standing in enumerate(course):
        numbers = np.concatenate([np.arange(people), [people] * (place >= turn), people + 1 + np.array(standing)]).astype(np.int64)
        edition = survey.publish(People(numbers, rows[numbers]), closing=place == len(course) - 1)
        if edition is not None:
            seen.append((edition, place >= turn))
    row = int(blocks.starts[stratum]) + group
    columns = np.arange(int(blocks.starts[question]), int(blocks.starts[question]) + options)
    final = rows[: people + 1].sum(axis=0)[columns]
    truth = int(victim[0, question])
    return int(final.argmax()) == truth, int((np.log(final + 0.5) + _told(build, seen, row, columns)).argmax()) == truth


def _known(population: Population, question: int) -> Floats:
    return population.margin[population.blocks.columns(question)]


def _told(build: Build, seen: list[tuple[Edition, bool]], row: int, columns: np.ndarray) -> Floats:
    """What the counts of the row say for each answer: their difference, and where the others froze, whether they moved at all."""
    sides = [[edition for edition, after in seen if after == side] for side in (False, True)]
    if not all(sides) or (sides[1][-1].moved[row, columns] == sides[0][-1].moved[row, columns]).all():
        return np.zeros(len(columns))
    ends = [np.nan_to_num(side[-1].tables[row, columns], nan=-1.0) for side in sides]
    if not build.projected:
        changed = ends[1] != ends[0]
        return np.where(changed, SURE, 0.0) if not changed.all() else np.zeros(len(columns))
    noise = sum(build.table_noise(side[-1].people)[1] for side in sides)
    return (ends[1] - ends[0]) / noise
