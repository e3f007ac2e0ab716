"""Background tasks of a service: each one that ends unexpectedly is logged once with its stack, and started again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from services.runtime.error_details import stack_of

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a task is started again; doubled while it keeps ending."""
STEADY = 5.0
"""Seconds of running after which a task that was started again counts as well."""


class Supervisor:
    """Owns the tasks of a service. `down` names those that ended unexpectedly and do not run steadily again yet."""

    def __init__(self, first_pause: float = FIRST_PAUSE, steady: float = STEADY) -> None:
        self._first_pause, self._steady = first_pause, steady
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._once: set[asyncio.Task[None]] = set()
        self._down: set[str] = set()
        self._stopping = False

    @property
    def down(self) -> list[str]:
        return sorted(self._down)

    def up(self) -> dict[str, bool]:
        """Every task by its name, and whether it is well."""
        return {name: name not in self._down for name in self._tasks}

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Runs `run()`, which never ends by itself, until `stop`."""
        assert name not in self._tasks, name
        self._tasks[name] = asyncio.create_task(self._keep(name, run), name=name)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs something that ends by itself. If it fails, that is logged; it is not tried again."""
        task = asyncio.create_task(self._finish(name, work), name=name)
        self._once.add(task)
        task.add_done_callback(self._once.discard)

    async def stop(self) -> None:
        """Cancels all tasks and waits for them."""
        self._stopping = True
        await cancelled({*self._tasks.values(), *self._once})

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        pause, last = self._first_pause, ""
        while True:
            begun = loop.time()
            steady = loop.call_later(self._steady, self._recovered, name)
            try:
                await run()
                end = "returned"
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._stopping or (task is not None and task.cancelling()):
                    raise
                end = "was cancelled"
            except Exception as error:
                end = stack_of(error)
            finally:
                steady.cancel()
            if self._stopping:
                return
            if loop.time() - begun > self._steady:
                pause, last = self._first_pause, ""
            self._down.add(name)
            if end != last:
                log.error("a task ended unexpectedly and is started again", extra={"task": name, "stack": end})
            last = end
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _recovered(self, name: str) -> None:
        if name in self._down:
            self._down.discard(name)
            log.info("a task runs again", extra={"task": name})

    async def _finish(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            log.error("a task failed", extra={"task": name, "stack": stack_of(error)})


async def run_periodically(work: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Calls `work()` after each pause of so many seconds, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        await work()


async def cancelled(tasks: set[asyncio.Task[None]]) -> None:
    """Returns when all have ended. Libraries may swallow a cancellation that meets the end of what they wait for, so it is repeated."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.5)


def log_stray(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`: tells what nobody waited for, without the message, which may quote an answer."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        log.error("an exception that nobody waited for", extra={"stack": stack_of(error)})
    else:
        log.warning("the event loop found a fault", extra={"reason": context.get("message")})
