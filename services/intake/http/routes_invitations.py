"""Invitations: organisers add codes, respondents exchange a code for a ticket, by the API or on a page.

Codes and tickets are sent in request bodies, never in addresses, and are not logged.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from proto import codes, invitation
from proto.blind import PublicKey
from proto.problem import Fault, Problem
from services.intake.context import Intake
from services.intake.form.flow import FormState
from services.intake.form.pages import compose, compose_invitation
from services.intake.form.pages.compose import BROUGHT, SurveyView
from services.intake.form.pages.compose_invitation import Told
from services.intake.http.guarded_lookup import attempt
from services.intake.http.page_requests import NO_STORE, Page, demand_open, first, html, known_survey, read_in
from services.intake.surveys import catalogue
from services.runtime.http.authorization import demand
from services.runtime.http.request_bodies import json_body
from services.runtime.http.responses import AnyRequest, or_raise, private
from services.runtime.openapi import ORGANISER, Reply, SurveyId, operation

S = TypeVar("S", bound=msgspec.Struct)
SUITE = "RSABSSA-SHA384-PSS-Deterministic"
MOST_AT_ONCE = 10_000
"""Codes that one request may add."""
MAX_CODES = 1024 * 1024
MAX_EXCHANGE = 4096

_TOLD: dict[str, tuple[Told, int]] = {
    "invitation-unknown": ("unknown", 404),
    "invitation-used": ("used", 409),
    "invitation-needed": ("needed", 403),
    "invitation-spent": ("spent", 410),
}


Hex = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
"""128 bits."""


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code by its name, and the mark of the number that is signed for it.

    128 bits of SHA-256 each: over "platea-invitation-1", the survey's name and the bare code, parted by zero bytes, and over
    "platea-exchange-1", a zero byte and the blinded number."""

    name: Hex
    mark: Hex


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes to make known. None at all makes the key, which whoever makes codes needs first."""

    codes: Annotated[list[Code], Meta(max_length=MOST_AT_ONCE)]


class Invited(msgspec.Struct, frozen=True):
    """How many codes there are now, and the fingerprint of the key that signs tickets."""

    survey: str
    codes: int
    key: str


class TicketKey(msgspec.Struct, frozen=True):
    """The public key with which a survey's tickets are signed; numbers as base64url, the high byte first."""

    suite: str
    n: str
    e: str


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of an invitation code, and its token, blinded (RFC 9474), as base64url. The code itself is not sent."""

    name: Hex
    blinded: str


class Exchanged(msgspec.Struct, frozen=True):
    """The blind signature as base64url: always the same for the same code."""

    signature: str


@post(
    "/api/v1/surveys/{survey:str}/invitations",
    status_code=200,
    **operation(
        "inviteToSurvey",
        "Make invitation codes known by their names; the codes themselves stay with whoever made them",
        {200: Reply("Known, now or before", Invited)},
        (404, 409, 503),
        body=Codes,
        security=ORGANISER,
    ),
)
async def invite(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    by = demand(request, intake.registry, "organiser", survey, intake.clock())
    known = _by_invitation(intake, survey)
    if intake.registry.over(known.id, intake.today()):
        raise Problem("survey-closed", "The answers to it are deleted, so it stays closed.")
    order = await json_body(request, Codes, MAX_CODES)
    marks = {bytes.fromhex(code.name): bytes.fromhex(code.mark) for code in order.codes}
    total = or_raise(await intake.invitations.invite(known.id, marks))
    if marks:
        await intake.acts.record(by.id, "codes-made", known.id, str(len(marks)))
    key = await _key(intake, known.id)
    return private(Invited(known.id, total, invitation.fingerprint(key.n.to_bytes(key.size))))


@get(
    "/api/v1/surveys/{survey:str}/tickets",
    **operation("getTicketKey", "The public key with which tickets are signed", {200: Reply("The key", TicketKey)}, (400, 404, 409, 503)),
)
async def ticket_key(intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    key = await _key(intake, _by_invitation(intake, survey).id)
    return private(TicketKey(SUITE, invitation.encoded(key.n.to_bytes(key.size)), invitation.encoded(key.e.to_bytes(3))))


@post(
    "/api/v1/surveys/{survey:str}/tickets",
    status_code=200,
    **operation(
        "exchangeInvitation",
        "Exchange the name of an invitation code for a blind signature (RFC 9474), which cannot be traced to the code",
        {200: Reply("Always the same for the same code; it changes nothing", Exchanged)},
        (403, 404, 409, 429, 503),
        body=Exchange,
    ),
)
async def exchange(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    """A code's name and number for a blind signature. It changes nothing, and the ticket that comes of it cannot be traced to the code."""
    known = _by_invitation(intake, survey)
    demand_open(intake, known.id)
    order = await json_body(request, Exchange, MAX_EXCHANGE)
    try:
        blinded = invitation.decoded(order.blinded)
    except ValueError:
        raise Problem("request-refused", errors=(Fault("/blinded", "wrong-shape", "A number as base64url is expected."),)) from None
    name = bytes.fromhex(order.name)
    signature = or_raise(await attempt(intake, request, lambda: intake.invitations.exchange(known.id, name, blinded)))
    intake.metrics.ended("ticket")
    return private(Exchanged(invitation.encoded(signature)))


