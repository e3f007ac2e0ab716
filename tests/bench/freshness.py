"""From accepted to visible: how long until a response counts in the exact view, while 500 arrive each second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import aiohttp
import uvloop

from deploy.cli.bulk_sender import BulkSubmission, Sender
from proto.receipt import make
from tests.bench.report import Figure
from tests.bench.servers import SURVEY, Servers, bodies, servers

RATE = 500
TARGET = 1.0


def measure(folder: Path, quick: bool) -> list[Figure]:
    """The n-th acceptance is visible with the first view that counts n: an upper bound, as the view is asked for again and again."""
    sent = bodies(2000, folder).read_bytes().splitlines()
    count = RATE * (5 if quick else 30)
    submissions = [BulkSubmission(i, make(), sent[i % len(sent)]) for i in range(count)]
    with (
        servers(folder / "stack") as running,
        running.running(running.stack.analysis()),
        running.running(running.stack.front()),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        accepted, views = runner.run(_run(running, submissions))
    delays: list[float] = []
    view = iter(views)
    seen, when = next(view)
    for number, at in enumerate(sorted(accepted), 1):
        while seen < number:
            seen, when = next(view)
        delays.append(max(when - at, 0.0))
    delays.sort()
    p50, p99 = (delays[int(share * (len(delays) - 1))] for share in (0.5, 0.99))
    reached = (len(accepted) - 1) / (max(accepted) - min(accepted))
    measured = f"{reached:,.0f}/s, view asked {len(views) / (views[-1][1] - views[0][1]):,.0f} times a second"
    return [
        Figure("Counting", f"accepted to visible at {RATE}/s, half", p50, "s", None, "less", measured),
        Figure("Counting", f"accepted to visible at {RATE}/s, 99 of 100", p99, "s", TARGET, "less", measured),
    ]


async def _run(running: Servers, submissions: list[BulkSubmission]) -> tuple[list[float], list[tuple[int, float]]]:
    """When responses were accepted, and what each view counted when."""
    accepted: list[float] = []
    views: list[tuple[int, float]] = []
    watching = asyncio.create_task(_watch(running, views, len(submissions)))
    async with Sender(running.stack.url(), SURVEY, 64, running.stack.data.token.read_text().strip()) as sender:
        async for reply in sender.send_all(submissions, RATE):
            assert reply.status == 201, reply.status
            accepted.append(time.perf_counter())
    try:
        await asyncio.wait_for(watching, 60)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return accepted, views


async def _watch(running: Servers, views: list[tuple[int, float]], until: int) -> None:
    headers = {"Authorization": f"Bearer {running.stack.data.token.read_text().strip()}"}
    url = f"{running.stack.url()}/api/v1/surveys/{SURVEY}/aggregates?view=exact"
    async with aiohttp.ClientSession(headers=headers) as session:
        while not views or views[-1][0] < until:
            async with session.get(url) as answer:
                body = await answer.read()
            place = body.index(b'"responses":') + len(b'"responses":')
            views.append((int(body[place : body.index(b",", place)]), time.perf_counter()))
            await asyncio.sleep(0.1)
