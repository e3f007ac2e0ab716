"""The lines between the servers of a cluster. Each can be cut: what is sent over it waits then, as packets do that get no answer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator
from itertools import permutations

from deploy.stack.ports import free


class Line:
    """Listens for one server and passes everything on to another, unless it is cut."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free(), target
        self.whole = threading.Event()
        self.whole.set()

    async def serve(self) -> None:
        await asyncio.start_server(self._join, "127.0.0.1", self.port)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while part := await reader.read(65536):
                await self._open()
                writer.write(part)
                await writer.drain()
        writer.close()

    async def _open(self) -> None:
        while not self.whole.is_set():
            await asyncio.sleep(0.01)


class Links:
    """A line for each ordered pair of servers; `ports` are where the servers themselves listen for each other."""

    def __init__(self, ports: list[int]) -> None:
        self._lines = {(one, other): Line(ports[other]) for one, other in permutations(range(len(ports)), 2)}

    def addresses(self, server: int) -> list[str]:
        """Where this server finds the others."""
        return [f"127.0.0.1:{line.port}" for (one, _), line in self._lines.items() if one == server]

    def cut(self, server: int) -> None:
        """From all others."""
        for pair, line in self._lines.items():
            if server in pair:
                line.whole.clear()

    def heal(self) -> None:
        for line in self._lines.values():
            line.whole.set()

    @contextlib.contextmanager
    def passing(self) -> Generator[None]:
        """In a thread of their own, so that no test can hold them up."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        for line in self._lines.values():
            asyncio.run_coroutine_threadsafe(line.serve(), loop).result(10)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(_end_all(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()


async def _end_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
