"""What a guarantee costs readers: by reckoning, and measured on the small survey of the tests. Run: python -m tests.analysis.promised"""

from __future__ import annotations

from math import sqrt

import numpy as np

from services.analysis.disclosure.accountant import Guarantee
from services.analysis.disclosure.advice import SIZES, Promise
from services.analysis.disclosure.cells import parameters_in
from services.analysis.disclosure.parameters import EDITIONS
from services.analysis.publish import exact_view
from tests.analysis.disclosure.test_guarantee import counted, guaranteed, population, published, shares, truth

EPSILONS, HISTOGRAMS, DELTA = (2, 4, 8), (8, 60), 1e-6


def costs() -> list[str]:
    """The lines of a table: off by so many points is a share of 50 %, by epsilon and number of histograms."""
    promises = [
        Promise(each, EDITIONS, sqrt(Guarantee(epsilon, DELTA, EDITIONS, each).variance)) for each in HISTOGRAMS for epsilon in EPSILONS
    ]
    lines = ["| a count | " + " | ".join(f"{promise.count:.1f}" for promise in promises) + " | |"]
    for n in SIZES:
        off = " | ".join(_short(promise.of_share(n)) for promise in promises)
        lines.append(f"| a share of 50 % of {n:,} | {off} | {_short(Promise.of_sampling(n))} |")
    return lines


def _short(points: float) -> str:
    return f"{points:.0f}" if points >= 10 else f"{points:.1f}" if points >= 1 else f"{points:.2f}"


def measured(epsilon: float, n: int, surveys: int) -> str:
    """One line: the error of shares between 30 and 70 %, as reckoned and as found, and how often intervals hold the population's."""
    book, off = guaranteed(epsilon), list[float]()
    held: dict[bool, list[bool]] = {False: [], True: []}
    for seed in range(surveys):
        everybody, draw = population(seed % 3), np.random.default_rng(seed)
        state = counted(book, everybody[draw.integers(0, len(everybody), n)])
        exact, true = dict(shares(exact_view.snapshot(book, state, revision=1, as_of="now"))), dict(shares(truth(seed % 3)))
        for place, cell in shares(published(state, book, key=b"%032d" % seed).public):
            here, ever = exact[place].share, true[place].share
            if cell.share is None or cell.ci95 is None or here is None or ever is None:
                continue
            held[bool(place[0])].append(cell.ci95[0] - 0.0006 <= ever <= cell.ci95[1] + 0.0006)
            if not place[0] and 0.3 < here < 0.7:
                off.append(cell.share - here)
    guarantee = parameters_in(book).guarantee
    assert guarantee is not None
    reckoned, found = 100 * sqrt(guarantee.variance) / n, 100 * float(np.sqrt(np.mean(np.square(off))))
    single, group = (np.mean(held[grouped]) for grouped in (False, True))
    return f"| {epsilon:g} | {n:,} | {reckoned:.2f} | {found:.2f} | {single:.3f} | {group:.3f} |"


def main() -> None:
    print("| off by, points | 8 histograms: epsilon 2 | 4 | 8 | 60 histograms: epsilon 2 | 4 | 8 | sampling alone |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(costs()))
    print("\n| epsilon | respondents | reckoned | found | intervals hold: single | breakdowns |\n|---|---|---|---|---|---|")
    for epsilon in (4.0, 8.0):
        for n, surveys in ((300, 100), (1000, 100), (10_000, 40)):
            print(measured(epsilon, n, surveys), flush=True)


if __name__ == "__main__":
    main()
