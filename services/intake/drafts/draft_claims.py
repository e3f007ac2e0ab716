"""One response for each saved draft: whoever sends it claims it first, since every page opened with its code has a receipt of its own.

A claim names the response; it is sealed under the draft's code and lies beside the draft for as long as the draft would have. Pages of a
draft that was never saved, or is deleted, claim nothing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from proto import receipt as receipts
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.drafts import drafts, save_draft
from services.intake.drafts.draft_store import Full, NotNow, Overtaken
from services.intake.drafts.drafts import Claim, Lock
from services.intake.form.flow import Sheet
from services.intake.invitations.ticket_claims import AGAIN, HELD
from services.intake.streams.cas_store import OutOfReach
from services.intake.streams.journal import OutOfReach as JournalOutOfReach
from services.intake.submission import submit

log = logging.getLogger(__name__)

TRIES = 5
_BUSY = "busy"


async def claim(intake: Intake, survey: str, sheet: Sheet, receipt: str) -> Problem | None:
    """Makes the draft of this page the response under this receipt. A refusal where another page has sent it, or may be doing so.

    A page that was never saved goes on where drafts are out of reach. One that was waits: another page may be ahead of it.
    """
    try:
        return await _claim(intake, survey, save_draft.code_of(sheet, receipt), receipts.response_id(receipt))
    except (NotNow, OutOfReach, JournalOutOfReach):
        return Problem(_BUSY, retry_after=AGAIN) if sheet.draft else None


async def _claim(intake: Intake, survey: str, code: str, id: str) -> Problem | None:
    half = await intake.seals.half(survey)
    if half is None:
        return None  # nothing of this survey was ever saved
    lock = drafts.claim_lock_of(code, survey, half)
    for _ in range(TRIES):
        claimed, draft = await asyncio.gather(intake.drafts.read(lock.id), intake.drafts.get(drafts.name_of(code, survey)))
        now, after = int(intake.clock()), 0
        if claimed is not None:
            after, sealed = claimed
            known = drafts.unseal_claim(lock, sealed)
            if known is not None and known.id == id:
                return None
            if known is not None and await submit.find(intake, known.id, survey):
                return Problem("draft-sent")
            if known is not None and now - known.at < HELD:
                return Problem(_BUSY, retry_after=AGAIN)
        elif draft is None:
            return None
        try:
            await _write(intake, survey, code, lock, Claim(id, now), after)
        except Overtaken:
            continue
        return None
    return Problem(_BUSY, retry_after=AGAIN)


async def _write(intake: Intake, survey: str, code: str, lock: Lock, claim: Claim, after: int) -> None:
    """Where there is no room the draft itself makes it: the page that sends has all that is in it. Raises Overtaken or NotNow."""
    sealed = drafts.seal(lock, claim, secrets.token_bytes(drafts.NONCE))
    assert sealed is not None, "a claim fits into the smallest size"
    seconds = save_draft.seconds_left(intake, survey)
    try:
        await intake.drafts.claim(lock.id, sealed, seconds, after)
    except Full:
        await save_draft.delete(intake, survey, code)
        try:
            await intake.drafts.claim(lock.id, sealed, seconds, after)
        except Full:
            log.warning("there is no room to note that a draft was sent; its answers are taken all the same")
