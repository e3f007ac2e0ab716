"""Whether an answer sent now would be stored, judged from recent events: a confirmed leader, writes, refusals. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FRESH = 5.0
"""Seconds for which a proof counts. The leader is asked every second, and its answer may take another."""
NO_ROOM = frozenset({10002, 10023, 10039, 10047, 10076, 10077})
"""JetStream's codes for: no room, a broken store, JetStream off. They concern every message, not only this one."""
AGAIN = 15.0
"""Seconds after such a refusal for which the journal counts as not writable, unless a write succeeds before."""
SILENCE = 5.0
"""Seconds after a missing answer for which the journal counts as not writable."""


@dataclass
class JournalHealth:
    """All times are seconds of one monotonic clock. A successful write is the strongest proof."""

    proved_at: float = float("-inf")
    suspect_until: float = float("-inf")

    def proved(self, now: float) -> None:
        """A leader answered, and a majority of the servers confirms it."""
        self.proved_at = now

    def wrote(self, now: float) -> None:
        self.proved_at, self.suspect_until = now, float("-inf")

    def refused(self, now: float, code: int) -> None:
        if code in NO_ROOM:
            self.suspect_until = now + AGAIN

    def unanswered(self, now: float) -> None:
        self.suspect_until = max(self.suspect_until, now + SILENCE)

    def reconnected(self) -> None:
        """The client reconnected, to another or a restarted server: earlier refusals do not count any more."""
        self.suspect_until = float("-inf")

    def checks(self, now: float) -> dict[str, bool]:
        return {"leader": now - self.proved_at < FRESH, "writable": now >= self.suspect_until}
