"""Keeps automated submissions from a survey. It counts requests by survey, never by address, and stores nothing about a person.

In quiet times a visit has to last a second and leave a hidden field empty. During a flood a device solves a small task; without scripts it
waits a little (`services.intake.flood.slow_admission`). Nothing typed is lost: a throttled respondent gets the whole page back.
Each process counts for itself, in memory.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proto import receipt as receipts
from proto.problem import Problem
from services.intake.flood import proof_of_work, signed_timestamp
from services.intake.flood.slow_admission import SlowAdmission
from services.intake.metrics import Metrics
from services.runtime.token_bucket import Bucket

log = logging.getLogger(__name__)

BURST, RATE = 20_000.0, 100.0
"""Responses of one survey at once, and per second for longer, above which it counts as flooded. All cities of Europe answering in one
morning stay far below."""
LEAST = 1.0
"""Seconds that everybody needs at least from consent to sending."""
TRAP = "subject"
"""The name of the hidden field: robots fill it in, browsers do not."""
AGAIN = 10
"""Seconds after which a program without a solution may try again."""


@dataclass(frozen=True)
class TooFast:
    """The visit was faster than people are, or the hidden field was filled in. Sending again, slower and without it, is accepted."""


@dataclass(frozen=True)
class Throttled:
    """The survey is flooded: the same is accepted at once with a solution of `task`, without one after `seconds`.

    The page must carry `began` (a signed timestamp): a page without a valid one begins to wait now.
    """

    seconds: int
    task: dict[str, Any]
    began: str


@dataclass
class _Watch:
    bucket: Bucket
    admission: SlowAdmission = field(default_factory=SlowAdmission)
    logged: bool = False
    """Whether the log's last line about this survey says that it is flooded."""


class FloodGuard:
    """`key` signs timestamps and tasks. All processes share it; without one this process makes its own. `clock` returns Unix time."""

    def __init__(
        self,
        metrics: Metrics,
        key: bytes | None = None,
        burst: float = BURST,
        rate: float = RATE,
        least: float = LEAST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._metrics, self._key, self._clock = metrics, key or secrets.token_bytes(32), clock
        self._burst, self._rate, self._least = burst, rate, least
        self._watches: dict[str, _Watch] = {}

    def began(self, receipt: str, carried: str = "") -> str:
        """The signed timestamp for the pages of this visit: `carried` where it is valid, else a new one."""
        id, now = receipts.response_id(receipt), self._clock()
        return carried if signed_timestamp.age(self._key, id, carried, now) is not None else signed_timestamp.make(self._key, id, now)

    def form(self, survey: str, receipt: str, carried: str, trap: str, solution: str) -> TooFast | Throttled | None:
        """Why a form that was sent is not accepted now; None where it is. `carried`: its signed timestamp; `trap`: its hidden field."""
        id, now = receipts.response_id(receipt), self._clock()
        watch, flooded = self._count(survey, now)
        age = signed_timestamp.age(self._key, id, carried, now) or 0.0
        if not flooded:
            if not trap and age >= self._least:
                return None
            self._metrics.held("trapped" if trap else "hurried")
            return TooFast()
        if not trap and proof_of_work.solved(self._key, id, solution):
            return None
        if not (seconds := watch.admission.wait(0.0 if trap else age, now)):
            return None
        self._metrics.held("flooded")
        return Throttled(math.ceil(seconds), proof_of_work.task(self._key, id, now), self.began(receipt, carried))

    def api(self, survey: str, receipt: str | None, solution: str) -> Problem | None:
        """The refusal for a program without an organiser's token; None where it is accepted."""
        now = self._clock()
        _, flooded = self._count(survey, now)
        if not flooded:
            return None
        id = receipts.response_id(receipt) if receipt else ""
        if id and proof_of_work.solved(self._key, id, solution):
            return None
        self._metrics.held("flooded")
        if not id:
            return Problem("too-many-requests", "Choose the receipt yourself and send it as Idempotency-Key.", retry_after=AGAIN)
        advice = "Send the same again with a solution of this ALTCHA task in the header Platea-Work, or with an organiser's token."
        return Problem("too-many-requests", advice, retry_after=AGAIN, extra={"task": proof_of_work.task(self._key, id, now)})

    def _count(self, survey: str, now: float) -> tuple[_Watch, bool]:
        """Counts one request, then returns whether the survey is flooded. Called for known surveys only, so memory is bounded."""
        watch = self._watches.get(survey)
        if watch is None:
            watch = self._watches[survey] = _Watch(bucket := Bucket(self._burst, self._rate))
            self._metrics.flooded(survey, lambda: bucket.flooded(self._clock()))
        watch.bucket.take(now)
        flooded = watch.bucket.flooded()
        if flooded is not watch.logged:
            watch.logged = flooded
            log.warning("a survey is flooded" if flooded else "a survey is no longer flooded", extra={"survey": survey})
        return watch, flooded
