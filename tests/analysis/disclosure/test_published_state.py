"""What stands released survives restarts and new versions of the questionnaire: marks go on, noise stays with its cell."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from proto import instrument as i
from proto import snapshot as snapshots
from proto.answers import Reader
from proto.codebook import CodeBook, Column
from services.analysis.disclosure import public_tables
from services.analysis.disclosure.cells import cells_of
from services.analysis.disclosure.editions import Due, Marks
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.published_state import PublishedState, SavedState, due_now, next_edition
from services.analysis.state.fold import Folder
from services.analysis.state.state_codec import UnreadableState
from tests.builders.small_survey import KEY, book, crowd, options, released, state_of, survey

NOISE = Noise(KEY, "small")


def newer(**changes: Any) -> CodeBook:
    """A version with another text and one more option of `Use`; whatever else changes."""
    questions = tuple(
        msgspec.structs.replace(question, options=options("ynm")) if question.id == "Use" else question for question in survey().questions
    )
    return CodeBook(Reader(msgspec.structs.replace(survey(), version="2.0.0", questions=questions, **changes)))


def test_after_a_restart_the_same_figures_come_out_and_the_same_marks_stand() -> None:
    before = released(crowd(3, 320), 60, 150)
    read = SavedState.load(before.dump())
    assert read.marks == before.marks
    assert read.version == "1.0.0"
    public = before.public
    after = PublishedState.of(Folder(book()), read.marks, read.single, read.tables(book(), NOISE), NOISE, public.revision, public.as_of)
    assert snapshots.encode(after.public) == snapshots.encode(public)
    for sides in (("Place", "Use"), ("Why", "Agree.x")):
        assert public_tables.public(after, *sides) == public_tables.public(before, *sides)
    assert PublishedState.of(Folder(book()), read.marks, read.single, None, NOISE, 1, "now").dump() != before.dump()


def test_what_was_torn_or_written_by_an_earlier_release_is_refused() -> None:
    data = released(crowd(3, 60)).dump()
    for broken in (data[:-9], b"", data[:30]):
        with pytest.raises(UnreadableState):
            SavedState.load(broken)


def test_a_new_version_makes_no_edition_and_waits_where_the_former_one_waited() -> None:
    people = crowd(3, 200)
    before = next_edition(Folder(book()), state_of(people[:100]), None, Marks(), Due(True, True), NOISE, 1, 0.0, "then")
    of = newer()
    for folder in (Folder(book()), Folder(of)):
        for n in range(100, 116):
            state = state_of(people[:n], folder.codebook)
            found = due_now(folder, state, before, before.marks, NOISE, 1.0, closed=False)
            assert found.singles == due_now(Folder(book()), state_of(people[:n]), before, before.marks, NOISE, 1.0, closed=False).singles
    assert not due_now(Folder(of), state_of(people[:100], of), before, before.marks, NOISE, 1.0, closed=False).singles


def test_noise_stays_with_its_cell_in_a_new_version() -> None:
    """The same counts at the same edition are published alike by both versions, where the question is the same."""
    state, of = state_of(crowd(3, 200)), newer()
    one = next_edition(Folder(book()), state, None, Marks(), Due(True, True), NOISE, 1, 0.0, "now")
    other = next_edition(Folder(of), state_of(crowd(3, 200), of), None, Marks(), Due(True, True), NOISE, 1, 0.0, "now")
    for question in ("Place", "Why", "Agree", "Rank", "Count"):
        assert one.public.questions[question] == other.public.questions[question]
    first, second = (cells_of(book_).blocks.names for book_ in (book(), of))
    assert set(first.tolist()) - set(second.tolist()) == set()
    assert len(set(second.tolist()) - set(first.tolist())) == 1, "the new option has noise of its own"


def test_breakdowns_of_the_former_version_stand_for_what_means_the_same() -> None:
    people = crowd(3, 300)
    before = next_edition(Folder(book()), state_of(people[:200]), None, Marks(), Due(True, True), NOISE, 1, 0.0, "then")
    uses = i.Derived("uses", i.Rule(q="Use", op="in", value=("y", "m")), survey().derived[0].labels)
    of = newer(derived=(uses,))
    after = next_edition(Folder(of), state_of(people, of), before, before.marks, Due(True), NOISE, 2, 1.0, "now").public
    was, now = (each.breakdowns for each in (before.public, after))
    for code, group in was["place.region"].items():
        there = now["place.region"][code]
        assert (there.responses, there.as_of) == (group.responses, group.as_of)
        assert there.questions == {id: figures for id, figures in group.questions.items() if id != "Use"}, "Use has another option now"
    assert not any(group.questions for group in now["uses"].values()), "who uses it is told by another rule now"


def test_the_one_answer_that_a_group_stands_for_and_the_group_share_their_noise() -> None:
    cells, index = cells_of(book()), book().index
    north, a = index[Column("stratum", "place.region", "north")], index[Column("option", "Place", "a")]
    yes, y = index[Column("stratum", "uses", "1")], index[Column("option", "Use", "y")]
    south = index[Column("stratum", "place.region", "south")]
    names = cells.blocks.names[cells.cell_of]
    assert names[north] == names[a]
    assert names[yes] == names[y]
    assert names[south] not in np.delete(names, south)
