"""A question that is put while the worker starts is answered as soon as the worker can."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import nats
import pytest
from nats.aio.client import Client

from services.analysis.ingest.totals import Totals
from services.analysis.publish import worker_questions
from tests.analysis.conftest import SURVEY, Pen, Service, submitted, until


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    client = await nats.connect(service.settings.nats_url, inbox_prefix="_INBOX.analysis")
    yield client
    await client.close()


async def asked(client: Client) -> tuple[int, float]:
    """How many responses the answer counts, and when (monotonic) it came."""
    answer = msgspec.json.decode(await worker_questions.hear(client, SURVEY, {"what": "exact"}, patience=120, starting=120))
    return answer["responses"], time.monotonic()


async def test_a_question_from_before_the_start_is_answered_once_the_worker_counts(pen: Pen, service: Service, client: Client) -> None:
    async with service.running() as before:
        await pen.write(*(submitted(number) for number in range(20)))
        await until(lambda: before.totals.ready(SURVEY) and before.totals.own(SURVEY) == 20)
    question = asyncio.create_task(asked(client))
    await asyncio.sleep(1)
    assert not question.done()
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY))
        could = time.monotonic()
        responses, at = await question
    assert responses == 20
    assert at - could < 10


async def test_a_question_that_a_worker_hears_before_it_has_its_partition_is_answered_when_it_has(
    pen: Pen, service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY))
        with monkeypatch.context() as starting:
            starting.setattr(Totals, "speaks", False)
            question = asyncio.create_task(asked(client))
            await asyncio.sleep(1)
            assert not question.done()
        could = time.monotonic()
        responses, at = await question
    assert responses == 0
    assert at - could < 10


async def test_of_two_workers_the_one_that_stands_by_leaves_the_question_to_the_other(pen: Pen, service: Service, client: Client) -> None:
    async with service.running() as first:
        await until(lambda: first.totals.ready(SURVEY))
        async with service.running() as second:
            await until(lambda: second.totals.stands_by)
            inbox = client.new_inbox()
            heard = await client.subscribe(inbox)
            for _ in range(3):
                await client.publish(f"platea.query.{SURVEY}", b'{"what":"exact"}', reply=inbox)
            answers = [await heard.next_msg(30) for _ in range(3)]
            await asyncio.sleep(1)
            assert all(answer.data for answer in answers)
            assert heard.pending_msgs == 0, "each question has one answer"
