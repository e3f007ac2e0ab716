"""What an attacker meets: a build publishes editions of the people who stand in a survey. Here also the build one would write first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tests.attacks.population import Blocks, Floats, Ints

Rows = NDArray[np.float32]
Pairs = list[tuple[int, int]]
HIDDEN = 5
"""The naive build leaves out counts above 0 and below this."""


@dataclass(frozen=True)
class People:
    """Who stands in a survey at one moment. A changed answer keeps its number."""

    numbers: Ints
    rows: Rows
    """Answers as zeros and ones. Shape (people, width)."""

    def counts(self) -> Floats:
        """How many gave both answers; single answers on the diagonal. Shape (width, width)."""
        return (self.rows.T @ self.rows).astype(np.float64)


@dataclass(frozen=True)
class Edition:
    """All that is public from one moment on. NaN where nothing is shown."""

    people: int
    singles: Floats
    """Shape (width,)."""
    answered: Floats
    """How many answered each question. Shape (blocks,)."""
    tables: Floats
    """Counts of two answers. Shape (width, width)."""
    moved: Ints
    """At which edition, from 0, each count of two answers got the value that stands; -1: never. Shape (width, width)."""


class Survey(Protocol):
    def publish(self, people: People, *, closing: bool = False, day: int = 0) -> Edition | None:
        """The edition that these people bring about on this day; None where what was published stands."""
        ...


class Build(Protocol):
    name: str

    def survey(self, blocks: Blocks, seed: int, *, invited: bool = False, asked: Pairs | None = None) -> Survey:
        """A new survey with keys of its own. `asked`: of which pairs of blocks tables are looked at; None for all. Others may be NaN."""
        ...

    def course(self, people: int, own: int, height: int | None = None) -> list[range]:
        """Which own answers stand at each state in turn, where `own` may be sent into a survey of so many `people` around one moment of
        interest: the course that tells an attacker of this build most. `height`: so many at once make all rows of interest move."""
        ...

    def turn(self, people: int, course: list[range]) -> int:
        """At which of these states it is best that the victim is there for the first time."""
        ...

    def noise(self, sizes: list[int], *, invited: bool = False, groups: int = 0, absent: bool = False) -> Floats:
        """The covariance of one single count over editions with so many people, where it is of a stratum with so many `groups` (0: of an
        answer, or `absent`: of who did not answer). Shape (editions, editions)."""
        ...

    def table_noise(self, size: int, *, invited: bool = False) -> tuple[float, float]:
        """Of a count of two answers, the variance that lasts and the variance drawn anew at an edition of so many people."""
        ...

    def most_off(self, people: int) -> float:
        """By how much no count is off, or hardly ever, in an edition of so many people."""
        ...

    def wait(self, people: int) -> int:
        """How many more answers single counts wait for, in the middle, once there are so many."""
        ...

    evenly: bool
    """Whether own answers do best to be spread evenly, so that all rows move; else they are drawn like those of the others."""
    projected: bool
    """Whether tables add up to the single counts of their edition."""


def looks(people: int, more: int) -> list[range]:
    """Which of `more` there are beside `people` when it is looked whether there is a new edition: at each hundredth, from none to all."""
    found = [0]
    while found[-1] < more:
        found.append(min(found[-1] + max((people + found[-1]) // 100, 1), more))
    return [range(end) for end in found]


def hidden(counts: Floats) -> Floats:
    return np.where((counts > 0) & (counts < HIDDEN), np.nan, counts)


class NaiveSurvey:
    def __init__(self, blocks: Blocks) -> None:
        self._blocks, self._edition = blocks, -1

    def publish(self, people: People, *, closing: bool = False, day: int = 0) -> Edition | None:
        self._edition += 1
        counts = people.counts()
        singles = counts.diagonal()
        size = len(people.numbers)
        moved = np.full(counts.shape, self._edition)
        return Edition(size, hidden(singles), size - singles[self._blocks.skipped], hidden(counts), moved)


class Naive:
    """Exact counts at every change, with those from 1 to 4 left out."""

    name = "naive"
    evenly = projected = False

    def survey(self, blocks: Blocks, seed: int, *, invited: bool = False, asked: Pairs | None = None) -> Survey:
        return NaiveSurvey(blocks)

    def course(self, people: int, own: int, height: int | None = None) -> list[range]:
        return [range(0), range(min(own, HIDDEN))]

    def turn(self, people: int, course: list[range]) -> int:
        return 1

    def noise(self, sizes: list[int], *, invited: bool = False, groups: int = 0, absent: bool = False) -> Floats:
        return np.eye(len(sizes)) / 12

    def table_noise(self, size: int, *, invited: bool = False) -> tuple[float, float]:
        return 0.0, 1 / 12

    def most_off(self, people: int) -> float:
        return 0.0

    def wait(self, people: int) -> int:
        return 1
