"""An attacker at work over HTTP: sends, changes and withdraws own answers around the coming of victims, and reads after each.

Everybody answers without a token, as anybody may. The attacker knows which own answers stand, and how many victims have come.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from proto.receipt import make
from proto.snapshot import Table
from tests.attacks import questionnaire
from tests.attacks.builds import Edition
from tests.attacks.observer import Look, Observer
from tests.attacks.population import Blocks, Floats, Ints
from tests.attacks.questionnaire import Pair

SETTLED = 0.3
"""Seconds after an answer is recorded within which an edition that it causes is mostly out. What is out later is read with the next."""
PATIENCE = 60.0
READINGS = 3
"""Where tables move with every answer that stays, all of them are read so often on either side of a victim at most."""


@dataclass(frozen=True)
class Strategy:
    """`cycle`: what the attacker does over and over; + sends an own answer, ~ changes the last one, - withdraws it. `stays`: so many are
    sent first, after each victim and before the next, and stay."""

    name: str
    cycle: str
    stays: int = 0
    each_moves: bool = False
    """Whether every answer makes an edition, so that the attacker waits for it."""

    def acts(self, requests: int) -> str:
        """Of one victim's share of the requests, the half before the victim comes and the half after."""
        half = requests // 2
        one = ("+" * self.stays + self.cycle * half)[:half]
        return one + one


AROUND = Strategy("sent and withdrawn", "++~--")
STANDING = Strategy("left standing", "+")
TRIAL = Strategy("a bit of both, where nobody is protected", "++~--", stays=5, each_moves=True)


@dataclass(frozen=True)
class Moment:
    """What was published, which own answers stood (their rows among `own`), and how many others than the attacker were there."""

    edition: Edition
    own: tuple[int, ...]
    others: int


@dataclass
class Diary:
    """What the attacker wrote down."""

    moments: list[Moment] = field(default_factory=list[Moment])
    requests: int = 0
    refused: int = 0
    """Requests that the flood guard answered with 429."""
    waited: float = 0.0
    """Seconds, because of that."""
    unlike: list[str] = field(default_factory=list[str])
    """Where two formats said different things of one edition."""
    missed: int = 0
    """Editions that came between two readings, or of which it is not known whose answers are in them."""
    looks: int = 0
    """How often everything public was read."""
    changes: int = 0
    """How often anything public was not as it had been."""

    @property
    def of_tables(self) -> int:
        return len({int(moment.edition.moved.max()) for moment in self.moments} - {-1})


