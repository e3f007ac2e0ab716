"""Pure. Whether an answer sent now would be stored, by what the journal did lately: a confirmed leader, writes, refusals."""

from __future__ import annotations

from dataclasses import dataclass

FRESH = 5.0
"""Seconds for which a proof counts: the leader is asked each second, and an answer may take another."""
NO_ROOM = frozenset({10002, 10023, 10039, 10047, 10076, 10077})
"""JetStream's codes for no room, a broken store, or JetStream off: they hold of whatever is sent, and not of this answer alone."""
AGAIN = 15.0
"""Seconds after such a refusal until it is worth trying again, where nothing else says that it has passed."""
SILENCE = 5.0
"""Seconds after an answer of the journal did not come."""


@dataclass
class JournalHealth:
    """Times are of one monotonic clock. Writing proves the most, so under load nothing else has to."""

    proved_at: float = float("-inf")
    suspect_until: float = float("-inf")

    def proved(self, now: float) -> None:
        """A leader answered that a majority of the servers confirmed."""
        self.proved_at = now

    def wrote(self, now: float) -> None:
        self.proved_at, self.suspect_until = now, float("-inf")

    def refused(self, now: float, code: int) -> None:
        if code in NO_ROOM:
            self.suspect_until = now + AGAIN

    def unanswered(self, now: float) -> None:
        self.suspect_until = max(self.suspect_until, now + SILENCE)

    def reconnected(self) -> None:
        """To another server, or to the same one after it was started again: what it refused before says nothing any more."""
        self.suspect_until = float("-inf")

    def checks(self, now: float) -> dict[str, bool]:
        return {"leader": now - self.proved_at < FRESH, "writable": now >= self.suspect_until}
