"""Every published quotient follows from the published counts with the questionnaire: nothing public rests on anything else."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from proto import instrument as i
from proto import snapshot as snapshots
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Margin, Portion
from services.analysis.disclosure import public_tables, weighted_public_tables
from services.analysis.disclosure.parameters import OPEN
from services.analysis.disclosure.published_state import PublishedState
from services.analysis.disclosure.rounding import DIGITS, of_table
from services.analysis.statistics.association import associate
from tests.builders.small_survey import crowd, released, survey

Path = tuple[str | int, ...]
NEAR = 0.51 * 10**-DIGITS
"""Half of the last digit."""
REGION = Margin("place.region", {"en": "A register"}, (Portion("north", 0.2), Portion("east", 0.3), Portion("south", 0.5)))
SCALE = tuple("12345")
HEADLINES = (
    i.Headline("uses", {"en": "Use it"}, "Use", "share", of="uses"),
    i.Headline("some", {"en": "Agree"}, "Agree", "share", options=("4", "5"), row="x"),
    i.Headline("rows", {"en": "Agree, by row"}, "Agree", "share", options=("4", "5")),
    i.Headline("net", {"en": "Agreement"}, "Agree", "net_agreement"),
    i.Headline("best", {"en": "Ranked"}, "Rank", "rank_score"),
    i.Headline("why", {"en": "Reasons"}, "Why", "share"),
    i.Headline("yes", {"en": "Yes"}, "Use", "share", options=("y",)),
)


@cache
def found(seed: int) -> PublishedState:
    book = CodeBook(Reader(replace(survey(), margins=(REGION,), headlines=HEADLINES)))
    return released(crowd(seed, 400), *range(40, 390, 40), of=book)


def quotients(value: Any, path: Path = ()) -> Iterator[tuple[Path, float]]:
    """Every number of a document that is not whole."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from quotients(inner, (*path, name))
    elif isinstance(value, float):
        yield path, value


def follows(path: Path, value: float, known: float, near: float) -> None:
    """The same number; the end of an interval lies as far out as sampling alone would have it, or farther: noise is in it."""
    if path[-2] in ("ci95", "mean_ci95", "net_agreement_ci95"):
        assert value <= known + near if path[-1] == 0 else value >= known - near, path
    else:
        assert value == pytest.approx(known, abs=near), path


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 15])
def test_every_quotient_of_a_public_snapshot_follows_from_the_counts_in_it(seed: int) -> None:
    shown = json.loads(snapshots.encode(found(seed).public))
    known = dict(of_snapshot(shown, found(seed)))
    told = {path: value for path, value in quotients(shown) if path[0] != "policy"}
    for path, value in told.items():
        assert value == round(value, DIGITS), path
        # the effective size is rounded itself, and so a weighted interval may be off by a little more
        follows(path, value, known[path], 2 * NEAR if "weighted" in path else NEAR)
    assert {path[-1] for path in told} >= {"share", "mean", "net_agreement", "rate", "n_eff", "deff", "value"}
    assert ("questions", "Split", "rows", "x", "weighted", "mean") in told
    assert len(told) > 300


@pytest.mark.parametrize("sides", [("Use", "Agree.x"), ("Agree.x", "place.region"), ("place.region", "Rank"), ("Why", "Place")])
def test_every_quotient_of_a_public_table_follows_from_the_counts_in_it(sides: tuple[str, str]) -> None:
    released_state = found(2)
    shown = json.loads(snapshots.encode(public_tables.public(released_state, *sides)))
    assert released_state.tables is not None
    blocks = len(released_state.tables.cells.blocks.sizes)
    known = dict(of_table_itself(shown, OPEN.table_variance(shown["responses"], blocks)))
    told = {path: value for path, value in quotients(shown) if path[0] != "policy"}
    assert told
    for path, value in told.items():
        assert value == round(value, DIGITS), path
        follows(path, value, known[path], NEAR)


def test_a_weighted_table_is_as_long_as_any_other() -> None:
    state = found(2)
    table = of_table(weighted_public_tables.public(public_tables.public(state, "place.region", "Use"), state))
    told = dict(quotients(json.loads(snapshots.encode(table))))
    assert any("weighted" in path for path in told)
    assert all(value == round(value, DIGITS) for value in told.values())


