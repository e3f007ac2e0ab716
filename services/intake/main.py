"""The life of intake, in its own process or inside the front."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from litestar.types import ASGIApp
from nats.js.api import RawStreamMsg

from proto import subjects
from proto.registry import Registry
from services.intake.app import create_app
from services.intake.contacts.contact_book import ContactBook
from services.intake.context import Intake
from services.intake.drafts.draft_keys import DraftKeys
from services.intake.drafts.draft_store import DraftStore
from services.intake.drafts.saved_drafts import draft_limiter
from services.intake.flood.flood_guard import FloodGuard
from services.intake.flood.guess_limiter import GuessLimiter
from services.intake.form.pages.notice import version_of
from services.intake.invitations.invitation_store import InvitationStore
from services.intake.invitations.invitations import Invitations
from services.intake.metrics import Metrics
from services.intake.settings import Settings
from services.intake.streams.cas_store import PERIOD, CasStore
from services.intake.streams.journal import Journal
from services.intake.submission.committer import Committer
from services.intake.surveys import retention
from services.intake.surveys.catalogue import Catalogue
from services.intake.surveys.closing import close_on_time
from services.runtime import nats_client
from services.runtime.audit_log import Acts
from services.runtime.http.client_address import networks
from services.runtime.supervision import Supervisor, run_periodically


@asynccontextmanager
async def running(settings: Settings, clock: Callable[[], float] = time.time) -> AsyncGenerator[ASGIApp]:
    """Yields the app, connected and with all surveys compiled. Leaving waits for answers that are being written to the journal.

    `clock` returns Unix time.
    """
    async with AsyncExitStack() as closing:
        client = await nats_client.connect(settings.nats_url, "intake")
        closing.push_async_callback(client.close)
        tasks = Supervisor()
        closing.push_async_callback(tasks.stop)
        registry, catalogue, metrics = Registry(), Catalogue(version_of), Metrics()
        metrics.tasks(tasks.up)

        async def changed() -> None:
            catalogue.refresh(registry)

        acts = Acts(client, "intake", tasks, time.time)
        registry.used = acts.used
        follower = await nats_client.follow_control(client, registry, tasks, changed)
        catalogue.refresh(registry)
        journal = Journal(client)
        await journal.open()
        await journal.look()
        tasks.start("watch the journal", journal.watch)
        committer = Committer(journal, metrics, waiting=settings.queue)
        closing.push_async_callback(committer.close)
        key = settings.guard_key_file.read_bytes().strip() if settings.guard_key_file else None
        book = ContactBook(CasStore(client, subjects.CONTACTS), subjects.contacts, time.time)
        invitations, draft_keys = Invitations(InvitationStore(client)), DraftKeys(CasStore(client, subjects.SEALS))
        intake = Intake(
            client,
            registry,
            catalogue,
            follower,
            journal,
            committer,
            metrics,
            GuessLimiter(proxies=networks(settings.proxies)),
            clock,
            invitations,
            tasks=tasks,
            flood_guard=FloodGuard(metrics, key, settings.flood_burst, settings.flood_rate, settings.least_seconds),
            draft_store=DraftStore(client, settings.draft_days),
            draft_keys=draft_keys,
            draft_limiter=draft_limiter(),
            contacts=book,
            acts=acts,
        )

        _follow_uses(intake)

        async def rewrite_invitations() -> None:
            by_invitation = [id for id, known in catalogue.surveys.items() if known.invited]
            await intake.ticket_claims.sweep(by_invitation)
            await invitations.rewrite(by_invitation)

        erasers = (draft_keys.erase, invitations.forget)
        tasks.start("rewrite contacts", lambda: run_periodically(lambda: book.rewrite(list(catalogue.surveys)), PERIOD))
        tasks.start("rewrite invitations", lambda: run_periodically(rewrite_invitations, PERIOD))
        tasks.start("close surveys", lambda: close_on_time(client, follower, registry, intake.clock, intake.today))
        tasks.start("erase what is over", lambda: retention.erase_ended_surveys(registry, intake.today, erasers))
        yield create_app(intake)


def _follow_uses(intake: Intake) -> None:
    """Starts following the days on which tokens were used. The start does not wait for it."""

    def handle(message: RawStreamMsg) -> None:
        token, day = (message.subject or "").rpartition(".")[2], (message.data or b"").decode("ascii", "replace")
        intake.token_uses[token] = max(day, intake.token_uses.get(token, ""))

    follower = nats_client.Follower(intake.client, subjects.USES, "platea.uses.*.*", handle)
    intake.tasks.spawn("reading when tokens were used", follower.start(intake.tasks))
