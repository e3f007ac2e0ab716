"""Who may draw next: a few files at a time, in one line for each kind of work, so that what takes long holds up nothing that is quick."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from litestar import Request

from proto.problem import Problem

P = ParamSpec("P")
T = TypeVar("T")


class Line:
    """So many at a time, and so many waiting; beyond that the answer is 503. Who goes away leaves the line."""

    def __init__(self, at_once: int, waiting: int, again: int) -> None:
        self._places, self._most, self._again = asyncio.Semaphore(at_once), at_once + waiting, again
        self.inside = 0
        """Those who wait and those whose turn it is."""

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Raises Problem where the line is full; `again` is the number of seconds after which to come back."""
        if self.inside >= self._most:
            raise Problem("unavailable", "Very many figures are asked for just now.", retry_after=self._again)
        self.inside += 1
        try:
            async with self._places:
                yield
        finally:
            self.inside -= 1


async def in_thread(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Its result. Who is cancelled meanwhile waits for the thread: it cannot be ended, and keeps its place in the line so long."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *given, **named))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


async def while_wanted(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """Its result; where the reader goes away before, it is cancelled. Raises what it raises."""
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


class Lines:
    """Pictures take seconds each, everything else a few hundredths; all of it leaves room for the figures themselves."""

    def __init__(self) -> None:
        self.quick = Line(at_once=2, waiting=60, again=2)
        self.pictures = Line(at_once=1, waiting=6, again=10)

    def of(self, kind: str) -> Line:
        """`kind`: csv, svg, html or png."""
        return self.pictures if kind == "png" else self.quick
