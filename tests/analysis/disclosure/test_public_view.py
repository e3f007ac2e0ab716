"""What the public sees: counts with noise that add up and are right on average, and everything else from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook, Column
from proto.problem import Problem
from proto.snapshot import QuotaCount, Snapshot
from services.analysis.disclosure import public_tables, public_view
from services.analysis.disclosure.cells import cells_of, definitions
from services.analysis.disclosure.editions import Due, Marks
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.parameters import OPEN
from services.analysis.disclosure.published_state import next_edition
from services.analysis.publish import exact_view
from services.analysis.state.fold import Folder
from services.analysis.statistics import tables
from tests.builders.small_survey import KEY, Answers, book, by_level, crowd, crowds, released, state_of, survey

SURVEYS = 80


def counts(of: Any, path: str = "") -> Iterator[tuple[str, int]]:
    """Every count of a snapshot or table that is about answers, with its place."""
    for name, value in of.items():
        if isinstance(value, dict):
            yield from counts(value, f"{path}/{name}")
        elif path.endswith("/places"):
            yield from ((f"{path}/{name}/{place}", n) for place, n in enumerate(value))
        elif name in ("n", "answered", "skipped", "missing") and not path.endswith(("nonresponse", "rank_score")):
            yield f"{path}/{name}", value


def exact(people: list[Answers]) -> Snapshot:
    return exact_view.snapshot(book(), state_of(people), revision=1, as_of="now")


@settings(max_examples=20, deadline=None)
@given(crowds(0, 60))
def test_the_cells_of_a_questionnaire_count_everybody_once_in_each_block_as_its_answers_do(people: list[Answers]) -> None:
    """Brute force over the answers themselves, block by block and pair by pair."""
    of = CodeBook(Reader(by_level()))
    x, _ = of.tabulate([Reader(by_level()).convert(one)[0] for one in people]) if people else (np.zeros((0, len(of))), None)
    cells, burt = cells_of(of), (x.T @ x).astype(np.int64)
    rows: list[np.ndarray] = []
    for at, more in zip(cells.columns, cells.remainder, strict=True):
        rows.append(np.hstack([x[:, at], 1 - x[:, at].sum(axis=1, keepdims=True)]) if more else x[:, at])
        assert (rows[-1].sum(axis=1) == 1).all()
        assert rows[-1].min(initial=0) >= 0
    assert (cells.counts(burt.diagonal().astype(float)) == np.hstack(rows).sum(axis=0)).all()
    for one, other in ((0, 1), (1, 3), (4, 2), (6, 0), (len(rows) - 1, 5), (len(rows) - 2, len(rows) - 1)):
        assert (cells.rows(burt, one)[:, cells.blocks.cells(other)] == rows[one].T @ rows[other]).all()


def test_groups_that_are_one_answer_are_published_as_that_answer() -> None:
    """Two draws of noise for the same people could be averaged; and one thing has one number."""
    hierarchies = {"place": i.Hierarchy(("place", "region", "*"), table=survey().hierarchies["place"].table)}
    of = CodeBook(Reader(msgspec.structs.replace(survey(), strata=("place.place", "uses"), hierarchies=hierarchies)))
    found = released(crowd(5, 300), of=of)
    for code, group in found.public.breakdowns["place.place"].items():
        cell = found.public.questions["Place"].cells[code]
        assert group.current == cell.n if (cell.n or 0) >= 10 else group.withheld
    by_group, by_answer = public_tables.public(found, "place.place", "Use"), public_tables.public(found, "Place", "Use")
    assert by_group.cells == by_answer.cells


def test_groups_of_a_computed_value_are_published_as_its_bands_and_as_no_other_block() -> None:
    """The value is a variable like any other: one block, with the noise of a stratum, and one name for each cell."""
    of, plain = CodeBook(Reader(by_level())), CodeBook(Reader(msgspec.structs.replace(by_level(), strata=survey().strata)))
    cells, before = cells_of(of), cells_of(plain)
    block = int(cells.block_of[of.of("Level")[0]])
    assert len(cells.blocks.sizes) == len(before.blocks.sizes)
    assert (cells.blocks.names == before.blocks.names).all()
    assert cells.blocks.groups[block]
    assert not before.blocks.groups[block]
    assert cells.blocks.scale[block] == pytest.approx(np.sqrt(3 / 2))
    found = released(crowd(5, 300), of=of)
    groups, bands = found.public.breakdowns["level"], found.public.questions["Level"].bands
    assert {code: group.current for code, group in groups.items()} == {code: cell.n for code, cell in bands.items()}
    by_group, by_answer = public_tables.public(found, "level", "Use"), public_tables.public(found, "Level", "Use")
    assert by_group.cells == by_answer.cells


def test_groups_of_a_value_that_a_new_version_computes_otherwise_wait_for_its_figures() -> None:
    of = CodeBook(Reader(by_level()))
    found = released(crowd(5, 300), of=of)
    whole = by_level()
    value = msgspec.structs.replace(whole.question("Level"), op="max")
    other = CodeBook(Reader(msgspec.structs.replace(whole, version="2.0.0", questions=(*whole.questions[:-1], value))))
    assert not any(group.withheld for group in public_view.breakdowns(of, found.tables)["level"].values())
    assert all(group.withheld for group in public_view.breakdowns(other, found.tables)["level"].values())
    assert not any(group.withheld for group in public_view.breakdowns(other, found.tables)["uses"].values())


def test_how_full_quotas_are_stands_in_the_exact_view_alone() -> None:
    quotas = (i.Quota("east", i.Rule(q="Place", op="in", value=("b",)), 50, {"en": "Enough."}),)
    of, people = CodeBook(Reader(msgspec.structs.replace(survey(), quotas=quotas))), crowd(5, 300)
    shown = exact_view.snapshot(of, state_of(people, of), revision=1, as_of="now", full=frozenset({"east"}))
    assert shown.quotas == {"east": QuotaCount(sum(person["Place"] == "b" for person in people), 50, full=True)}
    assert "quotas" not in msgspec.to_builtins(released(people, of=of).public)
    assert "quotas" not in msgspec.to_builtins(exact(people))


@pytest.mark.parametrize(("question", "code"), [("Use", "y"), ("Count", "dk"), ("Since", "many")])
def test_a_group_of_one_answer_draws_the_noise_of_that_answer(question: str, code: str) -> None:
    derived = i.Derived("these", i.Rule(q=question, op="in", value=(code,)))
    meaning = definitions(msgspec.structs.replace(survey(), strata=("these",), derived=(derived,)), "these")
    assert meaning["1"] == Column("option", question, code)


@pytest.mark.slow
def test_over_many_keys_the_mean_difference_is_zero_within_its_error() -> None:
    people = crowd(5, 200)
    real = dict(counts(msgspec.to_builtins(exact(people).questions)))
    shown = [dict(counts(msgspec.to_builtins(released(people, key=b"key %28d" % n).public.questions))) for n in range(SURVEYS)]
    error = np.sqrt(OPEN.groups.variance(200) / SURVEYS)
    for place, n in real.items():
        assert all(place in one for one in shown)
        off = np.array([one[place] - n for one in shown])
        if n >= 25:  # smaller ones cannot be as far below as above
            # the two cells of who did not answer are never below 0, so a little too many are in them
            assert abs(off.mean()) < 4.5 * error + (3 if place.endswith("answered") else 1), place
        assert 1 < off.std() < 2 * np.sqrt(OPEN.groups.variance(200)), place


@pytest.mark.parametrize("seed", range(6))
def test_within_one_edition_everything_adds_up(seed: int) -> None:
    found = released(crowd(seed, 80 + 40 * seed)).public
    n = found.responses
    for figures in found.questions.values():
        for row in figures.rows.values():
            if figures.type == "matrix":
                assert row.answered == sum(cell.n or 0 for cell in row.cells.values())
            else:  # the bands of a share have noise of their own
                assert row.answered == figures.answered
                assert sum(cell.n or 0 for cell in row.cells.values()) <= n
        if figures.type == "single":
            assert figures.answered == sum(cell.n or 0 for cell in figures.cells.values())
        if figures.type != "matrix":
            assert (figures.answered or 0) + (figures.skipped or 0) + (figures.missing or 0) == n
        for code, places in figures.places.items():
            assert figures.cells[code].n == sum(places)
            assert figures.first[code].n == places[0]


@pytest.mark.parametrize("sides", [("Place", "Use"), ("place.region", "Agree.x"), ("Agree.y", "Count"), ("Since", "place.region")])
def test_the_cells_of_a_table_add_up_to_the_counts_at_its_edges(sides: tuple[str, str]) -> None:
    """With those who did not answer, or are in no group: they are counted in the lines, and have no cell in the table."""
    state = released(crowd(8, 700))
    table, tables_ = public_tables.public(state, *sides), state.tables
    assert tables_ is not None
    (one,), (other,) = (tables_.cells.all_of(int(c) for c in tables.side(book(), name).columns) for name in sides)
    exact = tables_.cells.rows(tables_.burt, one)[:, tables_.cells.blocks.cells(other)]
    (whole,) = tables_.publication.tables(tables_.edition, [(one, other)], [exact], tables_.singles)
    for at, code in enumerate(table.cells):
        assert table.rows[code].withheld or table.rows[code].n == whole[at].sum()
        assert all(cell.n in (None, whole[at, place]) for place, cell in enumerate(table.cells[code].values()))
    for place, code in enumerate(table.columns):
        assert table.columns[code].withheld or table.columns[code].n == whole[:, place].sum()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(crowds(10, 150), st.integers(0, 3))
def test_shares_and_intervals_keep_within_zero_and_one_whatever_the_noise(people: list[Answers], key: int) -> None:
    found = released(people, 10, len(people) // 2 + 5, key=b"key %28d" % key)
    some = [
        public_tables.public(found, *pair).cells
        for pair in (("Place", "Use"), ("Rank", "Agree.x"), ("uses", "Why"), ("Why", "place.region"))
    ]
    cells = [cell for figures in _figures(found.public) for cell in [*figures["cells"], *figures["bands"], *figures["first"]]]
    cells += [msgspec.to_builtins(cell) for table in some for line in table.values() for cell in line.values()]
    for cell in cells:
        if cell.get("share") is not None:
            low, high = cell["ci95"]
            assert 0 <= low <= cell["share"] <= high <= 1
    assert b"NaN" not in msgspec.json.encode(found.public)
    assert msgspec.json.decode(msgspec.json.encode(found.public), type=Snapshot).responses == len(people)


def _figures(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    groups = [group.questions for each in snapshot.breakdowns.values() for group in each.values()]
    for questions in [snapshot.questions, *groups]:
        for figures in questions.values():
            for one in list(figures.rows.values()) or [figures]:
                names = ("cells", "bands", "first")
                yield {name: [msgspec.to_builtins(cell) for cell in getattr(one, name, {}).values()] for name in names}


def test_the_same_cell_says_the_same_in_the_snapshot_and_in_every_table() -> None:
    found = released(crowd(5, 300), 100, 200)
    table = public_tables.public(found, "place.region", "Use")
    turned = public_tables.public(found, "Use", "place.region")
    for group, line in table.cells.items():
        of_group = found.public.breakdowns["place.region"][group].questions
        for code, cell in line.items():
            assert cell.n == turned.cells[code][group].n
            assert cell == of_group["Use"].cells[code]
    assert any(cell.n for line in table.cells.values() for cell in line.values())


def test_no_sum_of_numbers_and_no_forbidden_question_leaves_the_exact_view() -> None:
    found = released(crowd(5, 300)).public
    for figures in (found.questions["Cost"], found.breakdowns["uses"]["1"].questions["Cost"]):
        assert figures.sum is figures.mean is figures.variance is None
    named = msgspec.structs.replace(survey(), questions=tuple(_named(q) if q.id in ("Use", "Cost") else q for q in survey().questions))
    veiled = released(crowd(5, 300), of=CodeBook(Reader(named)))
    assert {"Use", "Cost"}.isdisjoint(veiled.public.questions)
    assert all({"Use", "Cost"}.isdisjoint(group.questions) for each in veiled.public.breakdowns.values() for group in each.values())
    with pytest.raises(Problem):
        public_tables.public(veiled, "Use", "Place")


def _named(question: Any) -> Any:
    return msgspec.structs.replace(question, stats=("none",))


def test_a_group_below_the_minimum_by_its_published_count_is_withheld_whole() -> None:
    people = [person for person in crowd(7, 200) if person["Place"] in "ab"]
    withheld = 0
    for n in range(30):
        state = released([*people, *[{"Place": "c"}] * 9], key=b"key %28d" % n)
        found = state.public.breakdowns["place.region"]["south"]
        assert found.withheld == (found.current is None)
        assert not found.withheld or found.responses is None
        assert not (found.withheld and found.questions)
        assert state.tables is not None
        (column,) = [column for code, column in state.tables.layout.strata[0].groups if code == "south"]
        assert found.withheld == (state.tables.single[column] < 10)
        withheld += found.withheld
    assert 5 < withheld < 25, "whether nine are shown hangs on the noise"


def test_tables_stand_at_their_own_edition_while_single_counts_move() -> None:
    people, noise, folder = crowd(5, 200), Noise(KEY, "small"), Folder(book())
    first = next_edition(folder, state_of(people[:100]), None, Marks(), Due(True, True), noise, 1, 0.0, "then")
    later = next_edition(folder, state_of(people), first, first.marks, Due(True), noise, 2, 1.0, "now")
    assert (later.public.responses, later.public.as_of) == (200, "now")
    table = public_tables.public(later, "Place", "Use")
    assert (table.responses, table.as_of, table.revision) == (100, "then", 2)
    assert table.cells == public_tables.public(first, "Place", "Use").cells
    for name, groups in later.public.breakdowns.items():
        for code, group in groups.items():
            before = first.public.breakdowns[name][code]
            if not group.withheld and not before.withheld:
                assert (group.responses, group.as_of, group.questions) == (before.responses, "then", before.questions)


def test_before_the_first_tables_single_counts_alone_are_told() -> None:
    found = next_edition(Folder(book()), state_of(crowd(5, 30)), None, Marks(), Due(True), Noise(KEY, "small"), 1, 0.0, "now")
    assert found.public.questions["Use"].answered
    assert not any(group.questions for each in found.public.breakdowns.values() for group in each.values())
    with pytest.raises(Problem, match="40 answers"):
        public_tables.public(found, "Place", "Use")
