"""Reading where several servers keep a stream: whichever of them answers may be a moment behind.

The leader would know, but may not be asked: whoever may send that request may read any message of the stream by its number, and intake
reads only what somebody holds the key to (`deploy/nats/users.conf`). `services.intake.wholes` asks it, for streams that are intake's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

BEHIND = 0.05
"""Seconds after which a replica has what the leader had acknowledged."""


async def certain(ask: Callable[[], Awaitable[T | None]]) -> T | None:
    """What `ask` finds. Asked twice before something that may have been promised is called unknown."""
    found = await ask()
    if found is None:
        await asyncio.sleep(BEHIND)
        found = await ask()
    return found
