"""Figures that a former program read wrongly from right counts are put right at the next start, without waiting for an answer."""

from __future__ import annotations

import msgspec

from proto import snapshot as snapshots
from proto.snapshot import Snapshot
from services.analysis.disclosure.published_state import ReleasedState
from services.analysis.publish.publisher import Desk, Publisher
from tests.analysis.small import crowd, released


def started(published: Snapshot, saved: ReleasedState) -> Desk:
    desk = Desk(revision=published.revision, released=saved)
    Publisher._put_right(desk, saved, msgspec.json.decode(snapshots.encode(published), type=Snapshot))
    return desk


def test_what_was_published_rightly_is_left_alone() -> None:
    saved = released(crowd(1, 60))
    desk = started(saved.public, saved)
    assert desk.unsent is None
    assert desk.revision == saved.public.revision


def test_what_was_published_wrongly_is_published_again_with_the_same_counts_and_time() -> None:
    saved = released(crowd(1, 60))
    right = saved.public.questions["Agree"]
    row = msgspec.structs.replace(right.rows["x"], net_agreement=-(right.rows["x"].net_agreement or 1.0))
    wrong = msgspec.structs.replace(right, rows=right.rows | {"x": row})
    desk = started(msgspec.structs.replace(saved.public, questions=saved.public.questions | {"Agree": wrong}), saved)
    assert desk.unsent == msgspec.structs.replace(saved.public, revision=saved.public.revision + 1)
    assert desk.released is not None
    assert desk.released.public == desk.unsent  # tables say the same revision
    again = started(desk.unsent, saved)  # the next start finds it right
    assert again.unsent is None
    assert again.revision == desk.revision
    assert again.released is not None
    assert again.released.public.revision == desk.revision


def test_figures_of_other_answers_are_left_alone() -> None:
    saved, other = released(crowd(1, 60)), released(crowd(2, 90))
    assert started(other.public, saved).unsent is None