async def enter(request: AnyRequest, intake: Intake, known: catalogue.CatalogueEntry, fields: dict[str, list[str]]) -> Page:
    """Handles the page with the code. It sends the ticket that its script made, or the code, whose ticket is then made here."""
    paper = read_in(request, known.current)
    ticket, typed = first(fields, "ticket"), first(fields, "code")[: codes.MOST_AROUND]
    brought = first(fields, BROUGHT)
    if first(fields, "go") == "stay":
        return ask(paper, typed=typed, brought=brought)
    if not ticket:
        if not typed.strip():
            return ask(paper, "empty", 422, brought=brought)
        code = invitation.read_code(typed)
        if code is None:
            return ask(paper, "mistyped", 422, typed, brought)
        exchanged = await attempt(intake, request, lambda: intake.invitations.exchange_plainly(known.id, code))
        if isinstance(exchanged, Problem):
            intake.metrics.ended(exchanged.code)
            return refused(paper, exchanged, typed, brought)
        intake.metrics.ended("ticket")
        ticket = exchanged.text
    checked = await intake.invitations.check(known.id, ticket)
    if isinstance(checked, Problem):
        return refused(paper, checked)
    if await intake.ticket_claims.is_spent(known.id, checked.token):
        return refused(paper, Problem("invitation-spent"))
    sheet = FormState(known.current.instrument.version, ticket=ticket)
    return html(compose.start(paper, intake.registry.closing(known.id), sheet, brought=brought), paper.voice.language, headers=NO_STORE)


def ask(paper: SurveyView, told: Told = "", status: int = 200, typed: str = "", brought: str = "") -> Page:
    body = compose_invitation.invitation(paper, told, typed, brought)
    return html(body, paper.voice.language, status, NO_STORE if brought else None)


def refused(paper: SurveyView, problem: Problem, typed: str = "", brought: str = "") -> Page:
    """The page with the code, with the reason of the refusal. Raises a problem that this page has no text for."""
    if problem.code not in _TOLD:
        raise problem
    told, status = _TOLD[problem.code]
    return ask(paper, told, status, typed, brought)


async def _key(intake: Intake, survey: str) -> PublicKey:
    key = or_raise(await intake.invitations.key(survey))
    if key is None:
        raise Problem("not-found", "Nobody was invited yet.")
    return key


def _by_invitation(intake: Intake, survey: str) -> catalogue.CatalogueEntry:
    known = known_survey(intake, survey)
    if not known.invited:
        raise Problem("not-by-invitation", "Its instrument would say `participation: invited`.")
    return known


HANDLERS = (
    invite,
    ticket_key,
    exchange,
)