class Attacker:
    """`own`: answers to send, one row each, as many as there are requests."""

    def __init__(self, url: str, survey: str, blocks: Blocks, own: Ints, strategy: Strategy, observer: Observer) -> None:
        self.diary = Diary()
        self._url, self._survey, self._blocks, self._own, self._strategy, self._observer = url, survey, blocks, own, strategy, observer
        self._standing: list[tuple[str, int]] = []
        self._next, self._others, self._left = iter(range(len(own))), 0, 0
        self._past: list[tuple[int, tuple[int, ...], int]] = []
        """How many there were after each request, own answers that stood, and the others."""
        self._look: Look | None = None
        self._revision = 0
        nothing = np.full((blocks.width, blocks.width), np.nan)
        self._tables, self._moved = nothing, np.full(nothing.shape, -1)
        count = len(blocks.sizes)
        self._pairs: list[Pair] = [(one, other) for one in range(count) for other in range(one + 1, count)]

    async def attack(self, crowd: int, victims: Ints, requests: int) -> Diary:
        """`crowd`: respondents who are there. Victims come in the middle of their share of the requests."""
        self._others = crowd
        async with aiohttp.ClientSession(self._url, timeout=aiohttp.ClientTimeout(total=60)) as http:
            await self._begin()
            for victim in victims:
                acts = self._strategy.acts(requests // len(victims))
                for place, act in enumerate(acts):
                    if place == len(acts) // 2:
                        await answer(http, self._survey, questionnaire.body(self._blocks, victim))
                        self._others += 1
                        self._left = READINGS
                        await self._read()
                    elif place == 0:
                        self._left = READINGS
                    await self._act(http, act)
                    await self._read()
        await asyncio.sleep(3)  # an edition that the last request caused
        await self._read()
        return self.diary

    async def _act(self, http: aiohttp.ClientSession, act: str) -> None:
        receipt, row = (make(), -1) if act == "+" else self._standing.pop()
        if act == "-":
            await self._ask(http, "DELETE", receipt, None, "withdrawn")
            return
        row = next(self._next)
        body = questionnaire.body(self._blocks, self._own[row])
        await self._ask(http, "POST" if act == "+" else "PUT", receipt, body, "recorded")
        self._standing.append((receipt, row))

    async def _ask(self, http: aiohttp.ClientSession, method: str, receipt: str, body: bytes | None, status: str) -> None:
        while True:
            self.diary.requests += 1
            pause = await sent(http, self._survey, method, receipt, body)
            if pause is None:
                break
            self.diary.refused += 1
            self.diary.waited += pause
            await asyncio.sleep(pause)
        await until_it_is(http, receipt, status)

    async def _begin(self) -> None:
        """What is published before the attack: editions of fewer than are there by now, of the tables another one perhaps."""
        look = await self._observer.look()
        shown, found = look.snapshot, await self._observer.tables(self._pairs)
        self._past = [(people, (), people) for people in range(self._others + 1)]
        if found:
            first = next(iter(found.values()))
            self._take_tables(found)
            if first.as_of != shown.as_of:
                self._write_down(first.responses, questionnaire.margins(self._blocks, found))
        self._look, self._revision = look, shown.revision
        self._write_down(shown.responses, questionnaire.singles(self._blocks, shown))

    async def _read(self) -> None:
        """Writes down the edition that stands, if it is a new one."""
        standing = tuple(row for _, row in self._standing)
        self._past.append((self._others + len(standing), standing, self._others))
        if self._strategy.each_moves:
            await self._moved_on()
        else:
            await asyncio.sleep(SETTLED)
        look = await self._observer.look()
        self.diary.looks += 1
        if look == self._look:
            return
        self._look, shown = look, look.snapshot
        self.diary.changes += 1
        self.diary.unlike += look.disagreements()
        self.diary.missed += max(shown.revision - self._revision - 1, 0)
        self._revision = shown.revision
        if look.tables_of == (shown.as_of, shown.responses) and self._reads_tables():
            self._take_tables(await self._observer.tables(self._pairs))
        self._write_down(shown.responses, questionnaire.singles(self._blocks, shown))

    def _take_tables(self, found: Mapping[Pair, Table]) -> None:
        if found:
            self._tables, known = questionnaire.tables(self._blocks, found)
            self._moved = np.where(known, len(self.diary.moments), self._moved)

    def _write_down(self, people: int, counts: Floats) -> None:
        """Single counts of so many people. Whose answers are in them is the latest that fits their number."""
        happened = next((one for one in reversed(self._past) if one[0] == people), None)
        if happened is None:
            self.diary.missed += 1
            return
        edition = Edition(people, counts, people - counts[self._blocks.skipped], self._tables, self._moved)
        self.diary.moments.append(Moment(edition, *happened[1:]))

    def _reads_tables(self) -> bool:
        if not self._strategy.each_moves:
            return True
        self._left -= 1
        return self._left >= 0

    async def _moved_on(self) -> None:
        """Waits for a new edition."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            shown = await self._observer.figures()
            if shown is not None and shown.revision > self._revision:
                return
            await asyncio.sleep(0.03)


async def answer(http: aiohttp.ClientSession, survey: str, body: bytes) -> None:
    """Somebody answers, and is recorded."""
    receipt = make()
    while (pause := await sent(http, survey, "POST", receipt, body)) is not None:
        await asyncio.sleep(pause)
    await until_it_is(http, receipt, "recorded")


async def sent(http: aiohttp.ClientSession, survey: str, method: str, receipt: str, body: bytes | None) -> float | None:
    """None once it is taken; the seconds to wait where it is held back as a flood. A broken connection is tried again: it counts once."""
    path = f"/api/v1/surveys/{survey}/responses" if method == "POST" else f"/api/v1/receipts/{receipt}"
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": receipt} if method == "POST" else {})
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.request(method, path, data=body, headers=headers) as reply:
                    if reply.status == 429:
                        return float(reply.headers.get("Retry-After", "1"))
                    assert reply.status in (200, 201, 202, 502, 503), await reply.text()
                    if reply.status < 300:
                        return None
            await asyncio.sleep(0.2)


async def until_it_is(http: aiohttp.ClientSession, receipt: str, status: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"/api/v1/receipts/{receipt}") as reply:
                    if (await reply.json(content_type=None)).get("status") == status:
                        return
            await asyncio.sleep(0.02)
