"""Weighted figures equal statsmodels and meet every margin; where nothing can be weighted, the reason is told."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import json
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument, Margin, Policy, Portion
from proto.snapshot import Snapshot
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount import recount
from services.analysis.recount.recount import Tally
from services.analysis.statistics.weighting import fit, join, kish, rake
from tests.builders.small_survey import REGIONS, Answers, crowd, crowds, state_of, survey

REGION = Margin("place.region", {"en": "A register"}, (Portion("north", 0.2), Portion("east", 0.3), Portion("south", 0.5)))
USE = Margin("uses", {"en": "Another register"}, (Portion("0", 0.6), Portion("1", 0.4)))
COUNT = Margin("Count", {"en": "A census"}, (Portion("0", 0.2), Portion("1-4", 0.5), Portion("5+", 0.3)))


def weighted(*margins: Margin, minimum: int = 1) -> CodeBook:
    found: Instrument = replace(survey(), margins=margins, policy=Policy(minimum=minimum))
    return CodeBook(Reader(found))


def exact(people: list[Answers], book: CodeBook) -> Snapshot:
    return exact_view.snapshot(book, state_of(people, book), revision=1, as_of="now")


def margins_of(people: list[Answers]) -> pd.DataFrame:
    frame = pd.DataFrame(people, columns=["Place", "Use", "Count"])
    frame["region"] = frame["Place"].map(REGIONS)
    frame["uses"] = (frame["Use"] == "y").map({True: "1", False: "0"})
    frame["count"] = [None if pd.isna(n) else "0" if n < 1 else "1-4" if n < 5 else "5+" for n in frame["Count"]]
    return frame


def raked(frame: pd.DataFrame, margins: dict[str, Margin]) -> Any:
    """The weight of each respondent, respondent by respondent; 0 outside."""
    inside = frame[list(margins)].notna().all(axis=1)
    weights = inside.astype(float)
    for _ in range(400):
        for column, margin in margins.items():
            for portion in margin.portions:
                group = inside & (frame[column] == portion.code)
                weights[group] *= portion.share * inside.sum() / weights[group].sum()
    return weights


def many(seed: int, size: int = 300) -> list[Answers]:
    draw = Random(seed)
    people = [
        one | {"Place": draw.choice("abcd"), "Use": draw.choice("yn"), "Count": draw.choice([0, 2, 7, None])} for one in crowd(seed, size)
    ]
    return [{id: value for id, value in one.items() if id != "Why" and value is not None} for one in people]


@pytest.mark.slow
@pytest.mark.parametrize("margins", [{"region": REGION}, {"count": COUNT}, {"region": REGION, "uses": USE, "count": COUNT}])
def test_weighted_shares_equal_statsmodels_with_weights_raked_respondent_by_respondent(margins: dict[str, Margin]) -> None:
    people = many(3)
    book = weighted(*margins.values())
    found, frame = exact(people, book), margins_of(people)
    weights = raked(frame, margins)
    assert found.weighting is not None
    assert found.weighting.reason is None
    assert found.weighting.responses == (weights > 0).sum()
    assert found.weighting.n_eff == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert found.weighting.deff == pytest.approx((weights > 0).sum() * (weights**2).sum() / weights.sum() ** 2)
    agree = pd.Series([one.get("Agree", {}).get("x") for one in people])
    for values, figures in ((frame["Use"], found.questions["Use"]), (agree, found.questions["Agree"].rows["x"])):
        gave = values.notna() & (weights > 0)
        n_eff = weights[gave].sum() ** 2 / (weights[gave] ** 2).sum()
        assert figures.n_eff == pytest.approx(n_eff)
        for code, cell in figures.cells.items():
            oracle = DescrStatsW((values[gave] == code).astype(float), weights[gave])
            assert cell.weighted is not None
            assert cell.weighted.share == pytest.approx(oracle.mean, abs=1e-9)
            assert cell.weighted.ci95 == pytest.approx(proportion_confint(oracle.mean * n_eff, n_eff, method="wilson"), abs=1e-9)
    levels = pd.to_numeric(agree.where(agree != "dk"))
    oracle = DescrStatsW(levels[levels.notna()], weights[levels.notna()])
    row = found.questions["Agree"].rows["x"]
    assert row.weighted is not None
    assert row.weighted.mean == pytest.approx(oracle.mean)
    split = pd.Series([one.get("Split", {}).get("x") for one in people], dtype=float)
    gave = split.notna() & (weights > 0)
    oracle, n_eff = DescrStatsW(split[gave], weights[gave]), weights[gave].sum() ** 2 / (weights[gave] ** 2).sum()
    shared = found.questions["Split"].rows["x"].weighted
    assert shared is not None
    assert shared.mean == pytest.approx(oracle.mean)
    part = np.array(proportion_confint(oracle.mean / 10 * n_eff, n_eff, method="wilson"))
    assert shared.mean_ci95 == pytest.approx(tuple(10 * part))


def test_intervals_of_a_scale_equal_statsmodels() -> None:
    people = many(4)
    row = exact(people, weighted()).questions["Agree"].rows["x"]
    levels = [int(level) for one in people if (level := one.get("Agree", {}).get("x")) not in (None, "dk")]
    assert row.mean_ci95 == pytest.approx(DescrStatsW(levels).tconfint_mean(), abs=1e-6)
    assert row.net_agreement is not None
    assert row.net_agreement_ci95 is not None
    assert row.net_agreement_ci95[0] < row.net_agreement < row.net_agreement_ci95[1]


@settings(max_examples=20, deadline=None)
@given(crowds(1, 60), st.sampled_from([(), (REGION,), (COUNT,), (REGION, USE), (REGION, USE, COUNT)]), st.sampled_from([1, 5]))
def test_a_recount_of_weights_non_response_sections_and_intervals_differs_nowhere(
    people: list[Answers], margins: tuple[Margin, ...], minimum: int
) -> None:
    book = weighted(*margins, minimum=minimum)
    tally = Tally(book.instrument, lambda survey, version: book.instrument)
    tally.add([StoredResponse(id="", version="1.0.0", answers=json.dumps(one)) for one in people])
    compared, differences = recount.compare(exact(people, book), tally)
    assert differences == []
    assert compared > 100


def test_a_recount_of_margins_that_no_weights_reach_says_so_too() -> None:
    people, book = crowd(40, Random(40).randint(1, 60)), weighted(REGION, USE, COUNT)
    tally = Tally(book.instrument, lambda survey, version: book.instrument)
    tally.add([StoredResponse(id="", version="1.0.0", answers=json.dumps(one)) for one in people])
    assert tally.figures()["weighting"] == {"reason": "no-fit"}
    assert recount.compare(exact(people, book), tally)[1] == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=12, max_size=12), st.integers(0, 2**32))
def test_raked_counts_meet_every_margin_and_factors_are_products(counts: list[int], seed: int) -> None:
    table = np.array(counts, float).reshape(3, 4) + 1
    draw = np.random.default_rng(seed)
    targets = [draw.dirichlet(np.ones(side) * 3) * table.sum() for side in table.shape]
    factors = rake(table, targets)
    assert factors is not None
    for axis, target in enumerate(targets):
        assert (factors * table).sum(1 - axis) == pytest.approx(target, rel=1e-9)
    assert factors / factors[:1] * factors[0, 0] == pytest.approx(np.tile(factors[:, :1], 4), rel=1e-9)


def test_margins_that_no_weights_reach_are_refused() -> None:
    assert rake(np.array([[5.0, 0.0], [0.0, 5.0]]), [np.array([2.0, 8.0]), np.array([8.0, 2.0])]) is None


@given(st.lists(st.integers(0, 50), min_size=1, max_size=9), st.integers(1, 30))
def test_groups_are_joined_with_neighbours_until_none_is_small(sizes: list[int], least: int) -> None:
    place = join(np.array(sizes, float), least).tolist()
    assert place[0] == 0
    assert all(0 <= later - earlier <= 1 for earlier, later in pairwise(place))
    joined = np.bincount(place, sizes)
    assert (joined >= least).all() or len(joined) == 1
    if min(sizes) >= least:
        assert place == list(range(len(sizes)))


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
def test_an_effective_size_is_between_one_and_all(weights: list[float]) -> None:
    of = np.array(weights)
    assert 1 - 1e-9 <= kish(of.sum(), (of**2).sum()) <= len(of) + 1e-9


def test_without_margins_or_respondents_the_reason_is_told_and_no_figure_is_weighted() -> None:
    people = many(5, 40)
    for book, reason in ((weighted(), "no-margin"), (weighted(REGION, minimum=39), "too-few")):
        found = exact(people, book)
        assert found.weighting is not None
        assert found.weighting.reason == reason
        assert "weighted" not in msgspec.json.encode(found.questions).decode()


def test_small_groups_are_joined_and_named() -> None:
    people = [{"Place": "a"}] * 30 + [{"Place": "b"}] * 3 + [{"Place": "c"}] * 20
    weights = fit(weighted(REGION, minimum=10), state_of(people, weighted(REGION, minimum=10)).burt[0])
    assert weights.published.groups == {"place.region": (("north",), ("east", "south"))}
    assert weights.of.tolist() == pytest.approx([0.2 * 53 / 30, 0.8 * 53 / 23, 0.8 * 53 / 23])
