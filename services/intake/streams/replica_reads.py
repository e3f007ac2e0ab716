"""Reading where several servers keep a stream: whichever of them answers may be a moment behind, cut off from the others, or frozen.

So another is asked where one does not answer soon, and nothing is called unknown before the leader was asked (`stream_leader`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

BEHIND = 0.05
"""Seconds after which a replica usually has what the leader acknowledged."""
CATCHING_UP = 2.0
"""Seconds for which what the leader has is looked for at the others."""
NEXT = 0.25
"""Seconds without an answer after which the question goes out once more; the server chooses at random who gets it."""
ATTEMPT = 4.0
"""Seconds within which somebody must have answered: time to notice that one's own server is frozen, and to go to another."""


class Behind(Exception):
    """The leader has it, and no replica that answers does."""


async def certain(ask: Callable[[], Awaitable[T | None]], held: Callable[[], Awaitable[bool]]) -> T | None:
    """What `ask` finds; None only where the leader said that it is not `held`. Raises Behind, or what the two raise."""
    begun = time.monotonic()
    while (found := await ask()) is None and await held():
        if time.monotonic() - begun > CATCHING_UP:
            raise Behind
        await asyncio.sleep(BEHIND)
    return found


async def hedged(ask: Callable[[], Coroutine[Any, Any, T]], doubt: Callable[[], None]) -> T:
    """The first answer to the same question, which goes out again as long as there is none; `doubt` is called each time.

    Raises TimeoutError, or what every attempt raised.
    """
    asking: set[asyncio.Task[T]] = set()
    begun = time.monotonic()
    try:
        while True:
            asking.add(asyncio.create_task(ask()))
            left = begun + ATTEMPT - time.monotonic()
            if left <= 0:
                raise TimeoutError
            done, asking = await asyncio.wait(asking, timeout=min(NEXT, left), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (error := task.exception()) is None:
                    return task.result()
                if not asking:
                    raise error
            doubt()
    finally:
        for task in asking:
            task.cancel()
