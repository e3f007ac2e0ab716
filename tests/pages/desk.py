"""Intake in memory for tests of pages: the real app over a small journal that can also be out of reach. Run, it serves."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import cast

from nats.aio.client import Client

from proto import author
from proto.instrument import Instrument
from proto.registry import Registry, published
from services.intake.app import create_app
from services.intake.contacts.contact_book import ContactBook
from services.intake.context import Intake
from services.intake.drafts.draft_keys import DraftKeys
from services.intake.drafts.draft_store import DraftStore, Full, NotNow
from services.intake.drafts.saved_drafts import draft_limiter
from services.intake.flood.flood_guard import FloodGuard
from services.intake.flood.guess_limiter import GuessLimiter
from services.intake.form.pages.notice import version_of
from services.intake.invitations.invitation_store import InvitationStore, Part
from services.intake.invitations.invitations import Invitations
from services.intake.metrics import Metrics
from services.intake.streams.cas_store import CasStore, Overtaken, Record
from services.intake.streams.journal import Journal, JournalEntry, Written
from services.intake.submission.committer import Committer, CommitterBusy, Outcome
from services.intake.surveys.catalogue import Catalogue
from services.runtime.http.server import serve
from services.runtime.nats_client import Follower
from tests.builders.town_budget import town_budget


class MemoryJournal:
    """Keeps the last event per response. `floor`: up to where it was recorded; `busy`: nothing can be written."""

    connected = True

    def __init__(self) -> None:
        self.events: dict[str, Written] = {}
        self.seq = 0
        self.floor = 0
        self.busy = False

    async def last(self, id: str, survey: str = "*") -> Written | None:
        found = self.events.get(id)
        return found if found is not None and survey in ("*", found.event.survey) else None

    def checks(self) -> dict[str, bool]:
        return {"connection": not self.busy}

    async def recorded(self, written: Written) -> bool:
        return written.seq <= self.floor

    async def commit(self, entry: JournalEntry) -> Outcome:
        if self.busy:
            raise CommitterBusy
        known = self.events.get(entry.id)
        if (known.seq if known else 0) != entry.after:
            return Outcome.CONFLICT
        self.seq += 1
        self.events[entry.id] = Written(entry.event, self.seq, 0)
        return Outcome.WRITTEN


class MemoryDrafts:
    """What the stream keeps of drafts; `full`: nothing can be saved."""

    days = 30

    def __init__(self) -> None:
        self.sealed: dict[str, bytes] = {}
        self.claims: dict[str, bytes] = {}
        self.seqs: dict[str, int] = {}
        self.seconds = 0
        self.full = self.away = False

    async def put(self, id: str, sealed: bytes, seconds: int) -> None:
        if self.full or self.away:
            raise NotNow
        self.sealed[id], self.seconds = sealed, seconds

    async def claim(self, id: str, sealed: bytes, seconds: int, after: int) -> None:
        if self.away:
            raise NotNow
        if self.full:
            raise Full
        if self.seqs.get(id, 0) != after:
            raise Overtaken
        self.seqs[id] = after + 1
        self.claims[id] = sealed

    async def get(self, id: str) -> bytes | None:
        if self.away:
            raise NotNow
        return self.sealed.get(id)

    async def read(self, id: str) -> tuple[int, bytes] | None:
        if self.away:
            raise NotNow
        return (self.seqs[id], self.claims[id]) if id in self.claims else None

    async def delete(self, id: str) -> bool:
        if self.away:
            raise NotNow
        return self.sealed.pop(id, None) is not None


class MemoryInvitations:
    """What the stream keeps about invitations."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, Part], Record] = {}

    async def read(self, survey: str, part: Part) -> Record:
        return self.kept.get((survey, part), Record())

    async def write(self, survey: str, part: Part, data: bytes, after: int) -> int:
        if (await self.read(survey, part)).seq != after:
            raise Overtaken
        self.kept[survey, part] = Record(data, after + 1)
        return after + 1


class MemoryCasStore:
    """Lists of addresses that end with the process."""

    def __init__(self) -> None:
        self.wholes: dict[str, Record] = {}

    async def read(self, subject: str) -> Record:
        return self.wholes.get(subject, Record())

    async def write(self, subject: str, data: bytes, after: int) -> None:
        self.wholes[subject] = Record(data, after + 1)

    async def erase(self, subject: str) -> None:
        self.wholes.pop(subject, None)


@cache
def bundled() -> list[Instrument]:
    found = [author.load(Path(path)) for path in author.bundled().values()]
    return [instrument for instrument in found if isinstance(instrument, Instrument)]


def open_desk(journal: MemoryJournal, instruments: list[Instrument] | None = None, clock: Callable[[], float] = time.time) -> Intake:
    registry, catalogue = Registry(), Catalogue(version_of)
    for instrument in bundled() if instruments is None else instruments:
        registry.apply(published(instrument))
    catalogue.refresh(registry)
    return Intake(
        cast("Client", None),
        registry,
        catalogue,
        cast("Follower", None),
        cast("Journal", journal),
        cast("Committer", journal),
        Metrics(),
        GuessLimiter(),
        clock,
        Invitations(cast("InvitationStore", MemoryInvitations())),
        flood_guard=FloodGuard(Metrics(), least=0.0),
        draft_store=cast("DraftStore", MemoryDrafts()),
        draft_keys=DraftKeys(cast("CasStore", MemoryCasStore())),
        draft_limiter=draft_limiter(),
        contacts=ContactBook(cast("CasStore", MemoryCasStore()), str, time.time),
    )


async def main(port: int) -> None:
    await serve(create_app(open_desk(MemoryJournal(), [*bundled(), town_budget()])), "127.0.0.1", port)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
