"""What the tests of analysis share: a survey, respondents, a journal to write to, and the running service."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from deploy.provisioning.provision import PARTITIONS
from proto import events, registry, subjects
from proto.answers import Reader
from proto.events import ResponseEvent, ResponseReplaced, ResponseSubmitted, ResponseWithdrawn
from proto.instrument import Instrument
from services.analysis.main import Analysis, running
from services.analysis.publish import worker_questions
from services.analysis.settings import Settings
from tests.builders.bundled import SURVEY, population, questionnaire
from tests.conftest import DatabaseUrls, NatsUrls


@cache
def reader() -> Reader:
    return Reader(questionnaire())


@cache
def answers(number: int) -> bytes:
    """The canonical answers of a simulated respondent."""
    return reader().canonical(population().respondent(number).answers)


def id_of(number: int) -> str:
    return f"{number * 2654435761 % 2**128:032x}"


def submitted(number: int, said: int | None = None) -> ResponseSubmitted:
    body = answers(number if said is None else said)
    return ResponseSubmitted(id_of(number), SURVEY, questionnaire().version, msgspec.Raw(body), "sha256:x", "en")


def replaced(number: int, said: int) -> ResponseReplaced:
    return ResponseReplaced(id_of(number), SURVEY, questionnaire().version, msgspec.Raw(answers(said)), "sha256:x", "en")


def withdrawn(number: int) -> ResponseWithdrawn:
    return ResponseWithdrawn(id_of(number), SURVEY)


class Pen:
    """Writes to the journal as intake does."""

    def __init__(self, client: Client) -> None:
        self._js = client.jetstream(timeout=10)

    async def write(self, *written: ResponseEvent) -> list[int]:
        """The sequences that the events got."""
        sent = [self._js.publish(subjects.response(event.survey, event.id), events.encode(event)) for event in written]
        return [answer.seq for answer in await asyncio.gather(*sent)]

    async def scrawl(self, data: bytes, survey: str = SURVEY, number: int = 0) -> int:
        return (await self._js.publish(subjects.response(survey, id_of(number)), data)).seq

    async def messages(self) -> int:
        """How many the journal holds."""
        return (await self._js.stream_info(subjects.RESPONSES)).state.messages

    async def all_acknowledged(self) -> bool:
        for partition in range(PARTITIONS):
            try:
                info = await self._js.consumer_info(subjects.RESPONSES, subjects.durable(partition))
            except NotFoundError:  # about to be made anew
                return False
            if info.num_pending or info.num_ack_pending:
                return False
        return True

    async def publish(self, instrument: Instrument) -> None:
        event = registry.published(instrument)
        await self._js.publish(subjects.survey(instrument.id, instrument.version), events.encode(event))


@pytest.fixture
async def pen(nats_urls: NatsUrls) -> AsyncIterator[Pen]:
    """With the survey published."""
    client = await nats.connect(nats_urls.intake, inbox_prefix="_INBOX.intake")
    found = Pen(client)
    await found.publish(questionnaire())
    yield found
    await client.close()


@dataclass
class Service:
    settings: Settings

    def running(self, checkpoint: float = 30.0) -> contextlib.AbstractAsyncContextManager[Analysis]:
        return running(self.settings, checkpoint)


@pytest.fixture
async def service(nats_urls: NatsUrls, database_urls: DatabaseUrls, tmp_path: Path) -> Service:
    key = tmp_path / "record-key"
    key.write_bytes(b"0123456789abcdef0123456789abcdef")
    return Service(Settings(nats_urls.analysis, database_urls.analysis, "127.0.0.1", 0, str(key)))


@pytest.fixture
async def database(database_urls: DatabaseUrls) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


async def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    """Waits for a condition, which may be asynchronous."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)


async def judged(analysis: Analysis, survey: str = SURVEY) -> None:
    """Returns when the publisher has looked at the counts as they are now: what is due of them is published by then."""
    looks, look = 0, analysis.publisher._look

    async def counting(name: str) -> bool:
        nonlocal looks
        found = await look(name)
        looks += name == survey
        return found

    def twice() -> bool:  # the first may have begun before
        analysis.publisher.nudge()
        return looks >= 2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis.publisher, "_look", counting)
        await until(twice)


async def ask(service: Service, **question: Any) -> Any:
    """A question as a gateway puts it."""
    client = await nats.connect(service.settings.nats_url, inbox_prefix="_INBOX.analysis")
    try:
        return msgspec.json.decode(await worker_questions.hear(client, SURVEY, question))
    finally:
        await client.close()
