"""Nothing small follows from a public two-way table together with the figures of its two questions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.problem import Problem
from proto.snapshot import Cell, Snapshot, Table
from services.analysis import disclose, stats, tables
from services.analysis.tables import Side, cross, side
from tests.analysis.attacker import Attacker, Name
from tests.analysis.small import Answers, book, crowd, crowds, state_of, survey

LIMIT = 5
PAIRS = [
    ("Place", "Use"), ("Use", "Agree.x"), ("Agree.x", "Agree.y"), ("place.region", "Agree.x"), ("uses", "Since"),
    ("Place", "Why"), ("Why", "Place"), ("Rank", "Use"), ("Why", "Rank"), ("Count", "Cost"),
]  # fmt: skip


def margin(seen: Snapshot, one: Side) -> dict[str, Cell]:
    """What the public snapshot shows of one side."""
    if one.name in seen.breakdowns:
        return {code: Cell(group.responses, withheld=group.withheld) for code, group in seen.breakdowns[one.name].items()}
    id, _, row = one.name.partition(".")
    figures = seen.questions[id]
    return figures.rows[row].cells if row else figures.cells or figures.bands


def told(attacker: Attacker, names: list[Name], total: Name, *, exclusive: bool, truth: int) -> None:
    """Cells of one line: they add up to the line, or each with its complement does."""
    if exclusive:
        attacker.adds_up(names, total)
        return
    for name in names:
        other = attacker.see((*total, "without", *name), truth - attacker.truth[name], shown=False)
        attacker.adds_up([name, other], total)


@settings(max_examples=60, deadline=None)
@given(crowds(10, 400), st.sampled_from(PAIRS))
def test_no_small_count_follows_from_a_public_table_and_its_margins(people: list[Answers], pair: tuple[str, str]) -> None:
    state = state_of(people)
    whole = stats.exact(book(), state, revision=1, as_of="now")
    seen = disclose.publish(whole, survey())
    assert seen is not None
    table = tables.public(book(), state, whole, *pair)
    one, other = side(book(), pair[0]), side(book(), pair[1])
    found = cross(state, one, other)
    attacker = Attacker()
    margins = margin(seen, one), margin(seen, other)
    for i, code in enumerate(one.codes):
        line = table.cells[code]
        with_share = any(cell.share is not None for cell in line.values())
        answered = attacker.see(("row", code), int(found.rows[i]), shown=with_share)
        left = attacker.see(("row", code, "left out"), int(found.row_totals[i] - found.rows[i]), shown=False)
        shown = code in margins[0] and not margins[0][code].withheld
        total = attacker.see(("row", code, "total"), int(found.row_totals[i]), shown=shown)
        attacker.adds_up([answered, left], total)
        names = [attacker.see(("cell", code, to), int(found.cells[i, j]), shown=not line[to].withheld) for j, to in enumerate(other.codes)]
        told(attacker, names, answered, exclusive=other.exclusive, truth=int(found.rows[i]))
    for j, to in enumerate(other.codes):
        answered = attacker.see(("column", to), int(found.columns[j]), shown=False)
        left = attacker.see(("column", to, "left out"), int(found.column_totals[j] - found.columns[j]), shown=False)
        shown = to in margins[1] and not margins[1][to].withheld
        attacker.adds_up([answered, left], attacker.see(("column", to, "total"), int(found.column_totals[j]), shown=shown))
        names = [("cell", code, to) for code in one.codes]
        told(attacker, names, answered, exclusive=one.exclusive, truth=int(found.columns[j]))
    leaks = {name: n for name, n in attacker.learnt().items() if 0 < n < LIMIT}
    assert not leaks


@settings(max_examples=25, deadline=None)
@given(crowds(10, 400), st.sampled_from(PAIRS))
def test_a_table_turned_round_hides_the_same_cells(people: list[Answers], pair: tuple[str, str]) -> None:
    one, other = public(people, *pair).cells, public(people, *reversed(pair)).cells
    assert {(i, j): cell.n for i, line in one.items() for j, cell in line.items()} == {
        (i, j): cell.n for j, line in other.items() for i, cell in line.items()
    }


@settings(max_examples=25, deadline=None)
@given(crowds(10, 400), st.sampled_from(["Why", "Use", "Since"]))
def test_a_table_hides_what_the_breakdown_of_the_same_question_hides(people: list[Answers], question: str) -> None:
    whole = stats.exact(book(), state_of(people), revision=1, as_of="now")
    seen = disclose.publish(whole, survey())
    assert seen is not None
    cells = public(people, "place.region", question).cells
    for code, group in seen.breakdowns["place.region"].items():
        figures = group.questions.get(question)
        if figures is not None and not figures.withheld:
            assert {to: cell.n for to, cell in cells[code].items()} == {to: cell.n for to, cell in (figures.cells or figures.bands).items()}
        elif group.responses != 0:
            assert all(cell.withheld for cell in cells[code].values())


def public(people: list[Answers], row: str, column: str) -> Table:
    state = state_of(people)
    return tables.public(book(), state, stats.exact(book(), state, revision=4, as_of="now"), row, column)


def test_a_table_of_many_shows_what_is_not_small() -> None:
    cells = public(crowd(3, 600), "uses", "Since").cells
    assert all(cell.n for line in cells.values() for cell in line.values())


def test_a_table_has_the_revision_of_the_released_state() -> None:
    assert public(crowd(3, 60), "Place", "Use").revision == 4


@pytest.mark.parametrize(("row", "column"), [("Place", "Nothing"), ("Agree", "Use"), ("Word", "Use"), ("Place", "Agree.q"), ("Use", "Use")])
def test_a_table_that_cannot_be_is_refused_with_advice(row: str, column: str) -> None:
    with pytest.raises(Problem) as refused:
        public(crowd(3, 60), row, column)
    assert refused.value.kind.status in (404, 422)
    assert refused.value.detail


def test_there_is_no_public_table_below_the_minimum() -> None:
    with pytest.raises(Problem) as refused:
        public(crowd(3, 9), "Place", "Use")
    assert refused.value.code == "not-published-yet"
