"""A supervisor whose tasks fail when a test tells them to, with a secret in the message and in a local variable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.runtime.supervision import Supervisor

SECRET = "what somebody answered"


class MortalTasks(Supervisor):
    """`fail`: of each task the event that lets it fail."""

    def __init__(self) -> None:
        super().__init__(first_pause=0.02, steady=1.0)
        self.fail: dict[str, asyncio.Event] = {}

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        fail = self.fail[name] = asyncio.Event()

        async def mortal() -> None:
            held = SECRET
            work, failing = asyncio.ensure_future(run()), asyncio.ensure_future(fail.wait())
            try:
                await asyncio.wait({work, failing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                work.cancel()
                failing.cancel()
            fail.clear()
            raise RuntimeError(held)

        super().start(name, mortal)
