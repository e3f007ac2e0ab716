"""What protecting a table costs, in time and in information, beside a textbook Mondrian of the same run.

Loss (NCP), discernibility (DM) and the error of two-way tables (TVD2) are defined in `services.export.protect.measure`. Times are seconds
of one core. Adult is read from `../shared/data/adult` beside the repository; without it only the seeded survey is measured.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.export.protect.anonymise import protect
from services.export.protect.hierarchy import ValueHierarchy
from services.export.protect.measure import Measures, table_error
from services.export.protect.measure import measure as judge
from services.export.protect.request import ProtectionRequest, Sensitive
from services.export.protect.sequence import Ledger, SequenceRules, release
from tests.bench.report import Figure

ROOT = Path(__file__).resolve().parents[2]
ADULT = ROOT.parent / "shared" / "data" / "adult"
QUASI = ("sex", "age", "race", "marital-status", "education", "native-country", "workclass")
ROWS, K = 1_000_000, 5
Table = tuple[NDArray[np.int64], list[ValueHierarchy], list[Sensitive]]


def measure(folder: Path, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    if ADULT.exists():
        table = adult()
        plain, cost = textbook(table)
        beside = f"textbook Mondrian {plain:.2f} s, NCP {cost:.4f}"
        for name, request, limits in (
            ("Adult, sets, evened out", ProtectionRequest(K, "sets", even=True), (0.5, 0.0135, 0.021, 17.0)),
            ("Adult, hierarchy", ProtectionRequest(K), (0.6, 0.066, 0.05, None)),
        ):
            seconds, found, error = timed(table, request, 1 if quick else 3)
            figures += _figures(name, seconds, found, error, limits, beside)
        figures += [_nested(table), *_sequence(table)]
    else:
        figures.append(Figure("Protecting", "Adult", 0, "files", measured=f"{ADULT.relative_to(ROOT.parent)} is absent"))
    rows = ROWS // 10 if quick else ROWS
    told = subprocess.run([sys.executable, "-m", "tests.bench.protecting", str(rows)], check=True, capture_output=True, text=True, cwd=ROOT)
    found = json.loads(told.stdout)
    name, beside = f"{rows:,} rows, hierarchy", f"sorting as many 64-bit numbers {found['sorting']:.3f} s"
    limit = (2.5, 0.021, None, None) if rows == ROWS else (None, None, None, None)
    figures += _figures(name, found["seconds"], Measures(**found["measures"]), found["error"], limit, beside)
    figures.append(Figure("Protecting", f"{name}: memory", found["megabytes"], "MB", 1000, "less", "peak of the process, data included"))
    return figures


def _figures(name: str, seconds: float, found: Measures, error: float, limits: tuple[float | None, ...], beside: str) -> list[Figure]:
    told = f"k = {found.smallest}, {found.classes:,} classes, {found.left_out} rows left out"
    values = (("time", seconds, "s"), ("NCP", found.loss, ""), ("TVD2", error, ""), ("DM/row", found.discernibility, "rows"))
    return [
        Figure("Protecting", f"{name}: {what}", value, unit, limit, "less", told, beside)
        for (what, value, unit), limit in zip(values, limits, strict=True)
    ]


def timed(table: Table, request: ProtectionRequest, repeats: int) -> tuple[float, Measures, float]:
    """Seconds, what the result holds, and the error of its two-way tables."""
    codes, hierarchies, sensitive = table
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        result = protect(codes, hierarchies, sensitive, request)
        best = min(best, time.process_time() - begun)
    return best, judge(codes, hierarchies, sensitive, result), table_error(codes, hierarchies, sensitive, result)


def _nested(table: Table) -> Figure:
    """What it costs a release for research that its classes lie within those for everybody."""
    codes, hierarchies, sensitive = table
    people, narrow, wide = np.arange(len(codes)), ProtectionRequest(K), ProtectionRequest(2 * K)
    found = release(people, codes, hierarchies, sensitive, SequenceRules(wide, narrow), narrow=True).result
    loss, free, above = (
        judge(codes, hierarchies, sensitive, each).loss
        for each in (found, protect(codes, hierarchies, sensitive, narrow, people), protect(codes, hierarchies, sensitive, wide, people))
    )
    return Figure(
        "Protecting",
        f"Adult, k = {K} within k = {2 * K}: extra NCP",
        100 * (loss / free - 1),
        "%",
        10,
        "less",
        f"NCP {loss:.4f}",
        f"by itself {free:.4f}, k = {2 * K} {above:.4f}",
    )


def _sequence(table: Table, releases: int = 5, moving: float = 0.01) -> list[Figure]:
    """Before each further release that share of people withdraws, chosen at random, and as many join."""
    codes, hierarchies, sensitive = table
    rng = np.random.default_rng(5)
    order = rng.permutation(len(codes))
    batch = int(moving * len(codes))
    people, coming = order[batch * (releases - 1) :], order[: batch * (releases - 1)]
    ledger: Ledger | None = None
    ours, naive = list[dict[int, tuple[int, ...]]](), list[dict[int, tuple[int, ...]]]()
    extra = missing = 0.0
    for _ in range(releases):
        people = np.sort(people)
        own = [Sensitive(answer.name, answer.codes[people], answer.size) for answer in sensitive]
        fresh = protect(codes[people], hierarchies, own, ProtectionRequest(K), people)
        step = release(people, codes[people], hierarchies, own, SequenceRules(ProtectionRequest(K)), ledger, most_missing=1.0)
        ledger = step.ledger
        for seen, result in ((ours, step.result), (naive, fresh)):
            seen.append({p: tuple(row) for p, row in zip(people[result.kept].tolist(), result.released[result.kept].tolist(), strict=True)})
        loss = judge(codes[people], hierarchies, own, step.result)
        shown = (loss.loss * loss.rows - loss.left_out) / (loss.rows - loss.left_out)
        extra, missing = shown / judge(codes[people], hierarchies, own, fresh).loss - 1, loss.left_out / loss.rows
        people = np.concatenate([rng.permutation(people)[batch:], coming[:batch]])
        coming = coming[batch:]
    name = f"Sequence of {releases}, {moving:.0%} leave and {moving:.0%} join each time"
    told = f"{missing:.1%} of the people are held back or wait in the last release"
    beside = f"releases that forget the earlier ones: {intersection(naive)}"
    return [
        Figure("Protecting", f"{name}: smallest intersection", intersection(ours), "people", K, "more", told, beside),
        Figure(
            "Protecting",
            f"{name}: extra NCP of what is released",
            100 * extra,
            "%",
            10,
            "less",
            told,
            "against a fresh release of the same people",
        ),
    ]


def intersection(releases: list[dict[int, tuple[int, ...]]]) -> int:
    """The fewest people who are in two releases, or in all, and look the same in each."""
    chosen = [*combinations(releases, 2), tuple(releases)]
    return min(
        min(Counter(tuple(one[person] for one in some) for person in set.intersection(*(set(one) for one in some))).values())
        for some in chosen
    )


def textbook(table: Table) -> tuple[float, float]:
    """Seconds and loss of Mondrian as published: cut at the median of the widest variable, one class after the other, sets released."""
    codes, hierarchies, _ = table
    used = [np.unique(column, return_inverse=True)[1] for column in codes.T]
    values = np.stack(used, axis=1)
    sizes = values.max(axis=0)
    begun, loss, waiting = time.process_time(), 0.0, [np.arange(len(values))]
    while waiting:
        rows = waiting.pop()
        part = values[rows]
        for v in np.argsort(-(np.ptp(part, axis=0) / sizes), kind="stable"):
            middle = np.sort(part[:, v])[len(rows) // 2]
            left = part[:, v] < middle
            if left.sum() < K:
                left = part[:, v] <= middle
            if K <= left.sum() <= len(rows) - K:
                waiting += [rows[left], rows[~left]]
                break
        else:
            for v, hierarchy in enumerate(hierarchies):
                wide = np.ptp(part[:, v]) if hierarchy.numbers else len(np.unique(part[:, v])) - 1
                loss += len(rows) * wide / sizes[v]
    return time.process_time() - begun, loss / values.size


def adult() -> Table:
    lines = [line.split(";") for line in (ADULT / "adult.csv").read_text().splitlines()]
    columns = dict(zip(lines[0], zip(*lines[1:], strict=True), strict=True))
    hierarchies = [_read(name, (ADULT / "h_adult" / f"{name}.csv").read_text()) for name in QUASI]
    codes = [np.array([h.values.index(value) for value in columns[h.name]]) for h in hierarchies]
    occupations, occupation = np.unique(columns["occupation"], return_inverse=True)
    return np.stack(codes, axis=1), hierarchies, [Sensitive("occupation", occupation.astype(np.int64), len(occupations))]


def _read(name: str, text: str) -> ValueHierarchy:
    paths = [line.split(";") for line in text.splitlines()]
    values = tuple(path[0] for path in paths)
    numbers = tuple(map(float, values)) if all(value.isdigit() for value in values) else ()
    return ValueHierarchy(name, values, tuple(tuple(path[1:-1]) for path in paths), numbers)


def survey(rows: int) -> Table:
    """A seeded survey: six quasi-identifiers with their dependences, and an answer that depends on them."""
    rng = np.random.default_rng(20240607)
    age = np.clip(np.round(16 + 74 * rng.beta(1.7, 2.2, rows)), 16, 90).astype(int)
    weight = 1 / np.arange(1, 61) ** 0.8
    region = rng.choice(60, rows, p=weight / weight.sum())
    gender = rng.choice(4, rows, p=[0.49, 0.48, 0.02, 0.01])
    education = np.clip(np.round(3 + 2 * rng.normal(size=rows) + (age > 24) - (age > 65) * 1.2), 0, 8).astype(int)
    young, other = rng.choice([4, 0, 1], rows, p=[0.7, 0.1, 0.2]), rng.choice(8, rows, p=[0.5, 0.17, 0.1, 0.07, 0.03, 0.06, 0.02, 0.05])
    employment = np.where(age > 66, 6, np.where(age < 22, young, other))
    household = np.clip(rng.poisson(np.where(age < 30, 2.2, np.where(age < 55, 2.6, 1.4))), 0, 7)
    leaning = 0.03 * (age - 45) + 0.25 * (education - 4) + 0.4 * (gender == 1) + rng.gumbel(size=rows)
    vote = np.clip(np.digitize(leaning + rng.normal(size=rows) * 0.7, [-1.6, -0.8, -0.1, 0.5, 1.1, 1.9, 2.9]), 0, 7)
    ages = [(str(a), *(f"{a // w * w}-{a // w * w + w - 1}" for w in (5, 10, 20))) for a in range(16, 91)]
    steps: dict[str, list[tuple[str, ...]]] = {
        "age": ages,
        "region": [(f"R{x:02d}", f"P{x // 5:02d}", f"N{x // 15}") for x in range(60)],
        "gender": [(f"G{x}",) for x in range(4)],
        "education": [(f"E{x}", f"EL{x // 3}") for x in range(9)],
        "employment": [(f"J{x}", "working" if x in (0, 1, 2, 7) else "not working") for x in range(8)],
        "household": [(f"H{x}", "alone" if x == 1 else "2-3" if x < 4 else "4+") for x in range(1, 9)],
    }
    hierarchies = [
        ValueHierarchy(name, tuple(p[0] for p in paths), tuple(p[1:] for p in paths), tuple(range(16, 91)) if name == "age" else ())
        for name, paths in steps.items()
    ]
    codes = np.stack([age - 16, region, gender, education, employment, household], axis=1)
    return codes, hierarchies, [Sensitive("vote", vote.astype(np.int64), 8)]


def main(rows: int) -> None:
    """The large table in a process of its own, so that its peak of memory is known."""
    table = survey(rows)
    numbers = np.random.default_rng(1).integers(0, 2**62, rows)
    begun = time.process_time()
    np.sort(numbers)
    sorting = time.process_time() - begun
    seconds, found, error = timed(table, ProtectionRequest(K), 2)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "sorting": sorting, "megabytes": megabytes, "measures": vars(found), "error": error}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
