"""Every exact figure equals what pandas and scipy make of the same answers."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import math
import time
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from proto import intervals
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.snapshot import Cell, Figures, Snapshot
from services.analysis.publish import exact_view
from services.analysis.state.state import State
from tests.builders.bundled import questionnaire
from tests.builders.small_survey import REGIONS, Answers, book, respondents, state_of, survey


def snapshot(people: list[Answers]) -> Snapshot:
    return exact_view.snapshot(book(), state_of(people), revision=3, as_of="2026-11-22T14:05:00Z")


def frame(people: list[Answers]) -> pd.DataFrame:
    return pd.DataFrame(people, columns=[q.id for q in survey().questions], dtype=object)


@cache
def scipys_wilson(n: int, answered: int) -> tuple[float, float]:
    interval = binomtest(n, answered).proportion_ci(0.95, "wilson")
    return float(interval.low), float(interval.high)


def check_cells(cells: dict[str, Cell], series: Any, answered: int) -> None:
    """`series`: one value per answer given."""
    counts = series.value_counts()
    for code, cell in cells.items():
        n = int(counts.get(code, 0))
        assert cell.n == n
        if answered == 0:
            assert cell.share is None
            assert cell.ci95 is None
            continue
        assert cell.share == n / answered
        assert cell.ci95 == pytest.approx(scipys_wilson(n, answered), abs=1e-9)


STAND_INS = ("dk", "many")


def banded(value: float | str) -> str:
    return value if value in STAND_INS else "0" if value < 1 else "1-4" if value < 5 else "5+"


def era(month: str) -> str:
    return month if month in STAND_INS else "to 2019" if int(month[:4]) <= 2019 else "2020+"


def check_question(id: str, figures: Figures, people: pd.DataFrame) -> None:
    given_by = people[id].dropna()
    answered = len(given_by)
    if id != "Agree":
        assert figures.answered == answered
        assert figures.skipped is not None
        assert figures.missing is not None
        assert figures.skipped + figures.missing == len(people) - answered
    match id:
        case "Place" | "Use":
            check_cells(figures.cells, given_by, answered)
        case "Why":
            check_cells(figures.cells, given_by.explode(), answered)
            assert figures.missing == int(((people["Use"] == "y") & people["Why"].isna()).sum())
        case "Agree":
            for row, found in figures.rows.items():
                levels = given_by.map(lambda rows, row=row: rows.get(row)).dropna()
                check_cells(found.cells, levels, len(levels))
                assert found.answered == len(levels)
                scored = pd.to_numeric(levels[levels != "dk"])
                assert found.mean == (pytest.approx(scored.mean()) if len(scored) else None)
                net = ((scored > 3).mean() - (scored < 3).mean()) if len(scored) else None
                assert found.net_agreement == (pytest.approx(net) if net is not None else None)
        case "Rank":
            check_cells(figures.cells, given_by.explode(), answered)
            check_cells(figures.first, given_by.map(lambda order: order[0]), answered)
            for code, score in figures.rank_score.items():
                points = given_by.map(lambda order, code=code: 3 - order.index(code) if code in order else 0)
                assert score == pytest.approx(points.mean())
        case "Count" | "Cost":
            check_cells(figures.bands, given_by.map(banded), answered)
            check_cells(figures.cells, given_by.map(banded), answered)
            assert [*figures.cells] == (["dk", "many"] if id == "Count" else [])
            check_moments(figures, given_by[~given_by.isin(STAND_INS)])
        case "Split":
            for row, found in figures.rows.items():
                shares = given_by.map(lambda answer, row=row: answer[row])
                check_cells(found.cells, shares.map(lambda n: "0" if n == 0 else "10" if n == 10 else "1-9"), answered)
                assert found.answered == answered
                assert found.mean == (sum(shares) / answered if answered else None)
                if found.mean is not None:
                    low, high = intervals.of_share(found.mean / 10, answered)
                    assert found.mean_ci95 == pytest.approx((10 * low, 10 * high))
        case "Since":
            check_cells(figures.bands | figures.cells, given_by.map(era), answered)
            assert figures.nonresponse is None or figures.nonresponse.dk == int((given_by == "dk").sum())
        case _:
            assert not figures.cells


def check_moments(figures: Figures, values: Any) -> None:
    exact = [Fraction(str(value)) for value in values]
    n = len(exact)
    if n == 0:
        assert figures.sum is figures.mean is figures.variance is figures.median_band is None
        return
    assert figures.sum == float(sum(exact))
    assert figures.mean == float(sum(exact) / n)
    assert figures.mean == pytest.approx(values.astype(float).mean())
    if n > 1:
        assert figures.variance == float((n * sum(x * x for x in exact) - sum(exact) ** 2) / (n * (n - 1)))
        assert figures.variance == pytest.approx(values.astype(float).var(ddof=1), abs=1e-9)
    else:
        assert figures.variance is None
    assert figures.median_band == banded(float(np.quantile(values.astype(float), 0.5, method="inverted_cdf")))


@settings(max_examples=20, deadline=None)
@given(respondents())
def test_every_exact_figure_equals_pandas(people: list[Answers]) -> None:
    found, everybody = snapshot(people), frame(people)
    assert found.responses == len(people)
    for id, figures in found.questions.items():
        check_question(id, figures, everybody)


@settings(max_examples=8, deadline=None)
@given(respondents())
def test_every_breakdown_equals_pandas_within_each_group(people: list[Answers]) -> None:
    found, everybody = snapshot(people), frame(people)
    strata = {"place.region": everybody["Place"].map(REGIONS), "uses": (everybody["Use"] == "y").map({True: "1", False: "0"})}
    assert found.breakdowns.keys() == strata.keys()
    for name, groups in found.breakdowns.items():
        for code, group in groups.items():
            members = everybody[strata[name] == code]
            assert group.responses == len(members)
            for id, figures in group.questions.items():
                check_question(id, figures, members)


@settings(max_examples=25, deadline=None)
@given(respondents(fewest=1), st.sampled_from([("Place", "Use"), ("Use", "Why"), ("Why", "Agree.x"), ("uses", "Rank"), ("Count", "Since")]))
def test_any_two_way_table_equals_pandas(people: list[Answers], pair: tuple[str, str]) -> None:
    table = exact_view.table(book(), state_of(people), *pair, revision=1, as_of="now")
    sides = [side(frame(people), name) for name in pair]
    for i, line in table.cells.items():
        for j, cell in line.items():
            both = sum(i in mine and j in yours for mine, yours in zip(*sides, strict=True))
            of = sum(i in mine and bool(yours) for mine, yours in zip(*sides, strict=True))
            assert cell.n == both
            assert cell.share == (both / of if of else None)


def side(people: pd.DataFrame, name: str) -> list[list[str]]:
    """The codes that each respondent has on one side of a table."""
    if name == "uses":
        return [["1" if use == "y" else "0"] for use in people["Use"]]
    id, _, row = name.partition(".")
    values = [None if isinstance(value, float) and math.isnan(value) else value for value in people[id]]
    if row:
        return [[value[row]] if isinstance(value, dict) and row in value else [] for value in values]
    if id == "Count":
        return [[] if value is None else [banded(value)] for value in values]
    if id == "Since":
        return [[] if value is None else [era(value)] for value in values]
    return [[] if value is None else [value] if isinstance(value, str) else list(value) for value in values]


@given(st.integers(1, 500).flatmap(lambda answered: st.tuples(st.integers(0, answered), st.just(answered))))
def test_intervals_are_wilsons(pair: tuple[int, int]) -> None:
    n, answered = pair
    low, high = intervals.wilson(np.array([float(n)]), np.array([float(answered)]))
    assert (low[0], high[0]) == pytest.approx(scipys_wilson(n, answered), abs=1e-12)


def test_nobody_yet_is_a_picture_too() -> None:
    found = snapshot([])
    assert found.responses == 0
    assert found.questions["Use"].cells["y"] == Cell(0)
    assert found.questions["Count"].mean is None


def test_a_withdrawn_answer_leaves_no_trace_in_the_figures() -> None:
    people: list[Answers] = [{"Place": "a", "Cost": 8.75}, {"Place": "b", "Cost": 0.25}]
    state = state_of(people)
    state.subtract(state_of(people[:1]))
    found = exact_view.snapshot(book(), state, revision=1, as_of="now").questions["Cost"]
    assert (found.sum, found.mean, found.variance) == (0.25, 0.25, None)


def test_the_whole_exact_picture_of_the_largest_questionnaire_takes_less_than_a_tenth_of_a_second() -> None:
    codebook = CodeBook(Reader(questionnaire()))
    state = State.empty(len(codebook), len(codebook.numbers), len(codebook.groups))
    state.burt[:] = 5
    state.burt[0, :] = state.burt[:, 0] = 1000
    spent: list[float] = []
    for _ in range(7):
        begun = time.process_time()
        exact_view.snapshot(codebook, state, revision=1, as_of="now")
        spent.append(time.process_time() - begun)
    assert min(spent) < 0.1
