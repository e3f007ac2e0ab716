"""Figures weighted by the weights of data: exact ones equal statsmodels, public ones are near them, and a recount finds the same."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from statistics import NormalDist

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from proto import case_weights
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Policy
from proto.problem import Problem
from proto.snapshot import Snapshot
from services.analysis.dashboard.policy_text import weighting
from services.analysis.dashboard.words import CATALOGUES, DashboardWords
from services.analysis.disclosure.cells import cells_of
from services.analysis.disclosure.published_state import PublishedState
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount import recount
from services.analysis.recount.recount import Tally
from services.analysis.statistics import weighted_tables
from services.analysis.statistics.weighting import fit, steps
from tests.builders.small_survey import Answers, released, state_of
from tests.builders.weighted_survey import book, weighing, weight

SURVEYS = int(os.environ.get("PLATEA_WEIGHTED_SURVEYS", "3"))
"""Generated surveys of each kind; more of them measure the claim more sharply."""


def exact(people: list[Answers], of: CodeBook) -> Snapshot:
    return exact_view.snapshot(of, state_of(people, of), revision=1, as_of="now")


def test_weighted_shares_equal_statsmodels_with_the_weight_of_each_respondent() -> None:
    of = book()
    people, _ = weighing(4, 300, of, some=True)
    found = exact(people, of)
    weights = np.array([float(one.get("Weight", 0)) for one in people])
    assert found.weighting is not None
    assert (found.weighting.cases, found.weighting.reason, found.weighting.groups) == (True, None, {})
    assert found.weighting.responses == (weights > 0).sum() < 300
    assert found.weighting.n_eff == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert found.weighting.deff == pytest.approx((weights > 0).sum() * (weights**2).sum() / weights.sum() ** 2)
    agree = [one.get("Agree", {}).get("x") for one in people]
    for values, figures in (([one.get("Use") for one in people], found.questions["Use"]), (agree, found.questions["Agree"].rows["x"])):
        gave = np.array([value is not None for value in values]) & (weights > 0)
        n_eff = weights[gave].sum() ** 2 / (weights[gave] ** 2).sum()
        assert figures.n_eff == pytest.approx(n_eff)
        for code, cell in figures.cells.items():
            oracle = DescrStatsW(np.array([float(value == code) for value in values])[gave], weights[gave])
            assert cell.weighted is not None
            assert cell.weighted.share == pytest.approx(oracle.mean, abs=1e-9)
            assert cell.weighted.ci95 == pytest.approx(proportion_confint(oracle.mean * n_eff, n_eff, method="wilson"), abs=1e-9)
    given = np.array([value not in (None, "dk") for value in agree]) & (weights > 0)
    scores = np.array([int(value) if value not in (None, "dk") else 0 for value in agree])
    row = found.questions["Agree"].rows["x"]
    assert row.weighted is not None
    assert row.weighted.mean == pytest.approx(DescrStatsW(scores[given], weights[given]).mean)


@pytest.mark.parametrize("classes", [6, 8, 12])
def test_rounding_to_classes_moves_shares_by_less_than_a_third_of_the_half_width(classes: int) -> None:
    of = book(classes)
    for seed in range(3):
        people, weights = weighing(seed, 400, of)
        for code, cell in exact(people, of).questions["Use"].cells.items():
            gave = [weight for one, weight in zip(people, weights, strict=True) if "Use" in one]
            chose = [weight for one, weight in zip(people, weights, strict=True) if one.get("Use") == code]
            assert cell.weighted is not None
            low, high = cell.weighted.ci95
            assert abs(cell.weighted.share - sum(chose) / sum(gave)) < (high - low) / 6


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.booleans(), st.sampled_from([1, 5]))
def test_a_recount_finds_the_same_weighted_figures(seed: int, size: int, some: bool, minimum: int) -> None:
    of = book(minimum=minimum)
    people, _ = weighing(seed, size, of, some=some)
    tally = Tally(of.instrument, lambda survey, version: of.instrument)
    tally.add([StoredResponse(id="", version="1.0.0", answers=json.dumps(one)) for one in people])
    compared, differences = recount.compare(exact(people, of), tally)
    assert differences == []
    assert compared > 100


def test_a_recount_tells_a_weight_that_counted_as_another() -> None:
    of = book(minimum=1)
    people, _ = weighing(1, 40, of)
    tally = Tally(of.instrument, lambda survey, version: of.instrument)
    tally.add([StoredResponse(id="", version="1.0.0", answers=json.dumps(one)) for one in people])
    lightest, heaviest = (option.code for option in (weight().options[0], weight().options[-1]))
    moved = [people[0] | {"Weight": lightest if people[0]["Weight"] != lightest else heaviest}, *people[1:]]
    _, differences = recount.compare(exact(moved, of), tally)
    assert any("weighting" in str(difference) for difference in differences)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 80))
def test_a_withdrawal_leaves_no_trace_in_weighted_figures(seed: int, size: int) -> None:
    of = book(minimum=1)
    people, _ = weighing(seed, size, of)
    state = state_of(people, of)
    part = state_of(people[: size // 2], of)
    rest = state_of(people[size // 2 :], of)
    assert (state.burt - rest.burt == part.burt).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_steps_of_exact_counts_weigh_as_the_classes_do(seed: int) -> None:
    of = book(minimum=1)
    people, _ = weighing(seed, 120, of, some=True)
    state = state_of(people, of)
    question = of.instrument.case_weight
    assert question is not None
    whole, stepped = fit(of, state.burt[0]), steps(of, question, state.burt[0])
    assert stepped.sums(state.burt[stepped.columns]) == pytest.approx(whole.sums(state.burt[whole.columns]), rel=1e-9, abs=1e-9)
    assert stepped.published.n_eff == pytest.approx(whole.published.n_eff)
    assert (stepped.of**2).sum() <= (whole.of**2).sum() + 1e-9, "steps have less noise"


def test_classes_that_few_reach_are_joined_with_those_below_and_keep_the_mean() -> None:
    of = book(minimum=10)
    question = of.instrument.case_weight
    assert question is not None
    codes, weights = [option.code for option in question.options], case_weights.weights_of(question)
    people: list[Answers] = [{"Place": "a", "Weight": codes[at]} for at, n in ((2, 30), (3, 40), (5, 6), (7, 3)) for _ in range(n)]
    state = state_of(people, of)
    stepped = steps(of, question, state.burt[0])
    assert stepped.columns == of.weights[:4], "nine reach the fifth class or more"
    total = float(stepped.sums(state.burt[stepped.columns])[0, 0])
    assert total == pytest.approx(79)
    mean = (30 * weights[2] + 40 * weights[3] + 6 * weights[5] + 3 * weights[7]) / 79
    joined = (40 * weights[3] + 6 * weights[5] + 3 * weights[7]) / 49
    assert np.cumsum(stepped.of) * mean == pytest.approx([weights[0], weights[1], weights[2], joined])


def near(public: Snapshot, found: Snapshot) -> Iterator[tuple[float, tuple[float, float]]]:
    """Exact weighted values with the published intervals."""
    for id, figures in public.questions.items():
        for row, cells in ((None, figures.cells), *((row, of.cells) for row, of in figures.rows.items())):
            true = found.questions[id].cells if row is None else found.questions[id].rows[row].cells
            for code, cell in cells.items():
                if cell.weighted is not None and (exactly := true[code].weighted) is not None:
                    yield exactly.share, cell.weighted.ci95


def both(seed: int, size: int) -> tuple[PublishedState, Snapshot]:
    of = book()
    people, _ = weighing(seed, size, of)
    return released(people, *[(), range(60, size - 40, 60)][seed % 2], of=of), exact(people, of)


def test_exact_weighted_figures_lie_within_the_published_intervals_and_most_are_published() -> None:
    shown = cells = missed = 0
    for seed in range(SURVEYS):
        found, exactly = both(seed, 400)
        assert found.public.weighting is not None
        assert (found.public.weighting.cases, found.public.weighting.reason) == (True, None)
        pairs = list(near(found.public, exactly))
        shown += len(pairs)
        missed += sum(not low - 0.0006 <= value <= high + 0.0006 for value, (low, high) in pairs)
        cells += sum(bool(cell.n and cell.n > 40) for figures in found.public.questions.values() for cell in figures.cells.values())
    assert shown > 0.7 * cells > 20 * SURVEYS / 3
    assert missed <= max(0.05 * shown, 1)


def test_the_noise_that_is_told_is_no_less_than_that_there_is() -> None:
    of = book()
    off: list[float] = []
    for seed in range(2 * SURVEYS):
        people, _ = weighing(seed, 300, of)
        found, exactly = released(people, of=of, key=bytes([seed]) * 32), exact(people, of)
        weighted, tables = found.weights.estimates, found.tables
        assert weighted is not None
        assert weighted.accuracy is not None
        assert tables is not None
        share = np.array(weighted.share)
        deviation = np.sqrt(weighted.accuracy.shares(share)) / weighted.answered
        for id in ("Place", "Use"):
            part = tables.layout.part(id)
            assert part is not None
            true = [cell.weighted.share for cell in exactly.questions[id].cells.values() if cell.weighted]
            off += ((share[part.cells] - true) / deviation[part.cells]).tolist()
    assert np.sqrt(np.mean(np.square(off))) < 1.3


@pytest.mark.parametrize(("size", "spread"), [(300, 0.43), (300, 0.83), (1000, 0.64)])
def test_an_answer_of_the_heaviest_is_guessed_from_a_weighted_figure_as_seldom_as_is_claimed(size: int, spread: float) -> None:
    for seed in range(SURVEYS):
        people, _ = weighing(seed, size, book(), spread=spread)
        found = released(people, of=book())
        tables, of_steps = found.tables, found.weights.of.of
        assert tables is not None
        parameters = tables.publication.parameters
        of_table = parameters.table_variance(size, len(tables.cells.blocks.sizes))
        variance = of_table * (of_steps**2).sum() + parameters.answers.variance(size)
        guessed = NormalDist().cdf(of_steps.sum() / 2 / variance**0.5)
        assert 0.5 < guessed <= NormalDist().cdf((len(of_steps) / of_table) ** 0.5 / 2) <= 0.70
        assert guessed <= 0.65


def test_nothing_public_tells_the_classes_themselves() -> None:
    found, _ = both(0, 400)
    assert "Weight" not in found.public.questions
    assert "0.2446" not in msgspec.json.encode(found.public).decode()


def test_under_a_guarantee_nothing_is_weighted_and_no_histogram_is_added() -> None:
    bare = replace(book().instrument, policy=Policy(name="differential-privacy", epsilon=4.0, delta=1e-6))
    without = replace(bare, questions=bare.questions[:-1])
    assert len(cells_of(CodeBook(Reader(bare))).blocks.sizes) == len(cells_of(CodeBook(Reader(without))).blocks.sizes)
    people, _ = weighing(2, 80, book())
    found = released(people, of=CodeBook(Reader(bare)))
    assert found.public.weighting is not None
    assert found.public.weighting.reason == "guarantee"


def test_a_weighted_table_is_refused_in_a_sentence() -> None:
    of = book()
    people, _ = weighing(2, 80, of)
    state = state_of(people, of)
    table = exact_view.table(of, state, "Use", "Place", revision=1, as_of="now")
    with pytest.raises(Problem, match="request-refused"):
        weighted_tables.exact(table, of, state)


def test_without_any_weight_the_reason_is_told() -> None:
    of = book()
    people = [{id: value for id, value in one.items() if id != "Weight"} for one in weighing(2, 80, of)[0]]
    for found in (exact(people, of), released(people, of=of).public):
        assert found.weighting is not None
        assert found.weighting.reason == "too-few"


@pytest.mark.parametrize("language", CATALOGUES)
def test_the_dashboard_says_that_the_data_brought_the_weights(language: str) -> None:
    of = book()
    people, _ = weighing(2, 200, of)
    said = weighting(of.instrument, exact(people, of), DashboardWords(language))
    assert "200" in said
    assert said != weighting(of.instrument, replace(exact(people, of), weighting=None), DashboardWords(language))
