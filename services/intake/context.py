"""Everything that intake's routes work with, connected once at the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from nats.aio.client import Client

from proto.answers import EAST, today_of
from proto.registry import Registry
from services.intake.contacts.contact_book import ContactBook
from services.intake.drafts.draft_keys import Seals
from services.intake.drafts.draft_store import DraftStore
from services.intake.flood.flood_guard import Guard
from services.intake.flood.guess_limiter import Throttle
from services.intake.flood.keyed_lock import Turns
from services.intake.invitations.invitations import Invitations
from services.intake.metrics import Metrics
from services.intake.streams.journal import Journal
from services.intake.submission.committer import Committer
from services.intake.surveys.catalogue import Catalogue
from services.runtime.audit_log import Recorder, Unrecorded
from services.runtime.nats_client import Follower
from services.runtime.supervision import Supervisor


@dataclass(frozen=True)
class Intake:
    client: Client
    registry: Registry
    catalogue: Catalogue
    follower: Follower
    journal: Journal
    committer: Committer
    metrics: Metrics
    throttle: Throttle
    clock: Callable[[], float]
    guard: Guard = field(kw_only=True)
    drafts: DraftStore = field(kw_only=True)
    seals: Seals = field(kw_only=True)
    saves: Throttle = field(kw_only=True)
    invitations: Invitations
    tasks: Supervisor = field(default_factory=Supervisor, kw_only=True)
    turns: Turns = field(default_factory=Turns, kw_only=True)
    contacts: ContactBook = field(kw_only=True)
    acts: Recorder = field(default_factory=Unrecorded, kw_only=True)
    claims_seen: dict[bytes, float] = field(default_factory=dict[bytes, float], kw_only=True)
    """When this process first met a claim on a ticket whose response it did not find, by the response's id."""
    token_uses: dict[str, str] = field(default_factory=dict[str, str], kw_only=True)
    """The last day on which each token was used, by its id."""

    def today(self) -> str:
        """The UTC date: retention and drafts go by it."""
        return _date(int(self.clock() // 86_400))

    def latest_today(self) -> str:
        """The date that answers are judged by: the latest that is today anywhere on Earth, so that nobody's own today is refused."""
        return _date(int((self.clock() + EAST) // 86_400))


@lru_cache(maxsize=4)
def _date(day: int) -> str:
    """Remembered, since every response asks."""
    return today_of(day * 86_400)
