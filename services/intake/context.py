"""The wiring of intake: its stores, its limits, the use cases built on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from nats.aio.client import Client

from proto.answers import EAST, today_of
from proto.events import ControlEvent
from proto.registry import Registry
from proto.schedule import Phase
from services.intake.contacts.contact_book import ContactBook
from services.intake.drafts.draft_claims import DraftClaims
from services.intake.drafts.draft_keys import DraftKeys
from services.intake.drafts.draft_store import DraftStore
from services.intake.drafts.saved_drafts import SavedDrafts
from services.intake.flood.flood_guard import FloodGuard
from services.intake.flood.guess_limiter import GuessLimiter
from services.intake.flood.keyed_lock import KeyedLock
from services.intake.form.pdf.press import PdfPress
from services.intake.invitations.invitations import Invitations
from services.intake.invitations.ticket_claims import TicketClaims
from services.intake.metrics import Metrics
from services.intake.streams.journal import Journal
from services.intake.submission.committer import Committer
from services.intake.submission.receipt_service import ReceiptService
from services.intake.submission.submit import Submitter
from services.intake.surveys import control
from services.intake.surveys.catalogue import Catalogue
from services.runtime.audit_log import Recorder, Unrecorded
from services.runtime.nats_client import Follower
from services.runtime.supervision import Supervisor


@dataclass(frozen=True)
class Intake:
    """One per process. Routes get it as the parameter `intake`; use cases get only the stores they need."""

    client: Client
    registry: Registry
    catalogue: Catalogue
    follower: Follower
    journal: Journal
    committer: Committer
    metrics: Metrics
    guess_limiter: GuessLimiter
    clock: Callable[[], float]
    invitations: Invitations
    flood_guard: FloodGuard = field(kw_only=True)
    draft_store: DraftStore = field(kw_only=True)
    draft_keys: DraftKeys = field(kw_only=True)
    draft_limiter: GuessLimiter = field(kw_only=True)
    contacts: ContactBook = field(kw_only=True)
    tasks: Supervisor = field(default_factory=Supervisor, kw_only=True)
    lookup_lock: KeyedLock = field(default_factory=KeyedLock, kw_only=True)
    """Receipts and codes are looked up one at a time per address that guessed too often."""
    pdf_press: PdfPress = field(default_factory=PdfPress, kw_only=True)
    acts: Recorder = field(default_factory=Unrecorded, kw_only=True)
    token_uses: dict[str, str] = field(default_factory=dict[str, str], kw_only=True)
    """The last day (ISO date, UTC) on which each token was used, by its id."""

    @cached_property
    def ticket_claims(self) -> TicketClaims:
        return TicketClaims(self.invitations, self.journal, self.clock)

    @cached_property
    def submitter(self) -> Submitter:
        return Submitter(
            self.catalogue, self.registry, self.journal, self.committer, self.invitations, self.ticket_claims, self.clock, self.latest_today
        )

    @cached_property
    def receipts(self) -> ReceiptService:
        return ReceiptService(self.catalogue, self.registry, self.journal, self.committer, self.clock, self.today, self.latest_today)

    @cached_property
    def drafts(self) -> SavedDrafts:
        return SavedDrafts(self.draft_store, self.draft_keys, self.draft_limiter, self.registry, self.clock, self.tasks)

    @cached_property
    def draft_claims(self) -> DraftClaims:
        return DraftClaims(self.drafts, self.draft_store, self.draft_keys, self.journal, self.clock)

    async def publish_control_event(self, event: ControlEvent) -> None:
        """Returns once this process has applied the event. Raises Problem where that is unknown."""
        await control.publish_control_event(self.client, self.follower, event)
        self.catalogue.refresh(self.registry)

    def phase(self, survey: str) -> Phase:
        """Whether it takes answers now."""
        return self.registry.phase(survey, self.clock())

    def takes_answers(self, survey: str) -> bool:
        return self.registry.takes_answers(survey, self.clock())

    def today(self) -> str:
        """The date in UTC (ISO). Retention and drafts use it."""
        return _date(int(self.clock() // 86_400))

    def latest_today(self) -> str:
        """The latest date that is today anywhere on Earth (ISO). Answers are checked against it, so no time zone's today is refused."""
        return _date(int((self.clock() + EAST) // 86_400))


@lru_cache(maxsize=4)
def _date(day: int) -> str:
    """Cached, since every response asks."""
    return today_of(day * 86_400)
