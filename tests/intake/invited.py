"""People who answer a small survey by invitation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import msgspec
from nats.aio.client import Client

from proto import author, events, invitation, receipt, subjects, tokens
from proto.blind import PublicKey
from proto.instrument import Instrument
from proto.invitation import TicketRequest
from proto.registry import published
from proto.tokens import Token
from services.intake.context import Intake
from tests.intake.serving import ORGANISER

SURVEY = "square-visitors"
API = f"/api/v1/surveys/{SURVEY}"
TEXT = """
format: platea-instrument/1
id: square-visitors
version: "0.1.0"
source_language: en
languages: [en]
participation: invited
title: {en: "Visiting the square"}
sections:
  - id: A
    text: {en: "The square"}
questions:
  - id: A1
    var: often
    section: A
    type: single
    required: true
    text: {en: "How often do you come?"}
    options: [{code: "1", en: "Daily"}, {code: "2", en: "Weekly"}, {code: "3", en: "Less"}]
    privacy: {role: insensitive}
  - id: A2
    var: remark
    section: A
    type: short_text
    text: {en: "What else?"}
    privacy: {role: free_text}
    stats: [none]
"""


@cache
def instrument() -> Instrument:
    found = author.read(TEXT, "square.yaml", lambda name: "")
    assert isinstance(found, Instrument), found
    return found


def answers(number: int = 0) -> dict[str, Any]:
    return {"answers": {"A1": str(number % 3 + 1), "A2": f"remark {number}"}, "consent": True}


async def open_invited(client: Client) -> None:
    js = client.jetstream()
    await js.publish(subjects.survey(SURVEY, instrument().version), events.encode(published(instrument())))
    await js.publish(subjects.token("first"), events.encode(Token("first", tokens.digest(ORGANISER), "organiser")))


async def invite(http: httpx.AsyncClient, count: int) -> list[str]:
    """New codes, made known as `platea invite` does."""
    codes = [invitation.make_code() for _ in range(count)]
    await make_known(http, [])
    key = key_in((await http.get(f"{API}/tickets")).json())
    await make_known(http, [known(code, key) for code in codes])
    return codes


async def invite_to(intake: Intake, survey: str, count: int) -> list[str]:
    """The same without the way over HTTP."""
    made = [invitation.make_code() for _ in range(count)]
    await intake.invitations.invite(survey, {})
    key = await intake.invitations.key(survey)
    assert isinstance(key, PublicKey)
    requests = {invitation.name(survey, bare(code)): invitation.ticket_request(survey, bare(code), key) for code in made}
    await intake.invitations.invite(survey, {name: invitation.mark(request.blinded) for name, request in requests.items()})
    return made


def known(code: str, key: PublicKey) -> dict[str, str]:
    """What Platea learns of a code."""
    mark = invitation.mark(invitation.ticket_request(SURVEY, bare(code), key).blinded)
    return {"name": invitation.name(SURVEY, bare(code)).hex(), "mark": mark.hex()}


async def make_known(http: httpx.AsyncClient, codes: list[dict[str, str]]) -> None:
    answer = await http.post(f"{API}/invitations", json={"codes": codes}, headers={"Authorization": f"Bearer {ORGANISER}"})
    assert answer.status_code == 200, answer.text


def bare(code: str) -> str:
    found = invitation.read_code(code)
    assert found is not None
    return found


def key_in(told: dict[str, str]) -> PublicKey:
    return PublicKey(int.from_bytes(invitation.decoded(told["n"])), int.from_bytes(invitation.decoded(told["e"])))


@dataclass
class Guest:
    """Somebody with a code, and a browser with scripts."""

    http: httpx.AsyncClient
    code: str
    key: PublicKey

    def __post_init__(self) -> None:
        self.ticket = ""
        self.receipt = receipt.make()

    @property
    def request(self) -> TicketRequest:
        return invitation.ticket_request(SURVEY, bare(self.code), self.key)

    async def exchange(self) -> httpx.Response:
        body = {"name": invitation.name(SURVEY, bare(self.code)).hex(), "blinded": invitation.encoded(self.request.blinded)}
        answer = await self.http.post(f"{API}/tickets", json=body)
        if answer.status_code == 200:
            self.ticket = self.request.ticket(self.key, invitation.decoded(answer.json()["signature"])).text
        return answer

    async def answer(self, number: int = 0, receipt: str = "") -> httpx.Response:
        return await submit(self.http, self.ticket, number, **{"Idempotency-Key": receipt or self.receipt})


async def submit(http: httpx.AsyncClient, ticket: str, number: int = 0, **headers: str) -> httpx.Response:
    content = msgspec.json.encode(answers(number))
    return await http.post(
        f"{API}/responses", content=content, headers={"Content-Type": "application/json", invitation.HEADER: ticket} | headers
    )


async def guests(http: httpx.AsyncClient, count: int) -> list[Guest]:
    codes = await invite(http, count)
    key = key_in((await http.get(f"{API}/tickets")).json())
    return [Guest(http, code, key) for code in codes]
