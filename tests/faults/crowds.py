"""People at a cluster while it is hurt: each keeps what they were told."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

from deploy.cli.respondents import Population
from proto import receipt
from proto.answers import today_of
from tests.builders.bundled import questionnaire

NOTHING = "Nothing was stored."
PAUSE = 0.1
"""Seconds before the same is sent again, to the next intake."""
LIMIT = aiohttp.ClientTimeout(total=15)


@dataclass
class Told:
    """In one stretch of time. `gap`: the longest without an accepted answer; `reads`: statuses of receipts that were accepted before."""

    accepted: int = 0
    gap: float = 0.0
    errors: Counter[str] = field(default_factory=Counter[str])
    reads: Counter[str] = field(default_factory=Counter[str])


@dataclass
class Respondents:
    """They come at a rate, whatever happens, and each sends one answer until it is accepted, through one intake after the other.

    Whoever hears that nothing was stored believes it and goes away: `denied` holds those receipts. One in four lets intake choose the
    receipt. `lost`: nobody heard what became of the answer, nor its receipt.
    """

    urls: list[str]
    rate: float
    accepted: list[str] = field(default_factory=list[str])
    denied: list[str] = field(default_factory=list[str])
    lost: int = 0
    told: Told = field(default_factory=Told)
    leaving: bool = False
    _last: float = 0.0

    def turn(self) -> Told:
        """What was told since the last turn."""
        self._note()
        told, self.told = self.told, Told()
        return told

    async def answer(self) -> None:
        """Until they are `leaving`; then nobody comes any more, and nobody leaves before their answer was accepted."""
        population = Population(questionnaire(), 5, today_of(time.time()))
        self._last = begun = time.monotonic()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=LIMIT, connector=connector) as session, asyncio.TaskGroup() as people:
            for number in itertools.count():
                if self.leaving:
                    return
                people.create_task(self._insist(session, number, population.body(number)))
                await asyncio.sleep(max(0.0, begun + number / self.rate - time.monotonic()))

    async def _insist(self, session: aiohttp.ClientSession, number: int, body: bytes) -> None:
        key = None if number % 4 == 0 else receipt.make()
        for url in itertools.islice(itertools.cycle(self.urls), number, None):
            headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
            try:
                async with session.post(f"{url}/api/v1/surveys/ai-security/responses", data=body, headers=headers) as answer:
                    said = await answer.json(content_type=None)
                    status = answer.status
            except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
                self.told.errors[type(error).__name__] += 1
                if key is None:
                    self.lost += 1
                    return
                await asyncio.sleep(PAUSE)
                continue
            if status in (200, 201):
                self.accepted.append(said["receipt"])
                self.told.accepted += 1
                self._note()
                return
            assert status == 503, f"an honest answer was refused with {status}: {said}"
            self.told.errors["503"] += 1
            if NOTHING in said["detail"]:
                self.denied.append(said["receipt"])
                return
            key = said["receipt"]
            await asyncio.sleep(PAUSE)

    def _note(self) -> None:
        now = time.monotonic()
        self.told.gap, self._last = max(self.told.gap, now - self._last), now


@dataclass
class Askers:
    """Look up receipts that were accepted before, at every intake, and write down what they hear."""

    urls: list[str]
    respondents: Respondents
    rate: float
    unknown: list[str] = field(default_factory=list[str])
    leaving: bool = False

    async def ask(self) -> None:
        async with aiohttp.ClientSession(timeout=LIMIT, connector=aiohttp.TCPConnector(limit=0)) as session:

            async def work(url: str) -> None:
                while not self.leaving:
                    begun = time.monotonic()
                    if known := self.respondents.accepted[-60:]:
                        await self._look_up(session, url, random.choice(known))
                    await asyncio.sleep(max(0.01, len(self.urls) * 2 / self.rate - (time.monotonic() - begun)))

            await asyncio.gather(*(work(url) for url in self.urls * 2))

    async def _look_up(self, session: aiohttp.ClientSession, url: str, mine: str) -> None:
        try:
            async with session.get(f"{url}/api/v1/receipts/{mine}") as answer:
                await answer.read()
                status = str(answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            status = type(error).__name__
        self.respondents.told.reads[status] += 1
        if status == "404":
            self.unknown.append(mine)
