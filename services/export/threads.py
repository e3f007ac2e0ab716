"""Blocking work in a thread of the default executor.

A thread cannot be stopped. These functions return, or raise, only after the thread has ended, also when the caller is cancelled. So no
thread still reads or writes what the caller cleans up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


def start(work: Callable[Arguments, Value], *args: Arguments.args, **kwargs: Arguments.kwargs) -> asyncio.Future[Value]:
    """Starts `work` in a thread. The caller passes the future to `finish` or to `settle`."""
    return asyncio.get_running_loop().run_in_executor(None, partial(work, *args, **kwargs))


async def finish(running: asyncio.Future[Value]) -> Value:
    """The result of `start`. Raises what the work raised; CancelledError after the thread has ended."""
    try:
        return await asyncio.shield(running)
    finally:
        await settle(running)


async def settle(running: asyncio.Future[Value]) -> None:
    """Waits until the thread has ended. Its exception counts as seen: asyncio would log it with its message, which may hold an answer."""
    await asyncio.wait([running])
    if not running.cancelled():
        running.exception()


async def run(work: Callable[Arguments, Value], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
    """Runs `work` in a thread and returns its result."""
    return await finish(start(work, *args, **kwargs))
