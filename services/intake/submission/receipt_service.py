"""What the holder of a receipt can do with its response: look it up, change it, withdraw it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from proto import receipt as receipts
from proto.events import ResponseReplaced, ResponseSubmitted, ResponseWithdrawn
from proto.problem import Problem
from proto.registry import Registry
from services.intake.streams.journal import Journal, JournalOutOfReach, Written, entry
from services.intake.submission.committer import Committer, CommitterBusy, Outcome
from services.intake.submission.submit import RETRY_AFTER
from services.intake.submission.validation import accept_as
from services.intake.surveys.catalogue import Catalogue

TRIES = 20
"""How often one change may lose against another change of the same response before the answer is "busy"."""


DELETED = "Check the letters. Or it belonged to answers that are deleted because their time was over: then it opens nothing any more."


class ResponseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a response is. Nothing but its survey is left of a withdrawn one."""

    status: Literal["accepted", "recorded", "withdrawn"]
    survey: str
    version: str | None = None
    digest: str | None = None


class ReceiptService:
    """In every method `survey="*"` stands for any survey.

    `clock` returns Unix time, `today` (UTC) and `latest_today` (anywhere on Earth) ISO dates.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        registry: Registry,
        journal: Journal,
        committer: Committer,
        clock: Callable[[], float],
        today: Callable[[], str],
        latest_today: Callable[[], str],
    ) -> None:
        self._catalogue, self._registry, self._journal, self._committer = catalogue, registry, journal, committer
        self._clock, self._today, self._latest_today = clock, today, latest_today

    async def look_up(self, receipt: str, survey: str = "*") -> ResponseStatus | Problem:
        """A receipt of another survey is unknown, and takes as long: the journal is asked for this survey alone."""
        try:
            written = await self._find(receipt, survey)
            return written if isinstance(written, Problem) else await self._state(written)
        except JournalOutOfReach:
            return _busy()

    async def stored(self, receipt: str, survey: str) -> ResponseSubmitted | ResponseReplaced | Problem:
        """The last event that carries answers under this receipt, for their author to check or to change."""
        try:
            written = await self._find(receipt, survey)
        except JournalOutOfReach:
            return _busy()
        if isinstance(written, Problem):
            return written
        return Problem("withdrawn") if isinstance(written.event, ResponseWithdrawn) else written.event

    async def replace(self, receipt: str, body: bytes, survey: str = "*", *, secret: str | None = None) -> ResponseStatus | Problem:
        """Replaces the answers by those in this body, while the survey is open. A returned ResponseStatus is on disk.

        `secret`: of the token that the request bears, if any; an organiser's may bring a weight.
        """
        for _ in range(TRIES):
            try:
                written = await self._find(receipt, survey)
                if isinstance(written, Problem):
                    return written
                if isinstance(written.event, ResponseWithdrawn):
                    return Problem("withdrawn")
                known = self._catalogue.surveys.get(written.event.survey)
                if known is None or not self._registry.takes_answers(known.id, self._clock()):
                    return Problem("survey-closed")
                organiser = secret is not None and self._registry.allows(secret, "organiser", known.id, self._clock())
                before = bytes(written.event.answers)
                event = accept_as(ResponseReplaced, known, body, written.event.id, self._latest_today(), organiser=organiser, before=before)
                if isinstance(event, list):
                    return Problem("answers-refused", errors=tuple(event))
                if event.digest == written.event.digest:
                    return await self._state(written)
                if await self._committer.commit(entry(event, after=written.seq)) is Outcome.WRITTEN:
                    return ResponseStatus(status="accepted", survey=known.id, version=event.version, digest=event.digest)
            except Problem as unreadable:
                return unreadable
            except (CommitterBusy, JournalOutOfReach):
                return _busy()
        return _busy()

    async def withdraw(self, receipt: str, survey: str = "*") -> ResponseStatus | Problem:
        """Withdraws the response, also after the survey closed. A returned ResponseStatus is on disk."""
        for _ in range(TRIES):
            try:
                written = await self._find(receipt, survey)
                if isinstance(written, Problem):
                    return written
                withdrawn = ResponseStatus(status="withdrawn", survey=written.event.survey)
                if isinstance(written.event, ResponseWithdrawn):
                    return withdrawn
                event = ResponseWithdrawn(written.event.id, written.event.survey)
                if await self._committer.commit(entry(event, after=written.seq)) is Outcome.WRITTEN:
                    return withdrawn
            except (CommitterBusy, JournalOutOfReach):
                return _busy()
        return _busy()

    async def _find(self, receipt: str, survey: str = "*") -> Written | Problem:
        """The last event under this receipt. A certain typing mistake is refused without asking the journal. Raises JournalOutOfReach.

        Of deleted answers nothing is left that says whose they were. So in a survey that is over, every receipt that could be one of
        its own gets "answers-deleted"; looked up in any survey, it is unknown.
        """
        mistake = receipts.mistake(receipt)
        if mistake is None or not mistake.certain:
            written = await self._journal.last(receipts.response_id(receipt), survey)
            if written is not None:
                return written
        if mistake is not None:
            return Problem("receipt-mistyped", "Compare it with your copy, group by group.")
        today = self._today()
        if self._registry.over(survey, today):
            return Problem("answers-deleted", extra={"on": self._registry.deletion_day(survey)})
        over = survey == "*" and any(self._registry.over(id, today) for id in self._registry.retention)
        return Problem("receipt-unknown", DELETED if over else "Check the letters; a receipt is shown once, when a response is sent.")

    async def _state(self, written: Written) -> ResponseStatus:
        event = written.event
        if isinstance(event, ResponseWithdrawn):
            return ResponseStatus(status="withdrawn", survey=event.survey)
        status = "recorded" if await self._journal.recorded(written) else "accepted"
        return ResponseStatus(status=status, survey=event.survey, version=event.version, digest=event.digest)


def _busy() -> Problem:
    return Problem("busy", "Please send the same again.", retry_after=RETRY_AFTER)
