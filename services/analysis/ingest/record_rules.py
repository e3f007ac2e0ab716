"""The rules of recording: what a batch of events changes in the stored responses. Pure.

Claim. Each response counts once, with its last content, and never after it was withdrawn, however often and in whatever order events come.
Assumes that a response is submitted once, before its other events: the journal refuses a second submission under a receipt (ADR 2).

A response is absent, present or withdrawn. The sequence in the journal says which of two events is later:

- *submitted*: absent becomes present; otherwise nothing changes.
- *replaced*: absent becomes present; present with a lower sequence takes the new answers; otherwise nothing changes.
- *withdrawn*: final, also when it comes first.

A message of the journal that the stored response does not come from is erased there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from proto.events import ResponseEvent, ResponseReplaced, ResponseWithdrawn
from services.analysis.records import Changes, ResponseRow


def changes_of(known: Mapping[str, ResponseRow], events: Iterable[tuple[int, ResponseEvent]]) -> Changes:
    """Returns what these events change. `known`: the stored rows of the ids that occur; `events`: with their sequences in the journal."""
    changes = Changes()
    current: dict[str, ResponseRow] = {}
    for seq, event in events:
        before = current.get(event.id) or known.get(event.id)
        after = _after(before, seq, event)
        if after is not before:
            current[event.id] = after
            if before is not None:
                changes.erased.add(before.seq)
        else:
            changes.ignored += 1
            if seq != after.seq:
                changes.erased.add(seq)
    for id, row in current.items():
        if id not in known:
            changes.inserted[id] = row
        else:
            changes.changed[id] = row
            changes.retracted[id] = known[id]
    return changes


def _after(row: ResponseRow | None, seq: int, event: ResponseEvent) -> ResponseRow:
    """Returns the response after this event; the same object where nothing changes."""
    if isinstance(event, ResponseWithdrawn):
        if row is not None and row.withdrawn:
            return row
        return ResponseRow(seq, row.survey if row else event.survey)
    later = isinstance(event, ResponseReplaced) and row is not None and not row.withdrawn and row.seq < seq and row.survey == event.survey
    if row is None or later:
        return ResponseRow(seq, event.survey, event.version, event.language, bytes(event.answers).decode(), event.notice)
    return row
