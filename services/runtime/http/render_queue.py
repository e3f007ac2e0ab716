"""Bounded queues for rendering: slow work does not delay quick work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from litestar import Request

from proto.problem import Problem

P = ParamSpec("P")
T = TypeVar("T")


class RenderQueue:
    """At most `at_once` run and `waiting` wait; beyond that the answer is 503 with the sentence `full`, and `again` seconds as
    Retry-After. A caller that is cancelled leaves the queue."""

    def __init__(self, at_once: int, waiting: int, again: int, full: str) -> None:
        self._places, self._most = asyncio.Semaphore(at_once), at_once + waiting
        self._again, self._full = again, full
        self.inside = 0
        """How many wait or run."""

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Waits for a turn, which ends with the block. Raises Problem where the queue is full."""
        if self.inside >= self._most:
            raise Problem("unavailable", self._full, retry_after=self._again)
        self.inside += 1
        try:
            async with self._places:
                yield
        finally:
            self.inside -= 1


async def in_thread(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Returns the result of `work` in a thread. A thread cannot be stopped, so a cancelled caller waits for it and keeps its turn."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *given, **named))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


async def while_wanted(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """Returns the result of `work`, or raises what it raises. Cancels it when the client disconnects."""
    making, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({making, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not making.done():
            raise Problem("unavailable", "Nobody waits for this any more.")
        return making.result()
    finally:
        making.cancel()
        gone.cancel()


async def _gone(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
