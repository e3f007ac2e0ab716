"""How fast a survey is being answered: a bucket that tells a flood from a busy morning. Pure."""

from __future__ import annotations


class Bucket:
    """Holds `burst` and is refilled with `rate` a second; whatever arrives takes one out.

    Once it is empty the flood is on, until the bucket is half full again: so a flood does not end and begin with every drop,
    and what is held back counts too, or the flood would seem over as soon as it is held back.
    """

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._level, self._at, self._flooded = burst, 0.0, False

    def take(self, now: float, leave: float = 0.0) -> bool:
        """Takes one out, and returns whether it was there, with so many left for others."""
        self._refill(now)
        there = self._level >= 1.0 + leave
        if there:
            self._level -= 1.0
        else:
            self._flooded = True
        return there

    def flooded(self, now: float | None = None) -> bool:
        """As of now; without a time, as of the last one taken."""
        if now is not None:
            self._refill(now)
        return self._flooded

    def _refill(self, now: float) -> None:
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level >= self._burst / 2:
            self._flooded = False
