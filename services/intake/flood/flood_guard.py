"""Keeps robots and floods from a survey without knowing who anybody is: it counts by survey, never by address.

In quiet times a visit only has to take a moment and leave a hidden field empty. During a flood a device solves a small task;
without scripts one waits a little (see `lane`). Nothing typed is ever lost: whoever is held back gets the page back whole.
Each intake counts for itself, in memory.
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
from services.intake.flood.slow_admission import Lane
from services.intake.metrics import Metrics
from services.runtime.token_bucket import Bucket

log = logging.getLogger(__name__)

BURST, RATE = 20_000.0, 100.0
"""Responses that a survey takes at once, and each second for longer, before it counts as flooded. All cities of Europe
answering in one morning stay far below."""
LEAST = 1.0
"""Seconds that everybody needs from agreeing to sending."""
TRAP = "subject"
"""The field that people do not see, named so that robots like it and browsers do not fill it in."""
AGAIN = 10
"""Seconds after which a program without a solution may look whether the flood is over."""


@dataclass(frozen=True)
class Hurried:
    """Faster than people are, or the trap was filled in. Sending again, once it is not, passes."""


@dataclass(frozen=True)
class Held:
    """The survey is flooded: with a solution of `task` the same passes at once, without after `seconds`.

    `began` is to be carried on: a page without a stamp of ours begins to wait here.
    """

    seconds: int
    task: dict[str, Any]
    began: str


@dataclass
class _Watch:
    bucket: Bucket
    lane: Lane = field(default_factory=Lane)
    told: bool = False


class Guard:
    """`key` is shared by all intakes, so that what one has signed another reads; without one this process makes its own."""

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
        """The stamp that the pages of this visit carry on: the one they had, or a new one where that is none of ours."""
        id, now = receipts.response_id(receipt), self._clock()
        return carried if signed_timestamp.age(self._key, id, carried, now) is not None else signed_timestamp.make(self._key, id, now)

    def form(self, survey: str, receipt: str, carried: str, trap: str, solution: str) -> Hurried | Held | None:
        """What keeps a form that was sent from being taken; None where nothing does."""
        id, now = receipts.response_id(receipt), self._clock()
        watch, flooded = self._count(survey, now)
        age = signed_timestamp.age(self._key, id, carried, now) or 0.0
        if not flooded:
            if not trap and age >= self._least:
                return None
            self._metrics.held("trapped" if trap else "hurried")
            return Hurried()
        if not trap and proof_of_work.solved(self._key, id, solution):
            return None
        if not (seconds := watch.lane.wait(0.0 if trap else age, now)):
            return None
        self._metrics.held("flooded")
        return Held(math.ceil(seconds), proof_of_work.task(self._key, id, now), self.began(receipt, carried))

    def api(self, survey: str, receipt: str | None, solution: str) -> Problem | None:
        """What keeps a program without an organiser's token from being heard; None where nothing does."""
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
        """Whether the survey is flooded, this one counted. Asked for known surveys only, so there are no more than those."""
        watch = self._watches.get(survey)
        if watch is None:
            watch = self._watches[survey] = _Watch(bucket := Bucket(self._burst, self._rate))
            self._metrics.flooded(survey, lambda: bucket.flooded(self._clock()))
        watch.bucket.take(now)
        flooded = watch.bucket.flooded()
        if flooded is not watch.told:
            watch.told = flooded
            log.warning("survey %s is %s flooded", survey, "now" if flooded else "no longer")
        return watch, flooded