def of_snapshot(shown: dict[str, Any], state: PublishedState) -> Iterator[tuple[Path, float]]:
    weights = _weights(shown)
    total, squares = (sum(n * w**power for n, w in weights.values()) for power in (1, 2))
    n_eff = min(total, shown["responses"]) ** 2 / squares
    yield ("weighting", "n_eff"), n_eff
    yield ("weighting", "deff"), min(total, shown["responses"]) / n_eff
    for id, section in shown["sections"].items():
        yield ("sections", id, "share"), section["answered"] / section["asked"]
    for id, figures in shown["questions"].items():
        yield from _question(("questions", id), id, figures, weights, state)
    for stratum, groups in shown["breakdowns"].items():
        for code, group in groups.items():
            for id, figures in group.get("questions", {}).items():
                yield from _question(("breakdowns", stratum, code, "questions", id), id, figures, {}, state)
    yield from _headlines(shown)


def _weights(shown: dict[str, Any]) -> dict[str, tuple[int, float]]:
    """How many are in each group of the margin, and what each of them weighs. A group that is not shown counts nobody."""
    sizes = {code: group.get("responses", 0) for code, group in shown["breakdowns"]["place.region"].items()}
    share, everybody = {one.code: one.share for one in REGION.portions}, sum(sizes.values())
    joined = {code: together for together in shown["weighting"]["groups"]["place.region"] for code in together}
    return {code: (n, sum(share[c] for c in joined[code]) * everybody / sum(sizes[c] for c in joined[code])) for code, n in sizes.items()}


def _question(path: Path, id: str, figures: dict[str, Any], weights: dict[str, Any], state: PublishedState) -> Iterator[tuple[Path, float]]:
    for row, inner in figures.get("rows", {}).items():
        yield from _question((*path, "rows", row), f"{id}.{row}", inner, weights, state)
    for name in ("cells", "bands", "first"):
        yield from _cells((*path, name), figures.get(name, {}), figures.get("answered", 0))
    if rest := figures.get("nonresponse"):
        yield (*path, "nonresponse", "rate"), (rest["missing"] + rest.get("dk", 0) + rest.get("pnts", 0)) / rest["asked"]
    cells = figures.get("cells") or figures.get("bands") or {}
    for name, value in _scale([cells.get(code, {}).get("n") for code in SCALE] if id.startswith("Agree") else []):
        yield (*path, *name), value
    if digits := figures.get("digits"):
        mean = min(sum(n << place for place, n in enumerate(digits)) / figures["answered"], 10)
        yield (*path, "mean"), mean
        for end, share in enumerate(proportion_confint(mean / 10 * figures["answered"], figures["answered"], method="wilson")):
            yield (*path, "mean_ci95", end), 10 * float(share)
    for code, places in figures.get("places", {}).items():
        points = sum(n * (len(places) - at) for at, n in enumerate(places))
        yield (*path, "rank_score", code), points / max(figures["answered"], sum(places))
    if weights and "n_eff" in figures:
        yield from _weighted(path, id, figures, weights, state)


def _cells(path: Path, cells: dict[str, Any], answered: int) -> Iterator[tuple[Path, float]]:
    whole = max([answered, *(cell.get("n", 0) for cell in cells.values())])
    for code, cell in cells.items():
        if "n" in cell and whole:
            yield (*path, code, "share"), cell["n"] / whole
            yield from _wilson((*path, code), cell["n"], whole)


def _wilson(path: Path, n: float, of: float) -> Iterator[tuple[Path, float]]:
    for place, end in enumerate(proportion_confint(n, of, method="wilson")):
        yield (*path, "ci95", place), float(end)


def _scale(counts: list[float | None]) -> Iterator[tuple[Path, float]]:
    if not counts or None in counts or sum(n or 0 for n in counts) <= 0:
        return
    n = np.array(counts, float)
    values, total = np.arange(1, len(n) + 1), n.sum()
    mean = float(n @ values / total)
    above, below = n[3:].sum(), n[:2].sum()
    yield ("mean",), mean
    yield ("net_agreement",), (above - below) / total
    if total >= 2:
        half = student.ppf(0.975, total - 1) * sqrt(float(n @ (values - mean) ** 2) / (total - 1) / total)
        yield ("mean_ci95", 0), max(mean - half, 1)
        yield ("mean_ci95", 1), min(mean + half, 5)
    centre, both = (above - below) / (total + 2), (above + below + 2) / (total + 2)
    half = 1.959964 * sqrt((both - centre**2) / (total + 2))
    yield ("net_agreement_ci95", 0), max(centre - half, -1)
    yield ("net_agreement_ci95", 1), min(centre + half, 1)


