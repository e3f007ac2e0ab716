"""Respondents who do not give up: each sends its answers, with its receipt, until it holds a 200 or a 201."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import aiohttp

from deploy.cli.respondents import Population
from proto import receipt
from proto.answers import today_of
from tests.builders.bundled import questionnaire


@dataclass
class Crowd:
    """`accepted` holds the receipts that were answered 200 or 201; `refused` every other status and how often."""

    url: str
    count: int
    at_once: int = 32
    seed: int = 3
    pause: float = 0.0
    survey: str = "ai-security"
    accepted: list[str] = field(default_factory=list[str])
    refused: dict[str, int] = field(default_factory=dict[str, int])

    async def answer(self) -> None:
        """Returns when everybody's answer was accepted."""
        population = Population(questionnaire(), self.seed, today_of(time.time()))
        people = iter(range(self.count))
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=self.at_once)) as session:

            async def work() -> None:
                for number in people:
                    await self._insist(session, population.body(number), receipt.make())
                    await asyncio.sleep(self.pause)

            await asyncio.gather(*(work() for _ in range(self.at_once)))

    async def _insist(self, session: aiohttp.ClientSession, body: bytes, key: str) -> None:
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        while True:
            try:
                async with session.post(f"{self.url}/api/v1/surveys/{self.survey}/responses", data=body, headers=headers) as answer:
                    await answer.read()
                    status = str(answer.status)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                status = type(error).__name__
            if status in ("200", "201"):
                self.accepted.append(key)
                return
            assert status in ("503", "502", "408") or not status.isdigit(), f"an honest answer was refused with {status}"
            self.refused[status] = self.refused.get(status, 0) + 1
            await asyncio.sleep(0.1)


@dataclass
class Passer:
    """Somebody who answers a survey again and again; `accepted` and `recorded` hold the seconds from sending each answer until then."""

    url: str
    survey: str
    receipts: list[str] = field(default_factory=list[str])
    accepted: list[float] = field(default_factory=list[float])
    recorded: list[float] = field(default_factory=list[float])
    unanswered: int = 0
    leaving: bool = False

    async def answer(self) -> None:
        """Until it is `leaving`. Each answer is insisted on, so that `receipts` holds all that count."""
        people = Population(questionnaire(self.survey), 5, today_of(time.time()))
        async with aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(total=10)) as session:
            for number in itertools.count():
                if self.leaving:
                    return
                await self._once(session, people.body(number), receipt.make())
                await asyncio.sleep(0.05)

    async def _once(self, session: aiohttp.ClientSession, body: bytes, key: str) -> None:
        begun = time.monotonic()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        await self._until(
            lambda: session.post(f"/api/v1/surveys/{self.survey}/responses", data=body, headers=headers), "accepted", "recorded"
        )
        self.receipts.append(key)
        self.accepted.append(time.monotonic() - begun)
        await self._until(lambda: session.get(f"/api/v1/receipts/{key}"), "recorded")
        self.recorded.append(time.monotonic() - begun)

    async def _until(self, ask: Callable[[], Any], *wanted: str) -> None:
        while True:
            try:
                async with ask() as answer:
                    if (await answer.json(content_type=None)).get("status") in wanted:
                        return
            except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
                self.unanswered += 1
            await asyncio.sleep(0.01)

    def told(self, since: int = 0) -> str:
        """How long the answers after the first `since` took, in words."""

        def of(seconds: list[float]) -> str:
            each = sorted(1000 * one for one in seconds[since:])
            return f"median {median(each):.0f}, 95 % {each[95 * len(each) // 100]:.0f}, most {each[-1]:.0f} ms" if each else "never"

        return f"accepted {of(self.accepted)}; recorded {of(self.recorded)}"


async def statuses(url: str, receipts: list[str], at_once: int = 32) -> dict[str, int]:
    """How many of these receipts have which status."""
    found: dict[str, int] = {}
    waiting = iter(receipts)
    async with aiohttp.ClientSession() as session:

        async def work() -> None:
            for key in waiting:
                async with session.get(f"{url}/api/v1/receipts/{key}") as answer:
                    given: dict[str, Any] = await answer.json(content_type=None)
                    status = str(given["status"])
                found[status] = found.get(status, 0) + 1

        await asyncio.gather(*(work() for _ in range(at_once)))
    return found


async def recorded(url: str, receipts: list[str], seconds: float) -> float:
    """Waits until every receipt is recorded and returns how long that took."""
    begun = time.monotonic()
    while True:
        found = await statuses(url, receipts)
        if set(found) <= {"recorded"}:
            return time.monotonic() - begun
        assert time.monotonic() - begun < seconds, f"not all recorded: {found}"
        await asyncio.sleep(0.2)


async def exact(url: str, token: str, survey: str = "ai-security", seconds: float = 60.0) -> dict[str, Any]:
    """The organiser's exact view. While responses are still being read after a start, it asks again."""
    path, deadline = f"{url}/api/v1/surveys/{survey}/aggregates?view=exact", time.monotonic() + seconds
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        while True:
            async with session.get(path) as answer:
                if answer.status == 200:
                    return await answer.json(content_type=None)
                assert answer.status == 503, await answer.text()
                assert time.monotonic() < deadline, await answer.text()
            await asyncio.sleep(0.2)
