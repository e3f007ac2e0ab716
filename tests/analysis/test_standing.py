"""Rows and columns of public tables move only with a batch of their own, also over restarts and new versions."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader
from proto.codebook import CodeBook, same_columns
from proto.instrument import Rule
from services.analysis.draws import Draws
from services.analysis.fold import Folder
from services.analysis.layout import arrange
from services.analysis.packing import UnreadableState
from services.analysis.released import ReleasedState, release
from services.analysis.standing import Standing, carried_over
from services.analysis.tables import side
from tests.analysis.small import KEY, book, crowd, released, state_of, survey

BATCH = survey().policy.batch
sizes = st.lists(st.integers(BATCH, 40), min_size=2, max_size=10).map(lambda steps: np.cumsum([10, *steps]).tolist())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), sizes)
def test_between_two_values_of_a_cell_a_batch_joined_its_row_and_its_column(seed: int, moments: list[int]) -> None:
    people, layout, folder = crowd(seed, moments[-1]), arrange(book()), Folder(book(), KEY)
    draws, found = Draws(KEY, "small"), None
    size_then = np.zeros((layout.width, layout.width), np.int64)
    for revision, size in enumerate(moments, 1):
        before = found
        found = release(folder, state_of(people[:size]), before, revision, "now", draws)
        moved = found.standing.at == revision
        single = found.standing.single
        assert (single[:, None] - size_then)[1:, 1:][moved[1:, 1:]].min(initial=BATCH) >= BATCH
        assert (found.standing.at == found.standing.at.T).all()
        if before is not None:
            same = ~moved & ~np.eye(layout.width, dtype=bool)
            assert (found.noisy.burt[same] == before.noisy.burt[same]).all(), "what does not move says the same"
        size_then = np.where(moved, single[:, None], size_then)


def test_nothing_stands_of_a_group_below_the_minimum() -> None:
    found = released(crowd(11, 60), 20, 40)
    small = found.standing.sizes < 10
    assert small.any()
    assert not found.shown[small].any()
    assert not found.shown[:, small].any()


def test_a_standing_survives_being_written_down() -> None:
    standing = released(crowd(3, 120), 30, 60).standing
    read = Standing.load(standing.dump("book"), "book")
    for name in Standing.__dataclass_fields__:
        assert np.array_equal(getattr(read, name), getattr(standing, name)), name
    for data, codebook in ((standing.dump("book"), "other"), (standing.dump("book")[:-9], "book"), (b"", "book")):
        with pytest.raises(UnreadableState):
            Standing.load(data, codebook)


def test_after_a_restart_the_same_figures_come_out_and_the_same_waits_go_on() -> None:
    people = crowd(3, 200)
    before = released(people[:120], 30, 60)
    folder, draws = Folder(book(), KEY), Draws(KEY, "small")
    again = ReleasedState.of(folder, Standing.load(before.standing.dump("b"), "b"), before.public.as_of, Draws(KEY, "small"))
    assert again.public == before.public
    one, other = (release(folder, state_of(people), found, 4, "now", draws) for found in (before, again))
    assert (one.noisy.burt == other.noisy.burt).all()


def test_a_stratum_that_means_something_else_begins_anew() -> None:
    """Its former counts are of other people, and would stand under its name until a batch of its own had joined."""
    people = crowd(3, 301)
    old = released(people[:300], 100, 200)
    derived = (msgspec.structs.replace(survey().derived[0], rule=Rule(q="Use", op="in", value=("n",))),)
    newer = CodeBook(Reader(msgspec.structs.replace(survey(), version="2.0.0", derived=derived)))
    assert same_columns(newer.digest, book().digest)
    state, layout = state_of(people, newer), arrange(newer)
    found = release(Folder(newer, KEY), state, old, 4, "now", Draws(KEY, "small")).standing
    uses, place = np.ix_(newer.of("uses"), newer.of("Place")), np.ix_(newer.of("Place"), newer.of("Place"))
    counts = layout.widen(layout.widen(state.burt).T)
    stands = found.at[uses] > 0
    assert stands.any()
    assert (found.counts[uses] == counts[uses])[stands].all(), "of whom the rule holds for now"
    assert (found.at[place] < 4).all(), "what means the same waits on"


def test_a_new_version_keeps_what_stands() -> None:
    """Otherwise the first release of a new version would move everything at once, and few joined in between."""
    old = released(crowd(3, 300), 100, 200)
    newer = msgspec.structs.replace(survey(), version="2.0.0", questions=tuple(q for q in survey().questions if q.id != "Word"))
    layout, former = arrange(CodeBook(Reader(newer))), arrange(book())
    found = carried_over(old.standing, former, layout, BATCH, Draws(KEY, "small"))
    for i, name in enumerate(layout.names):
        there = former.names.index(name)
        assert found.sizes[i] == old.standing.sizes[there]
        assert (found.at[i] == old.standing.at[there][[former.names.index(other) for other in layout.names]]).all()


def test_groups_of_the_same_people_say_the_same_and_those_of_nearly_the_same_do_not() -> None:
    """Equal numbers wherever the one person between two groups is not would read off all the answers of that person."""
    people = [one | {"Place": "abcc"[number % 4]} for number, one in enumerate(crowd(3, 300))]
    people[7] = {"Place": "d", "Use": "y"}
    found = released(people, *range(20, 300, 20))
    rows = {(group.name, code): column for group in arrange(book()).strata for code, column in group.groups}
    counts, seen = found.noisy.burt, found.shown
    uses, yes = rows["uses", "1"], side(book(), "Use").columns[0]
    assert (found.standing.single[[uses, yes]] > BATCH).all()
    others = [column for column in range(len(counts)) if column not in (uses, yes)]
    assert (counts[uses, others] == counts[yes, others]).all()
    assert (found.standing.at[uses, others] == found.standing.at[yes, others]).all()
    south, place = rows["place.region", "south"], side(book(), "Place").columns[2]
    both = seen[south] & seen[place] & (found.standing.counts[south] == found.standing.counts[place]) & (found.standing.counts[south] > 0)
    assert both.sum() > 15
    assert (counts[south, both] == counts[place, both]).mean() < 0.5
