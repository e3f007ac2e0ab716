"""What noise costs readers: how far off shares are, how wide intervals, and how often they hold. Run: python -m tests.analysis.measured"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec
import numpy as np

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.intervals import wilson
from proto.snapshot import Cell, Snapshot, Table
from services.analysis.disclosure import public_tables
from services.analysis.disclosure.editions import Due, Marks
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.parameters import parameters_of
from services.analysis.disclosure.published_state import next_edition
from services.analysis.publish import exact_view
from services.analysis.state.fold import Folder
from services.analysis.state.state import State
from tests.builders.small_survey import book, crowd, survey

ROW = 50
"""Rows of tables with fewer are not counted."""


@cache
def population(seed: int) -> np.ndarray:
    """A row of zeros and ones for each of five thousand; of half of them a little was left out."""
    people = [*crowd(seed, 2500), *crowd(seed + 1, 2500)]
    reader = Reader(survey())
    return np.vstack([book().tabulate([reader.convert(one)[0] for one in people[at : at + 250]])[0].copy() for at in range(0, 5000, 250)])


def counted(x: np.ndarray) -> State:
    state = Folder(book()).empty()
    state.burt = x.T.astype(np.float64) @ x
    return state


def shares(snapshot: Snapshot) -> Iterator[tuple[tuple[str, ...], Cell, int]]:
    """Every share of everybody's figures with its place, and how many answered."""
    for id, figures in snapshot.questions.items():
        for row, part in figures.rows.items():
            yield from (((id, row, code), cell, part.answered or 0) for code, cell in part.cells.items())
        for code, cell in (figures.cells | figures.bands).items():
            yield (id, "", code), cell, figures.answered or 0


SIDES = (("Use", "Agree.x"), ("place.region", "Agree.y"), ("Place", "Count"), ("Agree.x", "Why"), ("Count", "Use"))


@cache
def truth(seed: int, of: CodeBook) -> tuple[Snapshot, dict[tuple[str, str], Table]]:
    """The exact figures of a population, and its tables."""
    state = counted(population(seed))
    return exact_view.snapshot(of, state, revision=1, as_of="now"), {
        sides: exact_view.table(of, state, *sides, revision=1, as_of="now") for sides in SIDES
    }


def measure(n: int, surveys: int, *, invited: bool = False, seed: int = 1) -> dict[str, np.ndarray]:
    """Of "single" and "row" shares, one line each: absolute error in points, width of the published interval, width without noise, whether
    it holds the share of the population."""
    of = CodeBook(Reader(msgspec.structs.replace(survey(), participation="invited"))) if invited else book()
    found: dict[str, list[tuple[float, float, float, bool]]] = {"single": [], "row": []}
    for number in range(surveys):
        everybody, draw = population(seed + number % 4), np.random.default_rng(seed + number)
        true, true_tables = truth(seed + number % 4, of)
        state = counted(everybody[draw.integers(0, len(everybody), n)])
        exact = {place: cell for place, cell, _ in shares(exact_view.snapshot(of, state, revision=1, as_of="now"))}
        known = {place: cell for place, cell, _ in shares(true)}
        noise = Noise(b"key %28d" % (seed + number), "small")
        state_ = next_edition(Folder(of), state, None, Marks(), Due(True, True), noise, 1, 0.0, "now")
        for place, cell, _ in shares(state_.public):
            found["single"] += line(cell, exact[place], known[place])
        for sides in SIDES:
            shown = public_tables.public(state_, *sides)
            now, ever = exact_view.table(of, state, *sides, revision=1, as_of="now"), true_tables[sides]
            for row, cells in shown.cells.items():
                if (shown.answered.get(row) or 0) >= ROW:
                    found["row"] += [one for code, cell in cells.items() for one in line(cell, now.cells[row][code], ever.cells[row][code])]
    return {name: np.array(lines, float) for name, lines in found.items()}


def line(shown: Cell, exact: Cell, true: Cell) -> list[tuple[float, float, float, bool]]:
    if shown.share is None or shown.ci95 is None or exact.share is None or exact.n is None or true.share is None:
        return []
    low, high = wilson(np.array(float(exact.n)), np.array(exact.n / exact.share if exact.share else 1e9))
    if exact.n == 0:
        return []
    holds = shown.ci95[0] - 0.0006 <= true.share <= shown.ci95[1] + 0.0006
    return [(100 * abs(shown.share - exact.share), shown.ci95[1] - shown.ci95[0], float(high - low), holds)]


def main() -> None:
    print("| survey | respondents | error of a single share, points | width, singles | width, rows | holds: singles | rows | next wait |")
    print("|---|---|---|---|---|---|---|---|")
    for invited in (False, True):
        for n, surveys in ((100, 60), (300, 60), (1000, 40), (10_000, 20)):
            found = measure(n, surveys, invited=invited)
            single, row = found["single"], found["row"]
            widths = [each[:, 1].sum() / each[:, 2].sum() for each in (single, row)]
            instrument = msgspec.structs.replace(survey(), participation="invited" if invited else "open")
            parameters = parameters_of(instrument)
            wait = max(parameters.batch, parameters.growth * n)
            name = "invited" if invited else "open"
            print(
                f"| {name} | {n:,} | {single[:, 0].mean():.2f} | {widths[0]:.2f} | {widths[1]:.2f} | {single[:, 3].mean():.3f} "
                f"| {row[:, 3].mean():.3f} | {wait:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
