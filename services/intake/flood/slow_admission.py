"""The slower way through a flood, for browsers without scripts: whoever began long enough ago passes, a few at a time.

*Claim.* A respondent who spent some minutes on the questionnaire passes at once, whatever the flood does, and one who just
began after seconds; a robot that does not wait never passes, and one that waits with many pages in store makes the wait
longer for itself first: each time the lane is full, the fare (the seconds since the beginning) doubles, and half of the
lane is kept for whoever has several times the fare. *Does not protect* against a robot that keeps thousands of pages for as
long as people take to answer; what passes the lane is then still no more than its rate.
"""

from __future__ import annotations

from services.runtime.token_bucket import Bucket

FARE = 10.0
"""Seconds since the beginning, while the lane is quiet."""
HIGHEST = 640.0
BURST, RATE = 100.0, 10.0
SENIOR = 4.0
"""Times the fare that open the other half of the lane."""
RISE = 5.0
"""Seconds between two rises of the fare."""
FALL = 60.0
"""Seconds without a full lane after which the fare halves."""


class Lane:
    def __init__(self) -> None:
        self._bucket = Bucket(BURST, RATE)
        self._fare, self._changed = FARE, 0.0

    def wait(self, age: float, now: float) -> float:
        """0 for whoever passes now, else the seconds after which to try again. `age`: since the beginning of the visit."""
        self._fall(now)
        if age < self._fare:
            return self._fare - age
        leave = 0.0 if age >= min(SENIOR * self._fare, HIGHEST) else BURST / 2
        if self._bucket.take(now, leave):
            return 0.0
        if now - self._changed >= RISE:
            self._fare, self._changed = min(2 * self._fare, HIGHEST), now
        return max(self._fare - age, RISE)

    def _fall(self, now: float) -> None:
        while self._fare > FARE and now - self._changed >= FALL:
            self._fare, self._changed = self._fare / 2, self._changed + FALL
