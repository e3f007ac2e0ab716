"""Drafts that respondents saved, found by their code. They are sealed here; the code that opens one goes to the respondent alone."""

from __future__ import annotations

import datetime
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from proto import receipt as receipts
from proto.answers import today_of
from proto.problem import Problem
from proto.registry import Registry
from services.intake.drafts import drafts
from services.intake.drafts.draft_keys import DraftKeys
from services.intake.drafts.draft_store import DraftStore, NotNow
from services.intake.drafts.drafts import Draft
from services.intake.flood.guess_limiter import GuessLimiter
from services.intake.form.flow import FormState
from services.intake.streams.cas_store import StreamOutOfReach
from services.runtime.retry import retry
from services.runtime.supervision import Supervisor

log = logging.getLogger(__name__)

BURST, RATE = 200.0, 5.0
ALL_BURST, ALL_RATE = 2000.0, 50.0
"""Drafts of the smallest size that one address may save at once and per second; the same for all addresses together. A larger draft
counts as several."""
DAY = 86_400
DELETING = 60.0
"""Seconds for which the deletion of a draft whose answers were sent is repeated. After them it expires by itself."""


def draft_limiter() -> GuessLimiter:
    """Limits saving: every saved draft counts as a failure."""
    return GuessLimiter(BURST, RATE, ALL_BURST, ALL_RATE)


def code_of(sheet: FormState, receipt: str) -> str:
    """Returns the code under which a page is saved: the one it was opened with or saved under before, else one made from its receipt."""
    return sheet.draft if drafts.well_typed(sheet.draft) else drafts.code_of(receipt)


@dataclass(frozen=True)
class SavedDraft:
    """The code as it is shown, and the last day (ISO date, UTC) on which it works."""

    code: str
    until: str


class SavedDrafts:
    """`clock` returns Unix time; `tasks` runs deletions that have to be repeated."""

    def __init__(
        self, store: DraftStore, keys: DraftKeys, limiter: GuessLimiter, registry: Registry, clock: Callable[[], float], tasks: Supervisor
    ) -> None:
        self._store, self._keys, self._limiter = store, keys, limiter
        self._registry, self._clock, self._tasks = registry, clock, tasks

    async def save(self, survey: str, code: str, draft: Draft, address: str) -> SavedDraft | Problem:
        """Replaces the draft saved before under the same code. `address` is counted by the limiter and not stored."""
        now = self._clock()
        if self._limiter.blocked(address, now):
            return Problem("too-many-requests", retry_after=60)
        try:
            lock = drafts.lock_of(code, survey, await self._keys.get_or_create(survey))
        except StreamOutOfReach:
            return Problem("busy", retry_after=60)
        sealed = drafts.seal(lock, draft, secrets.token_bytes(drafts.NONCE))
        if sealed is None:
            return Problem("too-large", "These answers are too long to be saved for later.")
        self._limiter.record_failure(address, now, len(sealed) / drafts.SIZES[0])
        seconds = self.seconds_left(survey)
        try:
            await self._store.put(lock.id, sealed, seconds)
        except NotNow:
            return Problem("busy", retry_after=60)
        return SavedDraft(receipts.shown(code), today_of(now + seconds - 1))

    async def find(self, survey: str, code: str) -> Draft | None:
        """The draft that a bare code opens. None also where it was sealed with another key, or changed since. Raises NotNow."""
        try:
            server_key = await self._keys.get(survey)
        except StreamOutOfReach as error:
            raise NotNow from error
        if server_key is None:
            return None
        lock = drafts.lock_of(code, survey, server_key)
        sealed = await self._store.get(lock.id)
        if sealed is None:
            return None
        draft = drafts.unseal(lock, sealed)
        if draft is None:
            log.error("a stored draft cannot be opened: it was changed")
        return draft

    async def delete(self, survey: str, code: str) -> bool:
        """Deletes what was saved under this code; False where there was nothing. Raises NotNow."""
        return await self._store.delete(drafts.name_of(code, survey))

    async def forget(self, survey: str, code: str) -> None:
        """Deletes a draft whose answers were sent or withdrawn. Where the stream is out of reach, a background task tries again."""
        try:
            await self.delete(survey, code)
        except NotNow:
            self._tasks.spawn("deleting a draft", self._delete_later(survey, code))

    def seconds_left(self, survey: str) -> int:
        """Seconds until the end of the last day on which a draft saved now can be continued."""
        now = int(self._clock())
        return (_last_day(now // DAY, self._store.days, self._registry.deletion_day(survey)) + 1) * DAY - now

    async def _delete_later(self, survey: str, code: str) -> None:
        try:
            await retry(lambda: self.delete(survey, code), on=NotNow, first=1.0, longest=10.0, seconds=DELETING)
        except NotNow:
            log.warning("a draft whose answers were sent could not be deleted; it goes when its time is over")


def _last_day(today: int, days: int, deletion_day: str | None) -> int:
    """The last day (in days since 1970) on which a draft can be continued: before the day of deletion, where that is yet to come."""
    end = 0 if deletion_day is None else (datetime.date.fromisoformat(deletion_day) - datetime.date(1970, 1, 1)).days
    return min(today + days, end - 1) if end > today else today + days