def _weighted(
    path: Path, id: str, figures: dict[str, Any], weights: dict[str, tuple[int, float]], state: PublishedState
) -> Iterator[tuple[Path, float]]:
    """From the public table of the margin by this question; who stood first, from its groups."""
    table = json.loads(snapshots.encode(public_tables.public(state, "place.region", id)))
    cells = {group: {code: cell.get("n", 0) for code, cell in line.items()} for group, line in table["cells"].items()}
    shares, n_eff = _shares(cells, table.get("answered", {}), weights)
    yield (*path, "n_eff"), n_eff
    for name in ("cells", "bands"):
        for code in figures.get(name, {}):
            yield (*path, name, code, "weighted", "share"), shares[code]
            yield from _wilson((*path, name, code, "weighted"), shares[code] * n_eff, n_eff)
    if "first" in figures:
        of = {group: one.questions[id] for group, one in state.public.breakdowns["place.region"].items() if id in one.questions}
        first = {group: {code: cell.n or 0 for code, cell in one.first.items()} for group, one in of.items()}
        parts, worth = _shares(first, {group: one.answered or 0 for group, one in of.items()}, weights)
        for code, share in parts.items():
            yield (*path, "first", code, "weighted", "share"), share
            yield from _wilson((*path, "first", code, "weighted"), share * worth, worth)
    if "digits" in figures:
        question, _, row = id.partition(".")
        groups = {group: one.questions[question] for group, one in state.public.breakdowns["place.region"].items()}
        sums = sum(weights[g][1] * sum(n << at for at, n in enumerate(one.rows[row].digits)) for g, one in groups.items())
        mean = sums / sum(weights[g][1] * (one.answered or 0) for g, one in groups.items())
        yield (*path, "weighted", "mean"), mean
        for end, share in enumerate(proportion_confint(mean / 10 * n_eff, n_eff, method="wilson")):
            yield (*path, "weighted", "mean_ci95", end), 10 * float(share)
    if id.startswith("Agree"):
        for name, value in _scale([shares[code] * n_eff for code in SCALE]):
            yield (*path, "weighted", *name), value


def _shares(
    cells: dict[str, dict[str, int]], answered: dict[str, int], weights: dict[str, tuple[int, float]]
) -> tuple[dict[str, float], float]:
    """Weighted shares of counts by group, and how many respondents of equal weight those who answered are worth."""
    codes = list(next(iter(cells.values())))
    sums = np.zeros((2, len(codes) + 1))
    for group, line in cells.items():
        n = np.array([*(line[code] for code in codes), answered.get(group, 0)], float)
        sums += np.vstack([n * weights[group][1], n * weights[group][1] ** 2])
    whole, squares = sums.max(axis=1)
    return dict(zip(codes, np.minimum(sums[0, :-1] / whole, 1), strict=True)), whole**2 / squares


def _headlines(shown: dict[str, Any]) -> Iterator[tuple[Path, float]]:
    for id, headline in shown["headlines"].items():
        wanted = next(one for one in HEADLINES if one.id == id)
        yield from _told(("headlines", id), headline)
        figures = shown["questions"][wanted.question]
        for code, item in headline.get("items", {}).items():
            path = ("headlines", id, "items", code)
            if wanted.stat == "net_agreement":
                row = figures["rows"][code]
                yield (*path, "value"), row["net_agreement"]
                yield from (((*path, "ci95", place), end) for place, end in enumerate(row["net_agreement_ci95"]))
            elif wanted.stat == "rank_score":
                yield (*path, "value"), figures["rank_score"][code]
                places = figures["places"][code]
                points = [0] * max(figures["answered"] - sum(places), 0) + [3 - at for at, n in enumerate(places) for _ in range(n)]
                half = student.ppf(0.975, len(points) - 1) * np.std(points, ddof=1) / sqrt(len(points))
                yield (*path, "ci95", 0), max(np.mean(points) - half, 0)
                yield (*path, "ci95", 1), min(np.mean(points) + half, 3)
            else:
                yield from _told(path, item)


def _told(path: Path, headline: dict[str, Any]) -> Iterator[tuple[Path, float]]:
    if "n" in headline:
        whole = max(headline["n"], headline["of"])
        yield (*path, "value"), headline["n"] / whole
        yield from _wilson(path, headline["n"], whole)


def of_table_itself(shown: dict[str, Any], variance: float) -> Iterator[tuple[Path, float]]:
    for name in ("rows", "columns"):
        for code, cell in shown[name].items():
            if "share" in cell:  # of those who answered, whom the counts add up to where answers exclude each other
                yield (name, code, "share"), cell["share"]
    for row, cells in shown["cells"].items():
        yield from _cells(("cells", row), cells, shown.get("answered", {}).get(row, 0))
    rows = [[cell.get("n") for cell in cells.values()] for cells in shown["cells"].values() if any("n" in cell for cell in cells.values())]
    seen = [at for at in range(len(rows[0])) if any(row[at] is not None for row in rows)]
    if all(row[at] is not None for row in rows for at in seen):
        whole = associate(np.array([[row[at] for at in seen] for row in rows], float), variance)
        yield from ((("association", name), getattr(whole, name)) for name in ("chi2", "df", "p", "cramers_v"))
