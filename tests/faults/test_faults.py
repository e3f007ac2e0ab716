"""Kill anything: nothing accepted is lost, nothing counts twice, and the figures equal a recount.

PLATEA_FAULT_RESPONSES and PLATEA_FAULT_KILLS make the campaign larger (5000 and 3 is the full one).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from deploy.cli.respondents import Population
from proto.answers import today_of
from proto.receipt import make
from tests.builders.bundled import questionnaire
from tests.faults.operated import Operated
from tests.faults.respondents import Crowd, exact, recorded

RESPONSES = int(os.environ.get("PLATEA_FAULT_RESPONSES", "1200"))
KILLS = int(os.environ.get("PLATEA_FAULT_KILLS", "1"))
STOPPED = float(os.environ.get("PLATEA_FAULT_STOPPED", "8"))
"""Seconds for which PostgreSQL does not move."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Operated]:
    with Operated(tmp_path) as operated:
        yield operated


async def settled(stack: Operated, receipts: list[str], seconds: float = 60.0) -> None:
    """Everything accepted is recorded, counted once, and the figures equal a recount."""
    assert len(set(receipts)) == len(receipts)
    await recorded(stack.url, receipts, seconds)
    deadline = time.monotonic() + 60
    while (seen := (await exact(stack.url, stack.token))["responses"]) != len(receipts):
        assert time.monotonic() < deadline, f"{seen} counted, {len(receipts)} accepted"
        await asyncio.sleep(0.2)
    recount = await asyncio.to_thread(stack.platea, "recount", "ai-security")
    assert str(len(receipts)) in recount.stdout.replace(",", "").replace("\u202f", "")


async def test_whatever_is_killed_nothing_accepted_is_lost_or_counted_twice(stack: Operated) -> None:
    crowd = Crowd(stack.url, RESPONSES)
    crowd.pause = KILLS * 4 * 3.5 * crowd.at_once / RESPONSES  # people are still answering at the last fall
    answering = asyncio.create_task(crowd.answer())
    for _ in range(KILLS):
        for name in ("analysis", "nats", "intake", "postgres"):
            await asyncio.sleep(1.0)
            await asyncio.to_thread(stack.kill, name)
            before = len(crowd.accepted)
            await asyncio.sleep(2.0)
            await asyncio.to_thread(stack.child, name)
            assert answering.done() or len(crowd.accepted) >= before
    await asyncio.wait_for(answering, 180)
    assert len(crowd.accepted) == RESPONSES
    await settled(stack, crowd.accepted)


async def test_with_postgresql_standing_still_every_answer_is_accepted_and_counted_afterwards(stack: Operated) -> None:
    family = [stack.child("postgres"), *stack.child("postgres").children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    try:
        crowd = Crowd(stack.url, int(STOPPED * 20), at_once=8, pause=0.4)
        begun = time.monotonic()
        await crowd.answer()
        async with aiohttp.ClientSession() as session, session.get(f"{stack.url}/s/ai-security") as page:
            assert page.status == 200
        assert crowd.refused == {}
        await asyncio.sleep(max(0.0, STOPPED - (time.monotonic() - begun)))
    finally:
        for process in family:
            process.send_signal(signal.SIGCONT)
    await settled(stack, crowd.accepted)


async def test_one_receipt_is_one_response_however_often_and_whenever_it_is_sent(stack: Operated) -> None:
    body = Population(questionnaire(), 7, today_of(time.time())).body(1)
    key = make()
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}

    async def send(session: aiohttp.ClientSession) -> tuple[int, str]:
        async with session.post(f"{stack.url}/api/v1/surveys/ai-security/responses", data=body, headers=headers) as answer:
            given = await answer.json(content_type=None)
            return answer.status, str(given.get("receipt"))

    async with aiohttp.ClientSession() as session:
        first = await asyncio.gather(*(send(session) for _ in range(8)))
        later = [await send(session) for _ in range(12)]
    assert sorted(status for status, _ in first)[-1] == 201
    assert [status for status, _ in first].count(201) == 1
    assert {status for status, _ in later} == {200}
    assert {receipt for _, receipt in [*first, *later]} == {key}
    await settled(stack, [key])

    await asyncio.to_thread(stack.stop)
    await asyncio.to_thread(stack.start)
    async with aiohttp.ClientSession() as session:
        assert await send(session) == (200, key)
        await settled(stack, [key])
        async with session.delete(f"{stack.url}/api/v1/receipts/{key}") as answer:
            assert answer.status == 202
        deadline = time.monotonic() + 60
        while (await exact(stack.url, stack.token))["responses"] != 0:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        async with session.get(f"{stack.url}/api/v1/receipts/{key}") as answer:
            assert (await answer.json(content_type=None))["status"] == "withdrawn"
        assert (await send(session))[0] == 410
