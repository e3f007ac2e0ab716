"""Reads from a replicated stream, where the server that answers may be behind, cut off from the others, or frozen.

A slow question is asked again, at another server by chance. Nothing is called unknown before the leader was asked (`stream_leader`).
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
"""Seconds for which a message that the leader has is looked for at its replicas."""
NEXT = 0.25
"""Seconds without an answer after which the question is sent once more; NATS chooses at random which server gets it."""
ATTEMPT = 4.0
"""Seconds within which one server must answer: enough to notice that our own server is frozen, and to connect to another."""


class Behind(Exception):
    """The leader has the message, but no replica that answers has it yet."""


async def certain(ask: Callable[[], Awaitable[T | None]], held: Callable[[], Awaitable[bool]]) -> T | None:
    """Returns what `ask` returns. None only after the leader answered `held` with False. Raises Behind, or what the two raise."""
    begun = time.monotonic()
    while (answer := await ask()) is None and await held():
        if time.monotonic() - begun > CATCHING_UP:
            raise Behind
        await asyncio.sleep(BEHIND)
    return answer


async def hedged(ask: Callable[[], Coroutine[Any, Any, T]], doubt: Callable[[], None]) -> T:
    """The first answer to `ask`, which is called again every NEXT seconds while there is none; `doubt` is called each time.

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
