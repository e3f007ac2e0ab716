"""Lets each saved draft send one response: a page claims the draft for its response id before sending.

Every page opened with a draft's code has a receipt of its own, so receipts alone would count two pages of one draft twice. A claim is
sealed under the draft's code, stored beside the draft and kept as long. Pages whose draft was never saved, or is deleted, claim nothing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable

from proto import receipt as receipts
from proto.problem import Problem
from services.intake.drafts import drafts
from services.intake.drafts.draft_keys import DraftKeys
from services.intake.drafts.draft_store import DraftStore, Full, NotNow, Overtaken
from services.intake.drafts.drafts import Claim, Lock
from services.intake.drafts.saved_drafts import SavedDrafts, code_of
from services.intake.form.flow import FormState
from services.intake.streams.cas_store import StreamOutOfReach
from services.intake.streams.journal import MAX_IN_TRANSIT, Journal, JournalOutOfReach

log = logging.getLogger(__name__)

RETRY_AFTER = 5
"""Seconds after which the second page may ask again."""
TRIES = 5


class DraftClaims:
    """`clock` returns Unix time."""

    def __init__(self, saved: SavedDrafts, store: DraftStore, keys: DraftKeys, journal: Journal, clock: Callable[[], float]) -> None:
        self._saved, self._store, self._keys, self._journal, self._clock = saved, store, keys, journal, clock

    async def claim(self, survey: str, sheet: FormState, receipt: str) -> Problem | None:
        """Reserves this page's draft for the response under this receipt. Returns the refusal where another page has sent it or may do so.

        Where drafts are out of reach, a page that was never saved may send; one that was saved is told to wait.
        """
        try:
            return await self._claim(survey, code_of(sheet, receipt), receipts.response_id(receipt))
        except (NotNow, StreamOutOfReach, JournalOutOfReach):
            return _busy() if sheet.draft else None

    async def _claim(self, survey: str, code: str, id: str) -> Problem | None:
        server_key = await self._keys.get(survey)
        if server_key is None:
            return None  # no draft of this survey was ever saved
        lock = drafts.claim_lock_of(code, survey, server_key)
        for _ in range(TRIES):
            stored, draft = await asyncio.gather(self._store.read(lock.id), self._store.get(drafts.name_of(code, survey)))
            now, after = int(self._clock()), 0
            if stored is not None:
                after, sealed = stored
                earlier = drafts.unseal_claim(lock, sealed)
                if earlier is not None and earlier.id == id:
                    return None
                if earlier is not None and await self._journal.last(earlier.id, survey):
                    return Problem("draft-sent")
                if earlier is not None and now - earlier.at < MAX_IN_TRANSIT:
                    return _busy()
            elif draft is None:
                return None
            try:
                await self._write(survey, code, lock, Claim(id, now), after)
            except Overtaken:
                continue
            return None
        return _busy()

    async def _write(self, survey: str, code: str, lock: Lock, claim: Claim, after: int) -> None:
        """Deletes the draft where the stream is full: the page that sends has its whole content. Raises Overtaken or NotNow."""
        sealed = drafts.seal(lock, claim, secrets.token_bytes(drafts.NONCE))
        assert sealed is not None, "a claim fits into the smallest size"
        seconds = self._saved.seconds_left(survey)
        try:
            await self._store.claim(lock.id, sealed, seconds, after)
        except Full:
            await self._saved.delete(survey, code)
            try:
                await self._store.claim(lock.id, sealed, seconds, after)
            except Full:
                log.warning("there is no room to note that a draft was sent; its answers are taken all the same")


def _busy() -> Problem:
    return Problem("busy", retry_after=RETRY_AFTER)
