"""Logs each outage when it begins, then when it ends."""

from __future__ import annotations

from logging import Logger

from services.runtime.error_details import error_name, stack_of
from services.runtime.outage_kind import OutageKind, outage_kind


class Outages:
    """One kind of work that is repeated, for the whole service or for each survey. `work` names it in the log."""

    def __init__(self, log: Logger, work: str) -> None:
        self._log, self._work = log, work
        self._lost = False
        self._failing: set[str] = set()

    def failed(self, error: BaseException, survey: str = "") -> None:
        """Call it after each failure. It is logged unless the same kind of outage was logged before and has not ended."""
        kind = outage_kind(error)
        if kind is OutageKind.LOST:
            if not self._lost:
                self._log.warning(kind.value, extra={"work": self._work, "survey": survey, "error": error_name(error)})
            self._lost = True
            return
        if survey not in self._failing and kind is not None:
            self._log.error(kind.value, extra={"work": self._work, "survey": survey, "error": error_name(error)})
        elif survey not in self._failing:
            self._log.error("failed; trying again all the same", extra={"work": self._work, "survey": survey, "stack": stack_of(error)})
        self._failing.add(survey)

    def works(self, survey: str = "") -> None:
        """Call it after each success."""
        if self._lost or survey in self._failing:
            self._log.info("works again", extra={"work": self._work, "survey": survey})
        self._lost = False
        self._failing.discard(survey)
