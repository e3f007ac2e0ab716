"""Sends many responses to the intake API, with bounded concurrency, an optional rate, retries while the server is busy.

Each response has its receipt from the start, so that a response sent again after a lost connection counts once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import uvloop

from deploy.cli.server import quoted, unreachable
from services.runtime.retry import retry
from services.runtime.supervision import log_stray

PATIENCE = 120.0
"""Seconds without a single answer after which the server counts as gone."""
T = TypeVar("T")

TOO_MANY = 429
BUSY = frozenset({408, TOO_MANY, 502, 503, 504})
ATTEMPTS = 6
"""Attempts without any answer after which a server that never answered is not waited for."""


class _Busy(Exception):
    """The server takes nothing at the moment. `seconds`: the pause that it asks for; 0 where it says nothing."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


NOT_SENT = (_Busy, aiohttp.ClientError, OSError)
"""What sending raises where it may be repeated."""


@dataclass(frozen=True)
class BulkSubmission:
    """One response to send. `receipt`: the Idempotency-Key. `place`: its line in the file it came from."""

    place: int
    receipt: str
    body: bytes


@dataclass(frozen=True)
class SubmissionReply:
    submission: BulkSubmission
    status: int
    body: bytes

    @property
    def accepted(self) -> bool:
        """Whether it was accepted: 201 for a new response, 200 for one that was there."""
        return self.status in (200, 201)


class Sender:
    """A pool of `at_once` connections to the intake of one survey; an asynchronous context manager."""

    def __init__(self, url: str, survey: str, at_once: int = 32, token: str | None = None) -> None:
        self._url, self._survey, self._at_once, self._token = url, survey, at_once, token
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
        """An organiser's token exempts from the flood limits."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def send(self, submission: BulkSubmission) -> SubmissionReply:
        """Sends until the server gives a final answer; retries while it is busy or away. Raises Trouble after 120 s without an answer."""
        return await self._send_until_answered("POST", self._path, submission)

    async def replace(self, submission: BulkSubmission) -> SubmissionReply:
        """Replaces the answers under this receipt; else as `send`."""
        return await self._send_until_answered("PUT", f"{self._url}/api/v1/receipt", submission)

    async def look_up(self, submission: BulkSubmission) -> SubmissionReply:
        """Asks what became of this receipt, and sends no answers; else as `send`. 429 for one that is no organiser and asks too often."""
        return await self._send_until_answered("GET", f"{self._url}/api/v1/receipt?survey={quoted(self._survey)}", submission)

    async def send_all(
        self,
        submissions: Iterable[BulkSubmission],
        rate: float | None = None,
        send: Callable[[BulkSubmission], Awaitable[SubmissionReply]] | None = None,
    ) -> AsyncGenerator[SubmissionReply]:
        """Sends all (by `send`, if given), at most `rate` per second; yields replies in the order of arrival. Raises as `send`."""
        send = send or self.send
        loop = asyncio.get_running_loop()
        waiting = iter(submissions)
        replies: asyncio.Queue[SubmissionReply | Exception | None] = asyncio.Queue()
        begun, sent = loop.time(), 0

        async def work() -> None:
            nonlocal sent
            try:
                for submission in waiting:  # all workers draw from the same iterator
                    due, sent = begun + sent / rate if rate else 0.0, sent + 1
                    if due > loop.time():
                        await asyncio.sleep(due - loop.time())
                    replies.put_nowait(await send(submission))
            except Exception as error:  # raised again by the caller's loop
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

    async def _send_until_answered(self, method: str, path: str, submission: BulkSubmission) -> SubmissionReply:
        loop = asyncio.get_running_loop()
        first, silent = loop.time(), 0

        def again(error: Exception) -> bool | float:
            nonlocal silent
            silent += not isinstance(error, _Busy)
            was_never_there = self._last == 0.0 and silent >= ATTEMPTS
            if not isinstance(error, NOT_SENT) or was_never_there or loop.time() - max(first, self._last) > PATIENCE:
                return False
            return (isinstance(error, _Busy) and error.seconds) or True

        async def send() -> SubmissionReply:
            headers = {"Idempotency-Key" if method == "POST" else "Platea-Receipt": submission.receipt}  # addresses are written into logs
            data = None if method == "GET" else submission.body
            async with self._session.request(method, path, data=data, headers=headers) as answer:
                body = await answer.read()
                if answer.status in BUSY and not (method == "GET" and answer.status == TOO_MANY):
                    raise _Busy(_seconds(answer.headers.get("Retry-After")))
                self._last = loop.time()
                return SubmissionReply(submission, answer.status, body)

        try:
            return await retry(send, on=again, first=0.1, longest=5.0)
        except _Busy:
            raise unreachable(self._url) from None
        except NOT_SENT as error:
            raise unreachable(self._url, error) from None


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(log_stray)
        return runner.run(main)


def _seconds(retry_after: str | None) -> float:
    """Seconds of a Retry-After header, at most 30; 0 for one with a date, which our servers never send."""
    try:
        return min(float(retry_after or 0), 30.0)
    except ValueError:
        return 0.0
