"""A supervisor whose tasks fail when a test tells them to, with a secret in the message and in a local variable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from services.runtime.supervision import Supervisor
from tests.log_lines import LogLines

SECRET = "what somebody answered"


class MortalTasks(Supervisor):
    """`fail`: of each task the event that lets it fail, and fail again whenever it is started, for as long as it is set."""

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
            raise RuntimeError(held)

        super().start(name, mortal)


async def each_fails_in_turn(tasks: MortalTasks, names: set[str], http: httpx.AsyncClient, logged: LogLines, room: str = "") -> None:
    """Each of these tasks, and there are no others, makes the service unready, is logged once with its stack, and comes back.

    `room`: what the paths of the service begin with.
    """

    async def is_ready() -> bool:
        return (await http.get(f"{room}/health/ready")).status_code == 200

    async with asyncio.timeout(240):
        while not (names <= tasks.up().keys() and await is_ready()):
            await asyncio.sleep(0.02)
        assert tasks.up().keys() == names
        for name in sorted(names):
            logged.lines.clear()
            tasks.fail[name].set()
            while tasks.down != [name]:
                await asyncio.sleep(0.005)
            unready = await http.get(f"{room}/health/ready")
            assert (unready.status_code, unready.json()["checks"]["tasks"]) == (503, False), name
            assert f'_task_up{{task="{name}"}} 0.0' in (await http.get(f"{room}/metrics")).text
            tasks.fail[name].clear()
            while not await is_ready():
                await asyncio.sleep(0.02)
            told = [line for line in logged.lines if line["level"] == "error" and "task" in line]
            assert [line["task"] for line in told] == [name]
            assert "in mortal" in told[0]["stack"]
    assert SECRET not in logged.text
