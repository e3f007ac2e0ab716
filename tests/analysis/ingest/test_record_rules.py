"""What a batch does to the store, against a brute-force reading of the journal."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from proto.events import ResponseEvent, ResponseReplaced, ResponseSubmitted, ResponseWithdrawn
from services.analysis.ingest.record_rules import changes_of
from services.analysis.records import ResponseRow

Journal = list[tuple[int, ResponseEvent]]


def _event(seq: int, id: str, kind: str) -> ResponseEvent:
    if kind == "withdraw":
        return ResponseWithdrawn(id, "s")
    made = ResponseSubmitted if kind == "submit" else ResponseReplaced
    return made(id, "s", "1", msgspec.Raw(b'{"a":%d}' % seq), "d")


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    """A journal as intake writes it: a response is submitted first, then replaced and withdrawn."""
    kinds = st.sampled_from(["submit", "replace", "replace", "withdraw"])
    begun: set[str] = set()
    written: Journal = []
    for seq, (id, kind) in enumerate(draw(st.lists(st.tuples(st.sampled_from("abc"), kinds), max_size=12)), 1):
        known = id * 32
        if kind == "replace" and known not in begun:
            kind = "submit"
        if kind == "submit" and known in begun:
            kind = "replace"
        begun.add(known)
        written.append((seq, _event(seq, known, kind)))
    return written


@given(journals(), st.data())
def test_whatever_the_order_and_the_batches_the_last_word_counts_once(journal: Journal, data: st.DataObject) -> None:
    repeated = journal + (data.draw(st.lists(st.sampled_from(journal), max_size=5)) if journal else [])
    delivered = data.draw(st.permutations(repeated))
    stored: dict[str, ResponseRow] = {}
    counted: Counter[tuple[str, str | None]] = Counter()
    erased: set[int] = set()
    while delivered:
        size = data.draw(st.integers(1, len(delivered)))
        batch, delivered = delivered[:size], delivered[size:]
        made = changes_of({id: row for id, row in stored.items() if any(event.id == id for _, event in batch)}, batch)
        assert not made.inserted.keys() & stored.keys()
        assert made.changed.keys() <= stored.keys()
        assert {id: stored[id] for id in made.retracted} == made.retracted
        stored |= made.inserted | made.changed
        counted.update((id, row.answers) for id, row in made.counted)
        counted.subtract((id, row.answers) for id, row in made.retracted.items())
        erased |= made.erased
    for id in {event.id for _, event in journal}:
        _, last = max((entry for entry in journal if entry[1].id == id), key=lambda entry: entry[0])
        gone = any(isinstance(event, ResponseWithdrawn) for _, event in journal if event.id == id)
        assert stored[id].withdrawn == gone
        if not gone:
            assert not isinstance(last, ResponseWithdrawn)
            assert stored[id].answers == bytes(last.answers).decode()
    assert +counted == Counter((id, row.answers) for id, row in stored.items() if not row.withdrawn)
    assert erased == {seq for seq, _ in journal} - {row.seq for row in stored.values()}


def test_a_batch_that_comes_again_changes_nothing() -> None:
    batch: Journal = [(1, _event(1, "a" * 32, "submit")), (2, _event(2, "a" * 32, "replace")), (3, _event(3, "b" * 32, "withdraw"))]
    stored = changes_of({}, batch).inserted
    again = changes_of(stored, batch)
    assert not again.inserted
    assert not again.changed
    assert again.ignored == 3
    assert again.erased == {1}, "what was superseded stays to be erased; what counts does not"


def test_another_surveys_event_does_not_change_a_response() -> None:
    stored = changes_of({}, [(1, _event(1, "a" * 32, "submit"))]).inserted
    stranger = ResponseReplaced("a" * 32, "t", "1", msgspec.Raw(b"{}"), "d")
    made = changes_of(stored, [(2, stranger)])
    assert not made.changed
    assert made.erased == {2}
