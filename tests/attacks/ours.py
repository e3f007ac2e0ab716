"""The build that is published today: `services.analysis.disclosure`, driven as the publisher drives it."""

from __future__ import annotations

import numpy as np

from services.analysis.disclosure.edition import Edition as Published
from services.analysis.disclosure.edition import advance, tables
from services.analysis.disclosure.editions import step
from services.analysis.disclosure.noise import Noise, names_of
from services.analysis.disclosure.parameters import DAY, INVITED, OPEN, Parameters, Spread
from services.analysis.disclosure.publication import Blocks as Cells
from services.analysis.disclosure.publication import Publication
from tests.attacks.builds import Edition, Pairs, People, Survey, looks
from tests.attacks.population import Blocks, Floats, Ints


class OurSurvey:
    def __init__(self, blocks: Blocks, seed: int, parameters: Parameters, asked: Pairs | None) -> None:
        self._blocks = blocks
        count = len(blocks.sizes)
        sizes, strata = blocks.sizes.astype(np.intp), np.arange(count) >= blocks.questions
        absent = np.zeros(blocks.width, np.bool_)
        absent[blocks.skipped[: blocks.questions]] = True
        cells = Cells(names_of(range(blocks.width)), sizes, strata, choices=sizes - strata, absent=absent)
        self._engine = Publication(cells, parameters, Noise(b"%32d" % seed, "survey"))
        self._pairs = asked or [(one, other) for one in range(count) for other in range(one + 1, count)]
        self._published: Published | None = None
        self._editions = 0
        self._tables = np.full((blocks.width, blocks.width), np.nan)
        self._moved: Ints = np.full(self._tables.shape, -1)

    def publish(self, people: People, *, closing: bool = False, day: int = 0) -> Edition | None:
        made = advance(self._engine, self._published, people.rows.sum(axis=0).astype(np.int64), day * DAY, closed=closing)
        if made is None:
            return None
        self._published, due = made
        if due.tables:
            self._make_tables(self._published, people)
        self._editions += 1
        singles = self._published.singles.astype(np.float64)
        answered = self._published.n - singles[self._blocks.skipped]
        return Edition(self._published.n, singles, answered, self._tables, self._moved)

    def _make_tables(self, published: Published, people: People) -> None:
        blocks, made = self._blocks, np.full(self._tables.shape, np.nan)
        found = tables(self._engine, published, self._pairs, self._exact(people))
        for (one, other), table in zip(self._pairs, found, strict=True):
            made[blocks.columns(one), blocks.columns(other)] = table
            made[blocks.columns(other), blocks.columns(one)] = table.T
        self._tables, self._moved = made, np.full(made.shape, self._editions)

    def _exact(self, people: People) -> Ints:
        """Exact counts of two answers, where tables are looked at; 0 elsewhere."""
        blocks, found = self._blocks, np.zeros(self._tables.shape, np.int64)
        for one in {pair[0] for pair in self._pairs}:
            found[blocks.columns(one)] = people.rows[:, blocks.columns(one)].T @ people.rows
        return found


class Ours:
    """Own answers are sent and stay: withdrawing buys nothing."""

    name = "ours"
    evenly, projected = False, True

    def __init__(self, open: Parameters = OPEN, invited: Parameters = INVITED) -> None:
        self._open, self._invited = open, invited

    def _of(self, invited: bool) -> Parameters:
        return self._invited if invited else self._open

    def survey(self, blocks: Blocks, seed: int, *, invited: bool = False, asked: Pairs | None = None) -> Survey:
        return OurSurvey(blocks, seed, self._of(invited), asked)

    def course(self, people: int, own: int, height: int | None = None) -> list[range]:
        return looks(people, own)

    def turn(self, people: int, course: list[range]) -> int:
        middle = np.sqrt(people * (people + len(course[-1]))) - people
        return int(np.searchsorted([len(own) for own in course], middle))

    def noise(self, sizes: list[int], *, invited: bool = False, groups: int = 0, absent: bool = False) -> Floats:
        parameters = self._of(invited)
        spread = parameters.groups if groups else parameters.absent if absent else parameters.answers
        found = covariance(spread, parameters.phi, sizes)
        return found * groups / (groups - 1) if groups else found

    def table_noise(self, size: int, *, invited: bool = False) -> tuple[float, float]:
        parameters = self._of(invited)
        return parameters.table_lasting, parameters.table_variance(size) - parameters.table_lasting + 1 / 12

    def most_off(self, people: int) -> float:
        parameters = self._open
        return 4 * float(np.sqrt(max(parameters.answers.variance(people), parameters.table_variance(people))))

    def wait(self, people: int) -> int:
        return step(people, self._open, 0.5)


def covariance(spread: Spread, phi: float, sizes: list[int]) -> Floats:
    """Of one single count over editions, before its block is moved onto the whole, with a twelfth for rounding."""
    place = np.arange(len(sizes))
    deviation = np.sqrt([spread.variance(size) - spread.lasting for size in sizes])
    return spread.lasting + phi ** np.abs(place[:, None] - place) * np.outer(deviation, deviation) + np.eye(len(sizes)) / 12
