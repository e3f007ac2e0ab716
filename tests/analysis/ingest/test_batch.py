"""A batch that is recorded one event at a time is the same batch: no entry is lost, none comes twice, none is passed before its turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.analysis.ingest.batch import Batch, survey_and_id
from services.analysis.records import Parked, Unread, WaitingEvent
from tests.analysis.conftest import submitted

entries = st.lists(st.sampled_from(["event", "waiting", "parked"]), min_size=1, max_size=12)


def batch_of(kinds: list[str], first: int) -> Batch:
    batch = Batch()
    for seq, kind in enumerate(kinds, first):
        batch.seqs.append(seq)
        if kind == "event":
            batch.events.append((seq, submitted(seq)))
        elif kind == "waiting":
            batch.unread.waiting.append(WaitingEvent(seq, "town", "2.0.0", None))
        else:
            batch.unread.parked.append(Parked(seq, "unreadable", None, None))
    return batch


@given(entries, st.integers(1, 10**9))
def test_the_parts_of_a_batch_hold_each_entry_once_and_in_order(kinds: list[str], first: int) -> None:
    batch = batch_of(kinds, first)
    parts = list(batch.one_by_one())
    assert [seq for part in parts for seq in part.seqs] == batch.seqs
    assert [event for part in parts for event in part.events] == batch.events
    waiting, parked = ([event for part in parts for event in getattr(part.unread, kind)] for kind in ("waiting", "parked"))
    assert Unread(waiting, parked) == batch.unread
    assert all(len(part.events) <= 1 for part in parts)
    assert [part.end for part in parts] == sorted({part.end for part in parts}), "the position only moves forward"
    assert all(event.seq in part.seqs for part in parts for event in (*part.unread.waiting, *part.unread.parked))


def test_a_subject_of_the_journal_names_survey_and_response_whatever_the_message_says() -> None:
    id = "0123456789abcdef" * 2
    assert survey_and_id(f"platea.responses.3.town.{id}") == ("town", id)
    assert survey_and_id("platea.responses.3.town.not-an-id") == ("town", None)
    assert survey_and_id("platea.surveys.town") == (None, None)
