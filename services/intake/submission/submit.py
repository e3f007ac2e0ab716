"""Submits a response. The API and the form both use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from proto import receipt as receipts
from proto import schedule
from proto.events import ResponseWithdrawn
from proto.problem import Problem
from proto.registry import Registry
from services.intake.invitations.invitations import Invitations
from services.intake.invitations.ticket_claims import TicketClaims
from services.intake.streams.journal import Journal, JournalOutOfReach, Written, entry
from services.intake.submission.committer import Committer, CommitterBusy, Outcome
from services.intake.submission.validation import Accepted, accept
from services.intake.surveys.catalogue import Catalogue, CatalogueEntry

RETRY_AFTER = 2
"""Seconds after which a client may try again."""
NOT_KNOWN = "Whether it was stored is not known."
NOT_BY_THIS = "This request stored nothing; one sent before with the same receipt may have."
"""For a receipt that the client chose: another intake may have stored it."""


class AcceptedResponse(msgspec.Struct, frozen=True):
    """The answer to a response that is stored."""

    receipt: Annotated[str, Meta(description="The secret with which the response is looked up, changed and withdrawn.")]
    status: Literal["accepted", "recorded"]
    survey: str
    version: str
    digest: Annotated[str, Meta(description="sha256: and the hash of the canonical JSON of answers, survey and version.")]


class CommittedResponse(AcceptedResponse, frozen=True, kw_only=True):
    """`new` is False where the same response was stored before."""

    new: bool


class Submitter:
    """`clock` returns Unix time, `latest_today` the ISO date that answers are checked against."""

    def __init__(
        self,
        catalogue: Catalogue,
        registry: Registry,
        journal: Journal,
        committer: Committer,
        invitations: Invitations,
        ticket_claims: TicketClaims,
        clock: Callable[[], float],
        latest_today: Callable[[], str],
    ) -> None:
        self._catalogue, self._registry, self._journal, self._committer = catalogue, registry, journal, committer
        self._invitations, self._ticket_claims, self._clock, self._latest_today = invitations, ticket_claims, clock, latest_today

    async def submit(
        self, survey: str, body: bytes, key: str | None, ticket: str | None = "", *, by_form: bool = False
    ) -> CommittedResponse | Problem:
        """Stores the response in this body under the receipt `key`, or under a new one. A returned CommittedResponse is on disk.

        Where a survey is answered by invitation, each ticket allows one response. None stands for an organiser, who needs no ticket and
        is held by no quota. Nor is a form: it told of full quotas on its way, and what was answered to the end is taken.
        """
        known = self._catalogue.surveys.get(survey)
        held = not by_form and ticket is not None
        if known is None or not known.invited or ticket is None:
            return await self._submit(survey, body, key, held=held, organiser=ticket is None)
        checked = await self._invitations.check(survey, ticket)
        if isinstance(checked, Problem):
            return checked
        outcome = await self._submit(survey, body, key, checked.token, held=held)
        return Problem("invitation-spent") if isinstance(outcome, Problem) and outcome.code == "withdrawn" else outcome

    async def _submit(
        self, survey: str, body: bytes, key: str | None, token: bytes | None = None, *, held: bool, organiser: bool = False
    ) -> CommittedResponse | Problem:
        """`token`: that of the ticket, where the survey asks for one. `held`: by quotas that are full."""
        if key is not None and not receipts.acceptable(key):
            return Problem("receipt-unfit", "Send 22 to 128 letters, digits, - or _ that nobody can guess, or leave the header out.")
        known = self._catalogue.surveys.get(survey)
        if known is None:
            return Problem("survey-unknown")
        receipt = key or receipts.make()
        id = receipts.response_id(receipt)
        try:
            accepted = accept(known, body, receipt, id, self._latest_today(), organiser=organiser)
        except Problem as unreadable:
            return unreadable
        if isinstance(accepted, list):
            return Problem("answers-refused", errors=tuple(accepted))
        try:
            refused = schedule.refusal(self._registry.phase(survey, self._clock()))
            if refused is None and held:
                refused = self._full(known, accepted)
            if refused is not None:
                # A client that got no answer may repeat its request after the end. Nothing new is stored.
                written = await self._journal.last(id) if key else None
                return refused if written is None else await self._compare(accepted, written)
            if token is not None and (refused := await self._ticket_claims.claim(survey, token, id)):
                return busy(receipt, NOT_BY_THIS) if refused.code == "busy" else refused
            outcome = await self._committer.commit(entry(accepted.event))
            written = None if outcome is Outcome.WRITTEN else await self._journal.last(id)
            if token is not None and (written or outcome is Outcome.WRITTEN):
                self._ticket_claims.settle(survey, token, id)
            if outcome is Outcome.WRITTEN:
                return _kept(accepted)
            return await self._compare(accepted, written, new=outcome is Outcome.CONFLICT_AFTER_RETRY)
        except CommitterBusy:
            return busy(receipt, "Nothing was stored." if key is None else NOT_BY_THIS)
        except JournalOutOfReach:
            return busy(receipt, NOT_KNOWN)

    def _full(self, known: CatalogueEntry, accepted: Accepted) -> Problem | None:
        """The refusal where these answers meet a quota that is full."""
        reader = known.reader(accepted.event.version)
        full = self._registry.full_quotas(reader.instrument)
        if not full:
            return None
        answers = reader.stored(bytes(accepted.event.answers))
        return Problem("quota-full") if any(reader.quotas[id](answers) for id in full) else None

    async def _compare(self, accepted: Accepted, written: Written | None, *, new: bool = False) -> CommittedResponse | Problem:
        """The answer where the journal already has this receipt: CommittedResponse for the same response, else a refusal."""
        if written is None:
            return busy(accepted.receipt, NOT_KNOWN)
        if isinstance(written.event, ResponseWithdrawn):
            return Problem("withdrawn")
        if written.event.digest != accepted.event.digest:
            return Problem("receipt-in-use", "To change the answers, send them with PUT to the receipt's address.")
        return _kept(accepted, "recorded" if await self._journal.recorded(written) else "accepted", new=new)


def busy(receipt: str, known: str) -> Problem:
    """A refusal that carries the receipt, so that sending the same again cannot count twice."""
    advice = f"{known} Please send the same again, with this receipt as Idempotency-Key: however often it is sent, it counts once."
    return Problem("busy", advice, retry_after=RETRY_AFTER, extra={"receipt": receipt})


def _kept(accepted: Accepted, status: Literal["accepted", "recorded"] = "accepted", *, new: bool = True) -> CommittedResponse:
    event = accepted.event
    return CommittedResponse(accepted.receipt, status, event.survey, event.version, event.digest, new=new)
