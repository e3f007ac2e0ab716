"""Figures that a former program read wrongly from right counts are put right at the next start, without waiting for an answer."""

from __future__ import annotations

import msgspec

from proto import snapshot as snapshots
from proto.snapshot import Snapshot
from services.analysis.disclosure.published_state import PublishedState
from services.analysis.publish.publisher import PublicationState, Publisher
from tests.builders.small_survey import crowd, released


def started(published: Snapshot, saved: PublishedState) -> PublicationState:
    publication = PublicationState(revision=published.revision, edition=saved)
    Publisher._put_right(publication, saved, msgspec.json.decode(snapshots.encode(published), type=Snapshot))
    return publication


def test_what_was_published_rightly_is_left_alone() -> None:
    saved = released(crowd(1, 60))
    publication = started(saved.public, saved)
    assert publication.unsent is None
    assert publication.revision == saved.public.revision


def test_what_was_published_wrongly_is_published_again_with_the_same_counts_and_time() -> None:
    saved = released(crowd(1, 60))
    right = saved.public.questions["Agree"]
    row = msgspec.structs.replace(right.rows["x"], net_agreement=-(right.rows["x"].net_agreement or 1.0))
    wrong = msgspec.structs.replace(right, rows=right.rows | {"x": row})
    publication = started(msgspec.structs.replace(saved.public, questions=saved.public.questions | {"Agree": wrong}), saved)
    assert publication.unsent == msgspec.structs.replace(saved.public, revision=saved.public.revision + 1)
    assert publication.edition is not None
    assert publication.edition.public == publication.unsent  # tables say the same revision
    again = started(publication.edition.public, saved)  # the next start finds it right
    assert again.unsent is None
    assert again.revision == publication.revision
    assert again.edition is not None
    assert again.edition.public.revision == publication.revision


def test_figures_of_other_answers_are_left_alone() -> None:
    saved, other = released(crowd(1, 60)), released(crowd(2, 90))
    assert started(other.public, saved).unsent is None
