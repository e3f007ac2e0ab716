"""What protection costs readers: how far published shares are off, how wide their intervals are, whether they hold, how long figures wait.

Simulated surveys have the law of `population`; real ones are drawn without replacement from a file of real answers, where it is there.
An interval is Wilson's, and noise is added to its half-width as a sum of squares; before, noise was left out of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.attacks.builds import Build, Edition, People, Rows
from tests.attacks.population import Blocks, Floats, Population

REAL = Path(__file__).parents[3] / "shared" / "data" / "bc-ai-survey.csv"
ENOUGH = 50
"""Shares of fewer are not looked at."""
ROWS = 6
Z = 1.96


@dataclass(frozen=True)
class Cost:
    """Over all shares of some surveys: the mean error in points, widths against sampling alone, how often the interval covers the share of
    the population (NaN where that is not known), and how often noise alone explains the error."""

    error: float
    width: float
    covers: float
    explained: float


def wilson(share: Floats, base: float) -> tuple[Floats, Floats]:
    """Centre and half-width."""
    spread = Z * Z / base
    half = Z * np.sqrt(np.maximum(share * (1 - share), 0) / base + spread / (4 * base)) / (1 + spread)
    return (share + spread / 2) / (1 + spread), half


def simulated(draw: np.random.Generator, people: int, surveys: int) -> Iterator[tuple[Blocks, Rows, Population | None]]:
    for _ in range(surveys):
        population = Population(draw, 20)
        yield population.blocks, population.people(draw, people), population


def real(draw: np.random.Generator, people: int, surveys: int) -> Iterator[tuple[Blocks, Rows, Population | None]]:
    """Single choices of the file with at most nine answers, "" being "skipped"."""
    with REAL.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [(name, sorted({row[name] for row in rows} - {""})) for name in rows[0]]
    kept = [(name, codes) for name, codes in kept if 2 <= len(codes) <= 9]
    given = np.array([[codes.index(row[name]) if row[name] else len(codes) for name, codes in kept] for row in rows])
    blocks = Blocks(np.array([len(codes) + 1 for _, codes in kept]), 0)
    for _ in range(surveys):
        yield blocks, blocks.rows(given[draw.choice(len(given), people, replace=False)]), None


def costs(build: Build, surveys: Iterator[tuple[Blocks, Rows, Population | None]], draw: np.random.Generator) -> tuple[Cost, Cost]:
    """Of single shares, and of row shares of tables whose row has enough."""
    singles: list[Floats] = []
    rows: list[Floats] = []
    for blocks, people, population in surveys:
        asked = [(int(one), int(other)) for one, other in draw.choice(len(blocks.sizes), (ROWS, 2)) if one != other]
        edition = build.survey(blocks, int(draw.integers(2**31)), asked=asked).publish(People(np.arange(len(people)), people))
        assert edition is not None
        exact = people.T.astype(np.float64) @ people.astype(np.float64)
        for block in range(blocks.questions):
            true = None if population is None else population.margin[blocks.columns(block)]
            singles.append(_shares(build, blocks, edition, exact, block, None, true))
        for one, other in asked:
            enough = [int(row) for row in np.arange(blocks.width)[blocks.columns(one)] if edition.singles[row] >= ENOUGH]
            for row in enough:
                both = (
                    None if population is None else (population.given[row] * population.weights) @ population.given[blocks.columns(other)].T
                )
                rows.append(_shares(build, blocks, edition, exact, other, row, both))
    return _cost(singles), _cost(rows)


def _cost(found: list[Floats]) -> Cost:
    each = np.concatenate([one for one in found if one.size])
    each = each[~np.isnan(each[:, :3]).any(axis=1)]
    error, half, sampling, covers, explained = each.T
    return Cost(100 * float(error.mean()), float(half.sum() / sampling.sum()), float(covers.mean()), float(explained.mean()))


def _shares(build: Build, blocks: Blocks, edition: Edition, exact: Floats, block: int, row: int | None, true: Floats | None) -> Floats:
    """Of each option but "skipped": error, half-width, the same by sampling alone, whether it covers, whether noise explains the error."""
    at = slice(blocks.columns(block).start, blocks.columns(block).stop - 1)
    options = at.stop - at.start
    shown, whole = (edition.singles, exact.diagonal()) if row is None else (edition.tables[row], exact[row])
    base = float(edition.answered[block]) if row is None else float(np.nansum(shown[at]))
    of = float(whole[at].sum())
    if min(base, of) < ENOUGH:
        return np.zeros((0, 5))
    share, real_share = shown[at] / base, whole[at] / of
    centre, half = wilson(share, base)
    noise = _noise(build, blocks, edition, block, row, shown[at], base)
    half = np.hypot(half, Z * np.sqrt(noise) / base) if build.projected else half
    law = None if true is None else true[:options] / true[:options].sum()
    covers = np.full(options, np.nan) if law is None else (np.abs(centre - law) <= half).astype(float)
    explained = np.abs(share - real_share) <= (Z * np.sqrt(noise) + 0.5) / base
    return np.column_stack([np.abs(share - real_share), half, wilson(real_share, of)[1], covers, explained])


def _noise(build: Build, blocks: Blocks, edition: Edition, block: int, row: int | None, shown: Floats, base: float) -> Floats:
    """The variance of a share's noise times the square of its base, by the delta method."""
    size, people = int(blocks.sizes[block]), edition.people
    single = float(build.noise([people])[0, 0])
    share = (shown + 2) / (base + 4)
    if not build.projected:
        return single * (1 + share**2)
    of_block = single * ((1 + share**2) - (1 + share) ** 2 / size)
    if row is None:
        return of_block
    cells, part = int(blocks.sizes[blocks.of[row]]), float(edition.singles[row]) / people
    gone = float(edition.singles[blocks.skipped[block]]) / people
    lean = share * (1 - gone) + share * gone
    within = 1 + share**2 - 2 * lean * (1 + share) + size * lean**2
    return sum(build.table_noise(people)) * (1 - 2 * part + cells * part**2) * within + of_block * part**2
