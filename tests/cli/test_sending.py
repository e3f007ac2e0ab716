"""Sending through a server that is busy, breaks off, refuses, or is gone."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from deploy.cli.bulk_sender import BulkSubmission, Sender, SubmissionReply
from deploy.cli.console import Trouble

Answer = Callable[[web.Request, int], Awaitable[web.Response]]


@asynccontextmanager
async def intake(answer: Answer) -> AsyncGenerator[str]:
    """A server that answers each request with `answer(request, how often this receipt came)`."""
    seen: Counter[str] = Counter()

    async def handle(request: web.Request) -> web.Response:
        seen[request.headers["Idempotency-Key"]] += 1
        return await answer(request, seen[request.headers["Idempotency-Key"]])

    app = web.Application()
    app.router.add_post("/api/v1/surveys/s/responses", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def send(url: str, count: int, at_once: int = 8, rate: float | None = None) -> list[SubmissionReply]:
    submissions = (BulkSubmission(number, f"receipt-{number}", b"{}") for number in range(count))
    async with Sender(url, "s", at_once) as sender:
        return [reply async for reply in sender.send_all(submissions, rate)]


async def test_a_busy_server_is_asked_again_when_it_says_so() -> None:
    async def answer(request: web.Request, times: int) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "1"}) if times == 1 else web.Response(status=201)

    async with intake(answer) as url:
        begun = time.monotonic()
        replies = await send(url, 20, at_once=20)
    assert sorted(reply.submission.place for reply in replies) == list(range(20))
    assert all(reply.accepted for reply in replies)
    assert time.monotonic() - begun >= 1.0


async def test_a_broken_connection_is_tried_again_with_the_same_receipt() -> None:
    async def answer(request: web.Request, times: int) -> web.Response:
        if times == 1:
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=201 if times == 1 else 200)

    async with intake(answer) as url:
        replies = await send(url, 5)
    assert [reply.status for reply in replies] == [200] * 5


async def test_a_refusal_is_final_and_handed_back() -> None:
    async def answer(request: web.Request, times: int) -> web.Response:
        assert times == 1
        return web.json_response({"type": "/problems/answers-refused"}, status=422)

    async with intake(answer) as url:
        replies = await send(url, 3)
    assert [reply.status for reply in replies] == [422] * 3


async def test_no_more_are_sent_in_a_second_than_asked_for() -> None:
    arrived: list[float] = []

    async def answer(request: web.Request, times: int) -> web.Response:
        arrived.append(time.monotonic())
        return web.Response(status=201)

    async with intake(answer) as url:
        begun = time.monotonic()  # and not when the first arrived, which a busy machine may notice late
        await send(url, 41, rate=100)
    assert arrived[-1] - begun >= 0.39


async def test_no_more_than_so_many_are_on_their_way_at_once() -> None:
    now = most = 0

    async def answer(request: web.Request, times: int) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.Response(status=201)

    async with intake(answer) as url:
        await send(url, 60, at_once=6)
    assert most == 6


async def test_a_server_that_is_not_there_is_told_within_seconds() -> None:
    begun = time.monotonic()
    with pytest.raises(Trouble, match="No answer from"):
        await send("http://127.0.0.1:9", 100)
    assert time.monotonic() - begun < 10
