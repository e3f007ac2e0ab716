"""One batch of the journal, decoded: events to record, and events that cannot be read. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from proto.events import ResponseEvent
from proto.instrument import Instrument
from services.analysis.records import Parked, Unread
from services.analysis.state.fold import Answered

PARKING_BUDGET = (20, 100)
"""More than 20 parked events among the last 100 are no accident."""

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass
class Batch:
    """`answers`: by the sequence of their event; `surveys`: the instruments that the events refer to, by survey and version."""

    events: list[tuple[int, ResponseEvent]] = field(default_factory=list[tuple[int, ResponseEvent]])
    answers: dict[int, Answered] = field(default_factory=dict[int, Answered])
    unread: Unread = field(default_factory=Unread)
    surveys: dict[tuple[str, str], Instrument] = field(default_factory=dict[tuple[str, str], Instrument])
    seqs: list[int] = field(default_factory=list[int])
    """The sequence of each entry that was read, in order."""
    recent: deque[bool] = field(default_factory=lambda: deque[bool](maxlen=PARKING_BUDGET[1]))
    """Of the last events that do not wait, in order: whether each was parked."""
    over_budget: bool = False
    """Whether these are too many parked events to go on."""

    @property
    def end(self) -> int:
        return self.seqs[-1]

    def one_by_one(self) -> Iterator[Batch]:
        """Yields batches with one event at most, each with the unread entries before it. Together they hold every entry of this batch."""
        after = 0
        for seq, event in self.events:
            seqs = [entry for entry in self.seqs if after < entry <= seq]
            yield Batch([(seq, event)], self.answers, self.unread.between(after, seq), self.surveys, seqs)
            after = seq
        if after < self.end:
            yield Batch([], {}, self.unread.between(after, self.end), {}, [entry for entry in self.seqs if entry > after])

    def refused(self, reason: str) -> list[Parked]:
        """Returns its events as parked ones."""
        return [Parked(seq, reason, event.survey, event.id) for seq, event in self.events]


def survey_and_id(subject: str) -> tuple[str | None, str | None]:
    """Returns the survey and the response id in a subject of the journal; None for what it does not hold.

    The server guarantees the subject, whatever the message says.
    """
    parts = subject.split(".")
    if len(parts) != 5:
        return None, None
    return parts[3], parts[4] if _ID.fullmatch(parts[4]) else None
