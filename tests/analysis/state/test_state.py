"""Laws of the state and of folding responses into it."""

from __future__ import annotations

from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader
from proto.codebook import CodeBook
from services.analysis.state.fold import Answered, Folder
from services.analysis.state.state import State
from services.analysis.state.state_codec import UnreadableState, pack, upper
from tests.analysis.conftest import id_of
from tests.builders.bundled import population, questionnaire

SMALL = questionnaire("security-by-design")
READER = Reader(SMALL)
ANSWERS = [READER.canonical(population(SMALL.id, 3).respondent(number).answers) for number in range(401)]
FOLDER = Folder(CodeBook(READER))
PEOPLE = st.lists(st.integers(0, 400), max_size=30)


def someone(number: int) -> Answered:
    return id_of(number), READER.stored(ANSWERS[number])


def of(*people: int) -> State:
    state = FOLDER.empty()
    FOLDER.fold(state, [someone(number) for number in people])
    return state


def by_hand(people: list[int]) -> State:
    """One response after the other, one cell after the other, in Python's own integers."""
    book, state = FOLDER.codebook, FOLDER.empty()
    for number in people:
        _, said = someone(number)
        x = np.flatnonzero(book.cells([said], book.empty(1))[0])
        state.burt[np.ix_(x, x)] += 1
        given = [getattr(said, name) for name in book.numbers]
        values = [round(value * scale) if isinstance(value, int | float) else 0 for value, scale in zip(given, book.scales, strict=True)]
        for i, v in enumerate(values):
            state.products[i, x] += v
            for j, w in enumerate(values):
                state.squares[i][j] += v * w
            for place, column in enumerate(book.groups):
                state.group_squares[i][place] += v * v * (column in x)
    return state


@settings(max_examples=15, deadline=None)
@given(PEOPLE)
def test_the_fold_equals_counting_by_hand(people: list[int]) -> None:
    assert of(*people) == by_hand(people)


@settings(max_examples=15, deadline=None)
@given(PEOPLE, st.randoms(use_true_random=False))
def test_order_does_not_matter(people: list[int], random: Random) -> None:
    shuffled = random.sample(people, len(people))
    assert of(*people) == of(*shuffled)


@settings(max_examples=15, deadline=None)
@given(PEOPLE, PEOPLE)
def test_two_partitions_merged_equal_one_pass(xs: list[int], ys: list[int]) -> None:
    merged = of(*xs)
    merged.merge(of(*ys))
    assert merged == of(*xs, *ys)


@settings(max_examples=15, deadline=None)
@given(PEOPLE, PEOPLE)
def test_who_joins_and_leaves_was_never_there(stay: list[int], go: list[int]) -> None:
    state = of(*stay, *go)
    FOLDER.fold(state, [someone(number) for number in go], -1)
    assert state == of(*stay)
    other = of(*stay, *go)
    other.subtract(of(*go))
    assert other == state


@settings(max_examples=10, deadline=None)
@given(PEOPLE)
def test_a_state_survives_being_written_down(people: list[int]) -> None:
    state = of(*people)
    assert State.load(state.dump("book"), "book") == state


def test_large_batches_are_exact() -> None:
    state = of(*range(300), *range(300))
    half = of(*range(300))
    assert state.responses == 600
    assert (state.burt == 2 * half.burt).all()
    assert state.squares == [[2 * n for n in row] for row in half.squares]
    assert state.group_squares == [[2 * n for n in row] for row in half.group_squares]


def test_a_state_of_another_code_book_or_a_torn_one_is_refused() -> None:
    data = of(1, 2).dump("book")
    for broken, book in ((data, "other"), (data[:-9], "book"), (b"", "book"), (data[:40], "book")):
        with pytest.raises(UnreadableState):
            State.load(broken, book)


def test_a_checkpoint_of_an_earlier_release_is_read_without_its_record_keys() -> None:
    """Of a survey whose answers are deleted the checkpoint is all there is: it held the sums of record keys behind the counts."""
    state = of(1, 2, 3)
    keys = np.full((len(state.burt), len(state.burt)), 77.0)
    squares, group_squares = ([[str(n) for n in row] for row in each] for each in (state.squares, state.group_squares))
    parts = upper(state.burt), upper(keys), state.products.ravel()
    head = {"codebook": "book", "columns": len(state.burt), "squares": squares, "group_squares": group_squares}
    written = pack(msgspec.defstruct("Head", head)(**head), (part.astype(np.int64) for part in parts))
    assert State.load(written, "book") == state
