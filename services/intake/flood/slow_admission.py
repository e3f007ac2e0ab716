"""Admits browsers without scripts during a flood: by the age of their visit, at a limited rate. Pure.

*Claim.* A respondent who spent some minutes on the questionnaire is admitted at once, whatever the flood does; one who just began is
admitted after seconds. A robot that does not wait is never admitted. A robot that keeps many pages waiting raises the minimum age, and so
its own wait, first. *Argument.* Each time the bucket is empty, the minimum age (seconds since the visit began) doubles; half of the bucket
is reserved for visits that are several times as old. *Does not protect* against a robot that keeps thousands of pages for as long as
people take to answer; it is then still limited to the bucket's rate.
"""

from __future__ import annotations

from services.runtime.token_bucket import Bucket

MIN_AGE = 10.0
"""Seconds since the visit began that are asked for at first."""
MAX_AGE = 640.0
"""Seconds: the minimum age never gets higher, and a visit this old always has priority."""
BURST, RATE = 100.0, 10.0
PRIORITY_FACTOR = 4.0
"""A visit this many times older than the minimum age may use the reserved half of the bucket."""
RAISE_SECONDS = 5.0
"""Seconds between two doublings of the minimum age."""
LOWER_SECONDS = 60.0
"""Seconds without an empty bucket after which the minimum age halves."""


class SlowAdmission:
    def __init__(self) -> None:
        self._bucket = Bucket(BURST, RATE)
        self._min_age, self._changed = MIN_AGE, 0.0

    def wait(self, age: float, now: float) -> float:
        """0 where the visit is admitted now, else the seconds after which to try again. `age`: seconds since the visit began."""
        self._lower(now)
        if age < self._min_age:
            return self._min_age - age
        priority_age = min(PRIORITY_FACTOR * self._min_age, MAX_AGE)
        reserved = 0.0 if age >= priority_age else BURST / 2
        if self._bucket.take(now, reserved):
            return 0.0
        if now - self._changed >= RAISE_SECONDS:
            self._min_age, self._changed = min(2 * self._min_age, MAX_AGE), now
        return max(self._min_age - age, RAISE_SECONDS)

    def _lower(self, now: float) -> None:
        while self._min_age > MIN_AGE and now - self._changed >= LOWER_SECONDS:
            self._min_age, self._changed = self._min_age / 2, self._changed + LOWER_SECONDS
