"""Surveys with a guarantee: how many editions there are, what one person changes at each, and what is published and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.cli.version_report import report
from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.problem import Problem
from proto.snapshot import Cell, Snapshot
from proto.version_changes import policy_faults
from services.analysis.dashboard import csv_export
from services.analysis.dashboard.crossing import sides
from services.analysis.dashboard.words import DashboardWords
from services.analysis.disclosure import edition_tables, public_tables, weighted_public_tables
from services.analysis.disclosure.cells import cells_of, histograms, parameters_in
from services.analysis.disclosure.editions import Due, Marks, after, due
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.parameters import EDITIONS, parameters_of
from services.analysis.disclosure.projection import Whole
from services.analysis.disclosure.publication import Publication
from services.analysis.disclosure.published_state import PublishedState, SavedState, next_edition
from services.analysis.publish import exact_view
from services.analysis.state.fold import Folder
from services.analysis.state.state import State
from services.intake.surveys import publication
from tests.builders.small_survey import crowd, state_of, survey

PROMISED = i.Policy(name="differential-privacy", epsilon=4.0, delta=1e-6)
KEY = b"%032d" % 7


@cache
def guaranteed(epsilon: float = 4.0) -> CodeBook:
    """The small survey, of which "Cost" is not broken down, with a margin that it would be weighted to."""
    portions = tuple(i.Portion(code, 0.25) for code in "abcd")
    questions = tuple(
        msgspec.structs.replace(question, stats=("count", "share")) if question.id in ("Cost", "Rank") else question
        for question in survey().questions
    )
    policy = msgspec.structs.replace(PROMISED, epsilon=epsilon)
    margins = (i.Margin("Place", {"en": "Register"}, portions),)
    return CodeBook(Reader(msgspec.structs.replace(survey(), questions=questions, policy=policy, margins=margins)))


def published(state: State, book: CodeBook, edition: int = 1, key: bytes = KEY) -> PublishedState:
    marks = Marks(edition=edition - 1, tables=edition - 1)
    return next_edition(Folder(book), state, None, marks, Due(True, True), Noise(key, "small"), 1, 0.0, "now")


moments = st.lists(st.tuples(st.integers(0, 50_000), st.booleans(), st.booleans()), max_size=60)


@given(moments, st.sampled_from([10, 100]))
def test_whatever_happens_there_are_never_more_editions_than_promised(moments: list[tuple[int, bool, bool]], minimum: int) -> None:
    """Of so many respondents, open or closed, after a restart that read its marks or not."""
    parameters = parameters_of(msgspec.structs.replace(survey(), policy=msgspec.structs.replace(PROMISED, minimum=minimum)))
    marks, sizes, closings = Marks(), [0], 0
    for n, closed, restart in moments:
        what = due(marks, n, 1e9, parameters, lambda _: 0.5, closed=closed, moved=n)
        assert what.singles == what.tables, "everything moves together"
        assert not what.clock
        if what.singles:
            closings += what.closing
            assert what.closing or n >= max(40, minimum, 2 * max(sizes))
            assert n >= minimum
            marks = after(marks, what, n, 1e9)
            sizes.append(n)
        if restart:
            marks = msgspec.json.decode(msgspec.json.encode(marks), type=Marks)
    assert marks.edition == len(sizes) - 1 <= EDITIONS
    assert closings <= 1, "reopening and closing again is no new chance"


def test_editions_come_by_doubling_and_one_is_kept_for_the_first_close() -> None:
    parameters, marks = parameters_of(guaranteed().instrument), Marks()
    found = []
    for n in range(1, 12_000):
        what = due(marks, n, 0.0, parameters, lambda _: 0.5)
        if what.singles:
            marks = after(marks, what, n, 0.0)
            found.append(n)
    assert found == [40, 80, 160, 320, 640, 1280, 2560]
    last = due(marks, 2570, 0.0, parameters, lambda _: 0.5, closed=True)
    assert last == Due(True, True, closing=True)
    marks = after(marks, last, 2570, 0.0)
    assert due(marks, 50_000, 0.0, parameters, lambda _: 0.5, closed=True) == Due()
    small = due(Marks(), 12, 0.0, parameters, lambda _: 0.5, closed=True)
    assert small.singles, "a survey that stays small is published once, at its close"
    assert not due(Marks(), 9, 0.0, parameters, lambda _: 0.5, closed=True).singles


def test_what_a_guarantee_is_reckoned_with_stays_the_same_in_every_release_of_platea() -> None:
    """An edition that was shown is drawn anew at a start. With another number of histograms, or of editions at most, it would be another
    draw, which is paid for by nobody: keep the former ones for surveys that have them."""
    guarantee = parameters_in(guaranteed()).guarantee
    assert guarantee is not None
    assert (guarantee.histograms, guarantee.editions, guarantee.rho) == (80, 8, Fraction(311064954, 10**9))


def test_marks_of_before_there_were_guarantees_are_read() -> None:
    assert msgspec.json.decode(b'{"edition": 3, "top": 90}', type=Marks) == Marks(edition=3, top=90)


@pytest.mark.slow
@settings(max_examples=12)
@given(st.integers(0, 10**6), st.integers(30, 90))
def test_one_person_makes_a_difference_of_one_in_as_many_histograms_as_are_counted(seed: int, size: int) -> None:
    """By brute force over everything that noise is put on, with this person and without."""
    book, noted = guaranteed(), list[Whole]()
    people = crowd(seed, size)
    noticed = []
    for state in (state_of(people, book), state_of(people[1:], book)):
        noted.clear()
        _note(book, state, noted)
        noticed.append([each.copy() for each in noted])
    changes = [one - other for one, other in zip(*noticed, strict=True)]
    assert all(change.sum() == 1 and (change >= 0).all() for change in changes), "one cell of each"
    assert len(changes) == histograms(book)


def _note(book: CodeBook, state: State, noted: list[Whole]) -> None:
    """Adds the exact counts behind all that can be published: blocks, and tables that are asked for in any way that is answered."""
    cells = cells_of(book)
    counts = cells.counts(state.burt.diagonal())
    noted += [counts[cells.blocks.cells(block)] for block in range(len(cells.blocks.sizes))]
    seen: dict[frozenset[int], Whole] = {}

    class Noting(Publication):
        def tables(self, edition: int, pairs: Any, counts: Any, singles: Whole) -> list[Whole]:
            for pair, exact in zip(pairs, counts, strict=True):
                seen[frozenset(pair)] = exact
            return super().tables(edition, pairs, counts, singles)

    made = published(state, book)
    assert made.tables is not None
    usual = made.tables.publication
    object.__setattr__(made.tables, "publication", Noting(usual.blocks, usual.parameters, usual.noise))
    made.tables.__dict__.pop("groups")  # made before anybody noted
    _ = made.tables.groups
    for group in book.instrument.strata:
        for other in sorted(COVERED):
            public_tables.public(made, group, other)
    noted += [seen[pair] for pair in sorted(seen, key=sorted)]


def every_pair(book: CodeBook) -> list[tuple[str, str]]:
    names = ["Place", "Use", "Why", "Agree.x", "Agree.y", "Rank", "Count", "Cost", "Since", *book.instrument.strata]
    return [(one, other) for one in names for other in names if one != other]


COVERED = {"Place", "Use", "Why", "Agree.x", "Agree.y", "Count", "Since", "Split.x", "Split.y"}


def test_only_declared_breakdowns_are_published_as_tables_and_no_weighted_figure() -> None:
    book = guaranteed()
    made = published(state_of(crowd(3, 400), book), book)
    for row, column in every_pair(book):
        groups = [name for name in (row, column) if name in book.instrument.strata]
        if len(groups) == 1 and {row, column} - set(groups) <= COVERED:
            found = public_tables.public(made, row, column)
            assert found.policy.name == "differential-privacy"
            assert weighted_public_tables.public(found, made).weighting == made.weights.of.published
        else:
            with pytest.raises(Problem) as refused:
                public_tables.public(made, row, column)
            assert refused.value.detail == public_tables.GUARANTEED
    assert made.public.weighting is not None
    assert made.public.weighting.reason == "guarantee"
    assert made.weights.estimates is None
    offered = {name for _, entries in sides(book.instrument, made.public, DashboardWords("en")) for name, _ in entries}
    assert offered == COVERED | set(book.instrument.strata)
    declared = {question.id for question in book.instrument.questions if "crosstab" in question.stats}
    assert set(made.public.breakdowns["uses"]["1"].questions) == declared


def test_what_is_published_adds_up_and_says_what_is_spent() -> None:
    book = guaranteed()
    state = state_of(crowd(3, 400), book)
    made = published(state, book, edition=3)
    policy = made.public.policy
    assert policy.guarantee is not None
    assert (policy.guarantee.epsilon, policy.guarantee.delta, policy.guarantee.editions, policy.guarantee.most_editions) == (4, 1e-6, 3, 8)
    promised = parameters_in(book).guarantee
    assert promised is not None
    assert policy.guarantee.spent == round(promised.spent(3), 3) < 4
    assert policy.noise == round(float(promised.variance) ** 0.5, 1)
    assert promised.variance == Fraction(histograms(book) * EDITIONS) / (2 * promised.rho)
    figures = made.public.questions["Use"]
    assert sum(cell.n or 0 for cell in figures.cells.values()) == figures.answered
    table = public_tables.public(made, "uses", "Agree.x")
    turned = public_tables.public(made, "Agree.x", "uses")
    assert all(table.cells[a][b].n == turned.cells[b][a].n for a in table.cells for b in table.cells[a])
    assert table.cells["1"] == made.public.breakdowns["uses"]["1"].questions["Agree"].rows["x"].cells
    assert "differential-privacy" in csv_export.one_way(book.instrument, made.public, ["Use"], DashboardWords("en"))


def test_what_a_restart_reads_is_published_with_the_same_noise() -> None:
    book = guaranteed()
    made = published(state_of(crowd(3, 400), book), book, edition=3)
    read = SavedState.load(made.dump())
    noise = Noise(KEY, "small")
    again = PublishedState.of(Folder(book), read.marks, read.single, read.tables(book, noise), noise, 1, "now")
    assert msgspec.json.encode(again.public) == msgspec.json.encode(made.public)


@pytest.mark.slow
def test_noise_is_no_less_where_everybody_gives_the_same_answer() -> None:
    book = guaranteed()
    one = crowd(3, 1)[0]
    made = [published(state_of([one] * 300, book), book, key=b"%032d" % key).public.questions["Place"] for key in range(40)]
    assert len({figures.cells[one["Place"]].n for figures in made}) > 10


@pytest.mark.slow
@pytest.mark.parametrize("n", [300, 1000])
def test_intervals_hold_with_the_noise_of_a_guarantee(n: int) -> None:
    """Of single shares and of breakdowns: of a hundred published intervals at least 94 hold the share of the population."""
    book, held = guaranteed(8.0), list[tuple[str, bool]]()
    for seed in range(40):
        everybody, draw = population(seed % 3), np.random.default_rng(seed)
        made = published(counted(book, everybody[draw.integers(0, len(everybody), n)]), book, key=b"%032d" % seed).public
        true = dict(shares(truth(seed % 3)))
        held += [
            (place[0], cell.ci95[0] - 0.0006 <= share <= cell.ci95[1] + 0.0006)
            for place, cell in shares(made)
            if cell.ci95 is not None and (share := true[place].share) is not None
        ]
    everybodys, of_groups = ([holds for group, holds in held if bool(group) == grouped] for grouped in (False, True))
    assert len(everybodys) > 1000
    assert np.mean(everybodys) >= 0.94
    assert len(of_groups) > 2000
    assert np.mean(of_groups) >= 0.94


@cache
def population(seed: int) -> np.ndarray:
    reader, book = Reader(survey()), guaranteed()
    return book.tabulate([reader.convert(one)[0] for one in crowd(seed, 1000)])[0].copy()


@cache
def truth(seed: int) -> Snapshot:
    return exact_view.snapshot(guaranteed(), counted(guaranteed(), population(seed)), revision=1, as_of="now")


def counted(book: CodeBook, x: np.ndarray) -> State:
    state = Folder(book).empty()
    state.burt = x.T.astype(np.float64) @ x
    return state


def shares(snapshot: Snapshot) -> Iterator[tuple[tuple[str, ...], Cell]]:
    """Every share with its place: group, question, row and code."""
    groups = {f"{name}:{code}": group.questions for name, each in snapshot.breakdowns.items() for code, group in each.items()}
    for group, questions in ({"": snapshot.questions} | groups).items():
        for id, figures in questions.items():
            for row, cells in [("", figures.cells | figures.bands), *((row, part.cells) for row, part in figures.rows.items())]:
                yield from (((group, id, row, code), cell) for code, cell in cells.items())


@pytest.mark.parametrize(
    ("change", "kept"), [("version", True), ("more questions", True), ("epsilon", False), ("delta", False), ("name", False)]
)
def test_a_guarantee_is_for_life_and_a_version_with_more_questions_spends_no_more(change: str, kept: bool) -> None:
    old, new = guaranteed().instrument, guaranteed().instrument
    if change == "more questions":
        old = msgspec.structs.replace(old, questions=old.questions[:5], strata=("uses",), margins=())
    elif change != "version":
        policy = {"epsilon": {"epsilon": 5.0}, "delta": {"delta": 1e-5}, "name": {"name": "cell-key", "epsilon": None, "delta": None}}[
            change
        ]
        new = msgspec.structs.replace(new, policy=msgspec.structs.replace(PROMISED, **policy))
    new = msgspec.structs.replace(new, version="1.1.0")
    assert (policy_faults([old], new) == []) == kept
    assert (policy_faults([old, new], old) == []) == kept, "nor by way of a third version"
    assert (report(old, new).refused == []) == kept
    if kept:
        engines = [edition_tables.publication_of(CodeBook(Reader(each)), Noise(KEY, "small")) for each in (old, new)]
        promised = [engine.parameters.guarantee for engine in engines]
        of_one = {Fraction(each.histograms) / (2 * each.variance) for each in promised if each}
        assert of_one == {promised[0].rho / EDITIONS if promised[0] else 0}


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ({}, ["epsilon", "delta"]),
        ({"epsilon": 0.0, "delta": 1e-6}, ["epsilon"]),
        ({"epsilon": 17.0, "delta": 1e-6}, ["epsilon"]),
        ({"epsilon": 4.0, "delta": 0.0}, ["delta"]),
        ({"epsilon": 4.0, "delta": 0.001}, ["delta"]),
        ({"epsilon": 4.0, "delta": 1e-6, "i_understand_that_this_protects_nobody": True}, ["i_understand_that_this_protects_nobody"]),
        ({"epsilon": 4.0, "delta": 1e-6}, []),
        ({"name": "cell-key", "epsilon": 4.0}, ["epsilon"]),
    ],
)
def test_a_policy_that_promises_nothing_is_refused_whoever_sends_it(policy: dict[str, Any], wrong: list[str]) -> None:
    instrument = msgspec.structs.replace(survey(), policy=msgspec.convert({"name": "differential-privacy"} | policy, i.Policy))
    found = publication.read(msgspec.json.encode(instrument))
    assert isinstance(found, list), "the small survey has other faults"
    assert [fault.pointer for fault in found if fault.pointer.startswith("/policy")] == [f"/policy/{name}" for name in wrong]
