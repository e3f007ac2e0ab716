"""All figures of one edition of a small survey taken together by integer programming: which counts have one possible value left?"""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from tests.attacks.builds import HIDDEN, Build, People
from tests.attacks.population import Floats, Population

PEOPLE = 40


def solver(build: Build, draw: np.random.Generator) -> tuple[bool, bool] | None:
    """Whether a guess of a small count of two answers is right, and whether it is the only one left; None where no count is small. The
    attacker takes every figure to be off by as much as its build makes it once in many thousands."""
    population = Population(draw, 0, (4, 2))
    blocks = population.blocks
    crowd = population.people(draw, PEOPLE)
    edition = build.survey(blocks, int(draw.integers(2**31)), asked=[(0, 1)]).publish(People(np.arange(PEOPLE), crowd))
    assert edition is not None
    exact = crowd.T @ crowd
    one, other = blocks.columns(0), blocks.columns(1)
    small = np.argwhere((exact[one, other] > 0) & (exact[one, other] < HIDDEN))
    if not len(small):
        return None
    row, column = small[draw.integers(len(small))]
    truth = int(exact[one, other][row, column])
    slack = build.most_off(PEOPLE)
    pinned = _pinned(edition.tables[one, other], edition.singles[one], edition.singles[other], (row, column), slack)
    return bool(draw.integers(1, HIDDEN) == truth), pinned == truth


def _pinned(table: Floats, rows: Floats, columns: Floats, at: tuple[int, int], slack: float) -> int | None:
    """The only value of a cell that agrees with all figures, each off by at most `slack`; None where there are several."""
    shape = table.shape
    every, within = np.eye(table.size), np.arange(table.size).reshape(shape)
    lines = [*every, *(every[line].sum(axis=0) for line in within), *(every[line].sum(axis=0) for line in within.T)]
    lower, upper = np.array([_limits(value, slack) for value in (*table.ravel(), *rows, *columns)]).T
    constraint = LinearConstraint(np.array(lines), lower, upper)
    wanted = every[within[at]]
    ends = [milp(sign * wanted, constraints=constraint, integrality=np.ones(table.size), bounds=Bounds(0, PEOPLE)) for sign in (1, -1)]
    if not all(end.success for end in ends):
        return None
    low, high = (round(float(wanted @ end.x)) for end in ends)
    return low if low == high else None


def _limits(value: float, slack: float) -> tuple[float, float]:
    if np.isnan(value):
        return (1, HIDDEN - 1) if slack == 0 else (0, np.inf)
    return value - slack, value + slack
