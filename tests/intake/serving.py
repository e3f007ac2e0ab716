"""Intake in the test's own process, on a real NATS, with the bundled Action 3 questionnaire open."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
import msgspec
import nats
from nats.aio.client import Client

from proto import events, receipt, subjects, tokens
from proto.registry import published
from proto.tokens import Token
from services.intake.main import running
from services.intake.settings import Settings
from services.runtime.http.host_guard import HostGuard
from tests.builders.bundled import population, questionnaire
from tests.conftest import NatsUrls

SURVEY = "ai-security"
PATH = f"/api/v1/surveys/{SURVEY}/responses"
_, ORGANISER = tokens.make()


def body(number: int = 0) -> dict[str, Any]:
    """What the respondent with this number sends."""
    return msgspec.json.decode(population(seed=11).body(number))


def key() -> str:
    return receipt.make()


@dataclass
class Api:
    http: httpx.AsyncClient
    urls: NatsUrls

    async def submit(self, number: int = 0, key: str | None = None, **changes: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.http.post(PATH, json=body(number) | changes, headers=headers)

    async def receipt(self, receipt: str, method: str = "GET", **arguments: Any) -> httpx.Response:
        return await self.http.request(method, f"/api/v1/receipts/{receipt}", **arguments)

    async def organise(self, method: str, path: str, content: Any = None) -> httpx.Response:
        kind = {"Content-Type": "application/json"} if content is not None else {}
        data = content if isinstance(content, bytes | None) else msgspec.json.encode(content)
        return await self.http.request(method, path, content=data, headers={"Authorization": f"Bearer {ORGANISER}"} | kind)


@asynccontextmanager
async def served(urls: NatsUrls, clock: Callable[[], float] = time.time, **settings: Any) -> AsyncGenerator[Api]:
    settings = {"least_seconds": 0.0} | settings
    async with running(Settings(nats_url=urls.intake, **settings), clock) as app:
        transport = httpx.ASGITransport(cast("Any", HostGuard("http://platea.test").before(app)))
        async with httpx.AsyncClient(transport=transport, base_url="http://platea.test", timeout=30) as http:
            yield Api(http, urls)


async def open_survey(client: Client) -> None:
    """Publishes the questionnaire and the organiser's token, as provisioning does."""
    js = client.jetstream()
    await js.publish(subjects.survey(SURVEY, questionnaire().version), events.encode(published(questionnaire())))
    await js.publish(subjects.token("first"), events.encode(Token("first", tokens.digest(ORGANISER), "organiser")))


async def journal(urls: NatsUrls) -> list[events.ResponseEvent]:
    """Everything that the journal holds, in order."""
    client = await nats.connect(urls.provisioner, inbox_prefix="_INBOX.provisioner")
    js = client.jetstream(timeout=10)
    state = (await js.stream_info(subjects.RESPONSES)).state
    found: list[events.ResponseEvent] = []
    for seq in range(max(state.first_seq, 1), state.last_seq + 1):
        message = await js.get_msg(subjects.RESPONSES, seq)
        found.append(events.read_response(message.data or b""))
    await client.close()
    return found
