"""Intake from connection to close, for its own process and for the front that shares one with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from litestar.types import ASGIApp

from proto import subjects, wire
from proto.addresses import networks
from proto.registry import Registry
from services.intake import ending, later
from services.intake.app import create_app
from services.intake.catalogue import Catalogue
from services.intake.committer import Committer
from services.intake.contact_book import ContactBook
from services.intake.context import Intake
from services.intake.draft_store import DraftStore
from services.intake.guard import Guard
from services.intake.invitation_store import InvitationStore
from services.intake.invitations import Invitations
from services.intake.journal import Journal
from services.intake.metrics import Metrics
from services.intake.pages.notice import version_of
from services.intake.seals import Seals
from services.intake.settings import Settings
from services.intake.throttle import Throttle
from services.intake.wholes import Wholes, by_the_clock


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[ASGIApp]:
    """The app, connected and with all surveys compiled; leaving waits for the answers that are on their way to the journal."""
    client = await wire.connect(settings.nats_url, "intake")
    registry, catalogue, metrics = Registry(), Catalogue(version_of), Metrics()

    async def changed() -> None:
        catalogue.refresh(registry)

    follower, following = await wire.follow_control(client, registry, changed)
    catalogue.refresh(registry)
    journal = Journal(client)
    await journal.open()
    committer = Committer(journal, metrics, waiting=settings.queue)
    key = settings.guard_key_file.read_bytes().strip() if settings.guard_key_file else None
    book = ContactBook(Wholes(client, subjects.CONTACTS), subjects.contacts, time.time)
    invitations, seals = Invitations(InvitationStore(client)), Seals(Wholes(client, subjects.SEALS))
    rewriting = [
        asyncio.create_task(by_the_clock(lambda: book.rewrite(list(catalogue.surveys)))),
        asyncio.create_task(by_the_clock(lambda: invitations.rewrite([id for id, known in catalogue.surveys.items() if known.invited]))),
    ]
    guard = Guard(metrics, key, settings.flood_burst, settings.flood_rate, settings.least_seconds)
    intake = Intake(
        client,
        registry,
        catalogue,
        follower,
        journal,
        committer,
        metrics,
        Throttle(proxies=networks(settings.proxies)),
        time.time,
        invitations,
        guard=guard,
        drafts=DraftStore(client, settings.draft_days),
        seals=seals,
        saves=later.throttle(),
        contacts=book,
    )
    ended = asyncio.create_task(ending.by_the_clock(registry, intake.today, seals, invitations))
    try:
        yield create_app(intake)
    finally:
        await committer.close()
        for task in (following, ended, *rewriting):
            task.cancel()
        await client.close()
