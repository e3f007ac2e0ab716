"""Sends many responses through the ordinary intake: bounded, at a rate if wanted, patient with a busy server.

Each response carries its receipt from the start, so sending it again after a broken connection counts it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import uvloop

from deploy.cli.server import quoted, unreachable

PATIENCE = 120.0
"""Seconds without a single answer after which the server counts as gone."""
T = TypeVar("T")

BUSY = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True)
class Letter:
    """One response on its way. `receipt` is the Idempotency-Key, `place` says where it came from (a line of a file)."""

    place: int
    receipt: str
    body: bytes


@dataclass(frozen=True)
class Reply:
    letter: Letter
    status: int
    body: bytes

    @property
    def accepted(self) -> bool:
        """201 is new, 200 was there before."""
        return self.status in (200, 201)


class Sender:
    """A connection pool to one survey's intake; `async with` it."""

    def __init__(self, url: str, survey: str, at_once: int = 32, token: str | None = None) -> None:
        self._url, self._at_once, self._token = url, at_once, token
        self._path = f"{url}/api/v1/surveys/{quoted(survey)}/responses"
        self._last = 0.0

    async def __aenter__(self) -> Sender:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._at_once),
            timeout=aiohttp.ClientTimeout(total=60),
            headers={"Content-Type": "application/json", "Accept": "application/json"} | self._authority(),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    def _authority(self) -> dict[str, str]:
        """With an organiser's token, so many at once are no flood."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def send(self, letter: Letter) -> Reply:
        """The final answer. A busy or restarting server is asked again. Raises Trouble when it stays silent."""
        return await self._insist("POST", self._path, letter)

    async def replace(self, letter: Letter) -> Reply:
        """The same receipt with other answers."""
        return await self._insist("PUT", f"{self._url}/api/v1/receipts/{quoted(letter.receipt)}", letter)

    async def send_all(self, letters: Iterable[Letter], rate: float | None = None) -> AsyncIterator[Reply]:
        """Sends `at_once` at a time, at most `rate` a second, and yields replies as they come."""
        loop = asyncio.get_running_loop()
        waiting = iter(letters)
        replies: asyncio.Queue[Reply | Exception | None] = asyncio.Queue()
        begun, sent = loop.time(), 0

        async def work() -> None:
            nonlocal sent
            try:
                for letter in waiting:  # all workers draw from the same iterator
                    due, sent = begun + sent / rate if rate else 0.0, sent + 1
                    if due > loop.time():
                        await asyncio.sleep(due - loop.time())
                    replies.put_nowait(await self.send(letter))
            except Exception as error:  # whoever listens is to hear of it
                replies.put_nowait(error)
            else:
                replies.put_nowait(None)

        workers = [asyncio.create_task(work()) for _ in range(self._at_once)]
        try:
            working = self._at_once
            while working:
                reply = await replies.get()
                if isinstance(reply, Exception):
                    raise reply
                if reply is None:
                    working -= 1
                else:
                    yield reply
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _insist(self, method: str, path: str, letter: Letter) -> Reply:
        loop = asyncio.get_running_loop()
        first, attempt = loop.time(), 0
        while True:
            pause = min(0.1 * 2**attempt, 5.0)
            try:
                headers = {} if method == "PUT" else {"Idempotency-Key": letter.receipt}
                async with self._session.request(method, path, data=letter.body, headers=headers) as answer:
                    body = await answer.read()
                    if answer.status not in BUSY:
                        self._last = loop.time()
                        return Reply(letter, answer.status, body)
                    pause = max(pause, _seconds(answer.headers.get("Retry-After")))
                    silence: Exception | None = None
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                silence = error
            if loop.time() - max(first, self._last) > PATIENCE or (self._last == 0.0 and attempt >= 5 and silence is not None):
                raise unreachable(self._url, silence)
            attempt += 1
            await asyncio.sleep(pause)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on the quick loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def _seconds(retry_after: str | None) -> float:
    """The header's seconds, within reason; the form with a date is not ours."""
    try:
        return min(float(retry_after or 0), 30.0)
    except ValueError:
        return 0.0
