"""What a batch of events does to the stored responses. Pure: the rules of counting once, replacing and withdrawing.

A response is absent, present or withdrawn. The events about it may come twice and, after faults, out of order; the
journal's sequence says which is later:

- *submitted*: absent becomes present; otherwise it changes nothing.
- *replaced*: absent becomes present; present with a lower sequence takes the new answers; otherwise it changes nothing.
- *withdrawn*: final, also when it comes first.

What the stored response does not come from must not stay in the journal either, and is erased there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proto.events import ResponseEvent, ResponseReplaced, ResponseWithdrawn


@dataclass(frozen=True, slots=True)
class Row:
    """A response as stored. Without `answers` it is the tombstone of a withdrawn one."""

    seq: int
    survey: str
    version: str | None = None
    language: str | None = None
    answers: str | None = None
    notice: str | None = None
    late: int | None = None
    """In which late batch it was recorded; None where in turn."""

    @property
    def withdrawn(self) -> bool:
        return self.answers is None


@dataclass
class Plan:
    inserted: dict[str, Row] = field(default_factory=dict[str, Row])
    changed: dict[str, Row] = field(default_factory=dict[str, Row])
    retracted: dict[str, Row] = field(default_factory=dict[str, Row])
    """Former contents that were counted until now."""
    erased: set[int] = field(default_factory=set[int])
    """Messages to delete from the journal."""
    ignored: int = 0
    """Events that changed nothing: repetitions and late comers."""

    @property
    def counted(self) -> Iterable[tuple[str, Row]]:
        """The responses that count from now on."""
        for rows in (self.inserted, self.changed):
            yield from ((id, row) for id, row in rows.items() if not row.withdrawn)


def plan(known: Mapping[str, Row], events: Iterable[tuple[int, ResponseEvent]]) -> Plan:
    """`known` holds the stored rows of the ids that occur; events carry their sequence in the journal."""
    made = Plan()
    now: dict[str, Row] = {}
    for seq, event in events:
        before = now.get(event.id) or known.get(event.id)
        after = _after(before, seq, event)
        if after is not before:
            now[event.id] = after
            if before is not None:
                made.erased.add(before.seq)
        else:
            made.ignored += 1
            if seq != after.seq:
                made.erased.add(seq)
    for id, row in now.items():
        if id not in known:
            made.inserted[id] = row
        else:
            made.changed[id] = row
            made.retracted[id] = known[id]
    return made


def _after(row: Row | None, seq: int, event: ResponseEvent) -> Row:
    """The response after this event; the very same row where nothing changes."""
    if isinstance(event, ResponseWithdrawn):
        if row is not None and row.withdrawn:
            return row
        return Row(seq, row.survey if row else event.survey)
    later = isinstance(event, ResponseReplaced) and row is not None and not row.withdrawn and row.seq < seq and row.survey == event.survey
    if row is None or later:
        return Row(seq, event.survey, event.version, event.language, bytes(event.answers).decode(), event.notice)
    return row
