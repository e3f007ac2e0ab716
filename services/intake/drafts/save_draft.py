"""Saving answers for later and finding them again: they are sealed here, and what could open them goes to the respondent alone."""

from __future__ import annotations

import asyncio
import datetime
import logging
import secrets
from dataclasses import dataclass, replace

from msgspec import structs

from proto import receipt as receipts
from proto.answers import today_of
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.drafts import drafts
from services.intake.drafts.draft_store import NotNow
from services.intake.drafts.drafts import Draft
from services.intake.flood.guess_limiter import Throttle
from services.intake.form.flow import Sheet, View
from services.intake.form.pages import compose_later
from services.intake.form.pages.compose import Survey
from services.intake.http.guarded_lookup import asking
from services.intake.http.http_responses import Req
from services.intake.http.page_requests import NO_STORE, Page, html
from services.intake.streams.cas_store import OutOfReach
from services.runtime.host_guard import origin_of

log = logging.getLogger(__name__)

BURST, RATE = 200.0, 5.0
ALL_BURST, ALL_RATE = 2000.0, 50.0
"""Drafts of the smallest size that one address may save at once, and per second, and all together; larger ones count as several."""
DAY = 86_400
AGAIN = (1, 5, 30)
"""Seconds between attempts to delete a draft whose answers were sent. After that its time runs out by itself."""


def throttle() -> Throttle:
    """For saving, where each draft counts as a miss."""
    return Throttle(BURST, RATE, ALL_BURST, ALL_RATE)


@dataclass(frozen=True)
class Saved:
    """The code as it is shown, and the last day on which it works."""

    code: str
    until: str


async def keep(request: Req, intake: Intake, paper: Survey, view: View, receipt: str) -> Page:
    """Saves what a page carries and shows the code, or the page that says why not and still carries it."""
    language = paper.voice.language
    code = code_of(view.sheet, receipt)
    draft = Draft(structs.replace(view.sheet, draft=""), view.place, language)
    match await save(intake, paper.instrument.id, code, draft, asking(intake, request)):
        case Problem() as refusal:
            intake.metrics.ended(f"later-{refusal.code}")
            return html(compose_later.unsaved(paper, view, receipt), language, refusal.kind.status, refusal.headers)
        case Saved(shown, until):
            intake.metrics.ended("saved-for-later")
            view = replace(view, sheet=structs.replace(view.sheet, draft=code))
            return html(compose_later.saved(paper, view, receipt, shown, until, origin_of(request.scope)), language, headers=NO_STORE)


async def save(intake: Intake, survey: str, code: str, draft: Draft, address: str) -> Saved | Problem:
    """In place of the draft saved before under the same code."""
    now = intake.clock()
    if intake.saves.blocked(address, now):
        return Problem("too-many-requests", retry_after=60)
    try:
        lock = drafts.lock_of(code, survey, await intake.seals.made(survey))
    except OutOfReach:
        return Problem("busy", retry_after=60)
    sealed = drafts.seal(lock, draft, secrets.token_bytes(drafts.NONCE))
    if sealed is None:
        return Problem("too-large", "These answers are too long to be saved for later.")
    intake.saves.miss(address, now, len(sealed) / drafts.SIZES[0])
    seconds = seconds_left(intake, survey)
    try:
        await intake.drafts.put(lock.id, sealed, seconds)
    except NotNow:
        return Problem("busy", retry_after=60)
    return Saved(receipts.shown(code), today_of(now + seconds - 1))


def _last_day(today: int, days: int, ends: str | None) -> int:
    """The last day on which a draft can be continued: before that on which answers are deleted, where it is yet to come."""
    end = 0 if ends is None else (datetime.date.fromisoformat(ends) - datetime.date(1970, 1, 1)).days
    return min(today + days, end - 1) if end > today else today + days


async def find(intake: Intake, survey: str, code: str) -> Draft | None:
    """The draft that a bare code opens. What was sealed with another key, or changed since, is no draft. Raises NotNow."""
    try:
        half = await intake.seals.half(survey)
    except OutOfReach as error:
        raise NotNow from error
    if half is None:
        return None
    lock = drafts.lock_of(code, survey, half)
    sealed = await intake.drafts.get(lock.id)
    if sealed is None:
        return None
    draft = drafts.unseal(lock, sealed)
    if draft is None:
        log.error("a stored draft cannot be opened: it was changed")
    return draft


def code_of(sheet: Sheet, receipt: str) -> str:
    """The code of a page's draft: the one that it was opened with or saved under, or the one that is made of its receipt."""
    return sheet.draft if drafts.well_typed(sheet.draft) else drafts.code_of(receipt)


def seconds_left(intake: Intake, survey: str) -> int:
    """Until the end of the last day on which what is saved now can be continued."""
    now = int(intake.clock())
    return (_last_day(now // DAY, intake.drafts.days, intake.registry.deletion_day(survey)) + 1) * DAY - now


async def delete(intake: Intake, survey: str, code: str) -> bool:
    """Deletes what was saved under this code; False where there was nothing. Raises NotNow."""
    return await intake.drafts.delete(drafts.name_of(code, survey))


async def forget(intake: Intake, survey: str, code: str) -> None:
    """The same after the answers were sent. Whoever sent them does not wait for a stream that is out of reach."""
    try:
        await delete(intake, survey, code)
    except NotNow:
        intake.tasks.spawn("deleting a draft", _insist(intake, survey, code))


async def _insist(intake: Intake, survey: str, code: str) -> None:
    for pause in AGAIN:
        await asyncio.sleep(pause)
        try:
            await delete(intake, survey, code)
        except NotNow:
            continue
        return
    log.warning("a draft whose answers were sent could not be deleted; it goes when its time is over")
