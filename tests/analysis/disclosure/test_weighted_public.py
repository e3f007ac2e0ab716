"""A public weighted figure is near the exact one, or there is none: respondents of a population's rare groups weigh much, and of small
groups public counts know little.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Margin, Portion
from proto.snapshot import Cell, Snapshot
from services.analysis.dashboard.figure_view import NO_VALUE, figure_view
from services.analysis.dashboard.headline_view import headlines
from services.analysis.dashboard.policy_text import weighting
from services.analysis.dashboard.view import View, figures_seen
from services.analysis.dashboard.words import CATALOGUES, DashboardWords
from services.analysis.disclosure import public_tables, weighted_public_tables
from services.analysis.disclosure.published_state import PublishedState
from services.analysis.publish import exact_view
from services.analysis.statistics import weighted_tables
from tests.builders.small_survey import Answers, released, state_of, survey

SURVEYS = int(os.environ.get("PLATEA_WEIGHTED_SURVEYS", "3"))
"""Generated surveys of each kind; more of them measure the claim more sharply."""

POPULATION = {
    "Age": {"18-34": 0.29, "35-64": 0.5, "65+": 0.21},
    "Race": {"white": 0.64, "other": 0.36},
    "Education": {"school": 0.4, "some": 0.31, "degree": 0.29},
    "Region": {"north": 0.18, "middle": 0.21, "south": 0.37, "west": 0.24},
}
SOME = (("Age",), ("Age", "Race"), ("Age", "Race", "Education"), ("Age", "Race", "Education", "Region"))
"""1, 6, 18 and 72 cells."""
LEAN = {"Age": (-1.6, 0, 0.8), "Race": (0.8, 0), "Education": (-1.2, -0.2, 0.8), "Region": (0, 0, 0, 0)}
"""Who answers: the old, the white and the schooled. The young who are none of these are rare, and weigh much."""
ASKED = (1.0, 1.0, 0.5, 0.15)


@cache
def book(margins: tuple[str, ...]) -> CodeBook:
    shared: dict[str, Any] = {"section": "S", "privacy": i.Privacy("insensitive"), "stats": ("count", "share")}

    def single(id: str, codes: Any, **more: Any) -> i.Single:
        return i.Single(id=id, var=id.lower(), text={"en": id}, options=tuple(i.Option(c, {"en": c}) for c in codes), **(shared | more))

    scale = {"ordered": True, "stats": ("count", "share", "mean", "net_agreement")}
    found = replace(
        survey(),
        questions=(
            *(single(name, groups) for name, groups in POPULATION.items()),
            *(single(f"Q{n}", [f"o{k}" for k in range(2 + n)]) for n, _ in enumerate(ASKED)),
            single("Scale", "12345", **scale),
        ),
        strata=(),
        derived=(),
        hierarchies={},
        margins=tuple(Margin(name, {"en": "Census"}, tuple(Portion(c, s) for c, s in POPULATION[name].items())) for name in margins),
        headlines=(i.Headline("first", {"en": "First"}, "Q0", "share", options=("o0",)),),
        policy=i.Policy(),
    )
    return CodeBook(Reader(found))


def people(seed: int, size: int, lean: float) -> list[Answers]:
    draw = np.random.default_rng(seed)
    names = list(POPULATION)
    drawn = {}
    for name in names:
        odds = np.array(list(POPULATION[name].values())) * np.exp(lean * np.array(LEAN[name]))
        drawn[name] = draw.choice(len(odds), size, p=odds / odds.sum())
    answers = {}
    questions = {f"Q{n}": (2 + n, asked) for n, asked in enumerate(ASKED)} | {"Scale": (5, 1.0)}
    for id, (options, asked) in questions.items():
        worth = draw.normal(0, 1, options) + sum(draw.normal(0, 0.6, (len(POPULATION[name]), options))[drawn[name]] for name in names)
        chosen = (worth + draw.gumbel(size=worth.shape)).argmax(axis=1)
        answers[id] = np.where(draw.random(size) < asked, chosen, -1)
    found: list[Answers] = []
    for at in range(size):
        one: Answers = {name: list(POPULATION[name])[drawn[name][at]] for name in names}
        one |= {id: f"o{k}" for id in list(questions)[:-1] if (k := answers[id][at]) >= 0}
        found.append(one | {"Scale": str(1 + answers["Scale"][at])})
    return found


@cache
def both(margins: tuple[str, ...], seed: int, size: int, lean: float) -> tuple[PublishedState, Snapshot]:
    """What is published after several releases, or after a single one, and the exact view of the same people."""
    of, answered = book(margins), people(seed, size, lean)
    steps = [(), range(60, size - 40, 60)][seed % 2]
    return released(answered, *steps, of=of), exact_view.snapshot(of, state_of(answered, of), revision=1, as_of="now")


def intervals(public: Snapshot, exact: Snapshot) -> Iterator[tuple[float, tuple[float, float]]]:
    """Exact weighted values with the published intervals."""
    for id, figures in public.questions.items():
        for code, cell in figures.cells.items():
            true = exact.questions[id].cells[code].weighted
            if cell.weighted is not None and true is not None:
                yield true.share, cell.weighted.ci95
        scale, true = figures.weighted, exact.questions[id].weighted
        if scale is not None and true is not None and scale.mean_ci95 and scale.net_agreement_ci95:
            yield true.mean, scale.mean_ci95
            yield true.net_agreement or 0.0, scale.net_agreement_ci95


def missed(pairs: list[tuple[float, tuple[float, float]]]) -> int:
    """Outside by more than the rounding of the interval."""
    return sum(not low - 0.0006 <= value <= high + 0.0006 for value, (low, high) in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("lean", [0.3, 1.0], ids=["a fair sample", "a skewed sample"])
@pytest.mark.parametrize("margins", SOME, ids=lambda margins: f"{len(margins)} margins")
def test_exact_weighted_figures_lie_within_the_published_intervals_as_often_as_these_say(margins: tuple[str, ...], lean: float) -> None:
    surveys = [both(margins, seed, 400, lean) for seed in range(SURVEYS)]
    pairs = [pair for found, exact in surveys for pair in intervals(found.public, exact)]
    assert missed(pairs) <= max(0.05 * len(pairs), 1)


def test_with_one_margin_and_a_fair_sample_most_figures_are_weighted() -> None:
    found, _ = both(("Age",), 0, 400, 0.3)
    cells = [cell for figures in found.public.questions.values() for cell in figures.cells.values() if cell.n]
    assert found.public.weighting is not None
    assert found.public.weighting.reason is None
    assert sum(cell.weighted is not None for cell in cells) > len(cells) / 2
    assert found.public.questions["Scale"].weighted is not None


@pytest.mark.parametrize("margins", SOME[2:], ids=lambda margins: f"{len(margins)} margins")
def test_where_small_cells_hold_much_of_the_weight_nothing_is_weighted_and_the_reason_is_true(margins: tuple[str, ...]) -> None:
    found, exact = both(margins, 0, 400, 1.0)
    assert exact.weighting is not None
    assert exact.weighting.reason is None  # there are such weights
    assert found.public.weighting is not None
    assert found.public.weighting.reason == "small-cells"
    assert all(cell.weighted is None for figures in found.public.questions.values() for cell in figures.cells.values())
    assert all(figures.weighted is None and figures.n_eff is None for figures in found.public.questions.values())
    said = weighting(book(margins).instrument, found.public, DashboardWords("en"))
    assert "too few have answered" in said
    assert "No weights" not in said


@pytest.mark.parametrize("sides", [("Age", "Q2"), ("Q2", "Age"), ("Q0", "Age")])
def test_weighted_tables_are_near_the_exact_ones_too(sides: tuple[str, str]) -> None:
    pairs: list[tuple[float, tuple[float, float]]] = []
    of, size = book(("Age", "Race")), 400
    for seed in range(SURVEYS):
        found, _ = both(("Age", "Race"), seed, size, 0.6)
        state = state_of(people(seed, size, 0.6), of)
        exact = weighted_tables.exact(exact_view.table(of, state, *sides, revision=1, as_of="now"), of, state)
        public = weighted_public_tables.public(public_tables.public(found, *sides), found)
        told = [(public.total, exact.total)]
        told += [({c: x.weighted for c, x in public.cells[r].items() if x.weighted}, _weights(exact.cells[r])) for r in public.cells]
        pairs += [(there[code].share, one.ci95) for here, there in told for code, one in here.items()]
    assert missed(pairs) <= max(0.05 * len(pairs), 1)


def _weights(cells: dict[str, Cell]) -> dict[str, Any]:
    return {code: cell.weighted for code, cell in cells.items()}


def test_a_weighted_page_shows_no_unweighted_share_in_between() -> None:
    figures = both(("Age",), 0, 400, 0.3)[0].public
    question = replace(figures.questions["Q1"], weighted=None)
    cells = {code: replace(cell, weighted=None) if code == "o0" else cell for code, cell in question.cells.items()}
    instrument = book(("Age",)).instrument
    snapshot = replace(figures, questions=figures.questions | {"Q1": replace(question, cells=cells)})
    view = View("small", "en", weighted=True)
    seen = figures_seen(snapshot, view)
    bars = figure_view(instrument.question("Q1"), seen["Q1"], DashboardWords("en", instrument)).bars
    assert bars[0].share == NO_VALUE
    assert not bars[0].width
    assert bars[0].n
    assert bars[1].share.endswith("%")
    gone = {code: replace(cell, weighted=None) for code, cell in figures.questions["Q0"].cells.items()}
    bare = {"Q0": replace(figures.questions["Q0"], cells=gone), "Scale": replace(figures.questions["Scale"], weighted=None)}
    seen = figures_seen(replace(snapshot, questions=bare), view)
    assert headlines(instrument, replace(snapshot, questions=seen), DashboardWords("en", instrument), weighted=True) == []
    assert seen["Scale"].net_agreement is None


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_language_says_why_nothing_is_weighted(language: str) -> None:
    words = DashboardWords(language)
    assert words("self_selected_small_cells") == words("self_selected_no_fit")
