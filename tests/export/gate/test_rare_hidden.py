"""Rare answers of a person point to at least k rows, however somebody counts; held against a search through all sets of answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.export.gate import company, rare, scales, withholding
from services.export.gate.rarity import UNTOLD, Answers, RareColumn

CODES = 4
given_answers = st.lists(st.tuples(*[st.integers(UNTOLD, CODES - 1)] * 5), min_size=12, max_size=40)
SIDES = np.array([-1, -1, 1, 1])


def answers(rows: Sequence[tuple[int, ...]]) -> list[Answers]:
    """Five variables, the last two of them scales."""
    return [Answers(codes, CODES, SIDES if place > 2 else None) for place, codes in enumerate(np.array(rows, dtype=np.int64).T)]


def looks(column: Answers, how: RareColumn) -> list[object]:
    """What each row shows: a step of the scale, "*", or nothing."""
    steps = how.steps.tolist()
    told = ["-" if code == UNTOLD else steps[code] for code in column.codes.tolist()]
    return ["*" if gone else value for gone, value in zip(how.withheld.tolist(), told, strict=True)]


def known(columns: list[Answers], k: int) -> list[list[bool]]:
    """Whether each answer is one that at most 2 k people gave."""
    many = [{code: column.codes.tolist().count(code) for code in range(CODES)} for column in columns]
    return [[code != UNTOLD and many[place][code] <= 2 * k for code in column.codes.tolist()] for place, column in enumerate(columns)]


def fewest(columns: list[Answers], shown: list[RareColumn], k: int) -> tuple[list[int], list[int]]:
    """For each row the fewest rows that look like it in up to three variables of its rare answers, and that agree with these answers."""
    seen = [looks(column, how) for column, how in zip(columns, shown, strict=True)]
    steps, rarely, rows = [how.steps.tolist() for how in shown], known(columns, k), range(len(columns[0].codes))
    alike, agreeing = [len(rows)] * len(rows), [len(rows)] * len(rows)
    for row in rows:
        mine = [place for place in range(len(columns)) if rarely[place][row]]
        for some in (some for many in (1, 2, 3) for some in combinations(mine, many)):
            right = {place: steps[place][columns[place].codes[row]] for place in some}
            same = sum(all(seen[place][other] == seen[place][row] for place in some) for other in rows)
            fit = sum(all(seen[place][other] in ("*", right[place]) for place in some) for other in rows)
            alike[row], agreeing[row] = min(alike[row], same), min(agreeing[row], fit)
    return alike, agreeing


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(given_answers, st.integers(2, 4))
def test_up_to_three_rare_answers_of_anybody_leave_at_least_k_rows(rows: list[tuple[int, ...]], k: int) -> None:
    columns = answers(rows)
    shown = rare.hide(columns, k, np.arange(len(rows)))
    alike, agreeing = fewest(columns, shown, k)
    assert min(alike) >= k, "rows that look the same, to whoever prefers those that tell the answers"
    assert min(agreeing) >= k, "rows that agree, to whoever takes a withheld cell for any answer"
    for column, how in zip(columns, shown, strict=True):
        seen = looks(column, how)
        assert all(seen.count(value) >= k for value in set(seen) - {"-"})


@settings(max_examples=60, deadline=None)
@given(given_answers, st.integers(2, 3), st.data())
def test_the_gate_finds_exactly_those_whom_a_search_through_all_sets_finds(
    rows: list[tuple[int, ...]], k: int, data: st.DataObject
) -> None:
    columns = answers(rows)
    shown = [
        RareColumn(
            np.array(data.draw(st.sampled_from([[0, 1, 2, 3], [0, 0, 2, 3], [0, 0, 2, 2]])) if column.ordered else range(CODES)), gone
        )
        for column in columns
        for gone in [np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))]
    ]
    released = [
        np.unique(np.array([str(value) for value in looks(*each)]), return_inverse=True)[1] for each in zip(columns, shown, strict=True)
    ]
    found = company.exposed_rows(
        [company.ReleasedAnswers(column, values, how.withheld) for column, values, how in zip(columns, released, shown, strict=True)],
        len(rows),
        k,
    )
    alike, _ = fewest(columns, shown, k)
    small = np.zeros(len(rows), dtype=bool)
    for column, how in zip(columns, shown, strict=True):
        seen = looks(column, how)
        small |= np.array([value != "-" and seen.count(value) < k for value in seen])
    assert found.tolist() == ((np.array(alike) < k) | small).tolist()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(given_answers, st.integers(2, 3))
def test_of_the_same_rows_a_wider_rule_tells_nothing_that_a_narrower_one_hides(rows: list[tuple[int, ...]], k: int) -> None:
    columns, rank = answers(rows), np.arange(len(rows))
    narrow = rare.hide(columns[1:], k, rank)
    wide = rare.hide([*columns[1:], columns[0]], 2 * k, rank, narrow)
    for few, many in zip(narrow, wide, strict=False):
        assert not (few.withheld & ~many.withheld).any()
        assert all(
            len({int(many.steps[code]) for code in range(CODES) if few.steps[code] == step}) == 1 for step in set(few.steps.tolist())
        )
    alike, _ = fewest([*columns[1:], columns[0]], wide, 2 * k)
    assert min(alike) >= 2 * k


@settings(max_examples=60, deadline=None)
@given(given_answers, st.integers(2, 4))
def test_steps_of_a_scale_are_neighbours_and_two_are_left(rows: list[tuple[int, ...]], k: int) -> None:
    columns = answers(rows)
    for column, how in zip(columns, rare.hide(columns, k, np.arange(len(rows))), strict=True):
        steps = how.steps.tolist()
        assert steps == sorted(steps)
        assert all(steps[step] == step for step in steps)
        given_ = {steps[code] for code in column.codes.tolist() if code != UNTOLD}
        assert not column.ordered or len(given_) >= min(2, len(set(column.codes.tolist()) - {UNTOLD}))
        assert column.ordered or steps == list(range(CODES))


def test_a_rare_end_is_merged_with_the_smaller_neighbour_until_k_gave_it() -> None:
    assert scales.large_enough(np.arange(5), np.array([3, 4, 20, 30, 9]), 10).tolist() == [0, 0, 0, 3, 3]
    assert scales.large_enough(np.arange(4), np.array([3, 0, 0, 40]), 10).tolist() == [0, 1, 2, 3], "two steps are left: cells are withheld"
    assert scales.large_enough(np.arange(4), np.array([3, 0, 20, 40]), 10).tolist() == [0, 0, 0, 3], "what nobody gave lies in between"


def test_scales_are_merged_on_one_side_for_company_and_not_into_most_of_all() -> None:
    few, sides = np.array([True, True, False, False, False]), np.array([-1, -1, 0, 1, 1])
    counts = np.array([12, 15, 40, 50, 60])

    def coarser(steps: list[int], where: np.ndarray | None = None) -> list[int] | None:
        found = scales.coarser(np.array(steps), counts, few, where)
        return None if found is None else found.tolist()

    assert coarser([0, 1, 2, 3, 4], sides) == [0, 0, 2, 3, 4]
    assert coarser([0, 0, 2, 3, 4], sides) is None, "the middle is of another side"
    assert coarser([0, 0, 2, 3, 4]) == [0, 0, 0, 3, 4]
    assert coarser([0, 0, 0, 3, 4]) == [0, 0, 0, 0, 4], "117 of 177 people"
    assert coarser([0, 0, 2, 2, 2]) is None, "two steps are left"


def test_where_everybody_has_rare_answers_whole_variables_are_withheld() -> None:
    """Two lists of towns in which few live: pairs of them point to everybody, and company for each would take hours."""
    dice, many = np.random.default_rng(1), withholding.MANY + 1
    columns = [Answers(dice.permutation(many) % (many // 8), many // 8) for _ in range(2)]
    shown = rare.hide(columns, 5, np.arange(many))
    assert sorted(bool(how.withheld.all()) for how in shown) == [False, True]
    assert not any(how.withheld.any() and not how.withheld.all() for how in shown)
