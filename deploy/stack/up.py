"""`platea up`: starts the stack, then keeps it running until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec

from deploy.provisioning.forgetting import Forgetter
from deploy.refusal import Refusal
from deploy.stack import ports, running
from deploy.stack.child import Child
from deploy.stack.data_folder import DataFolder
from deploy.stack.program import Program
from deploy.stack.running import Running
from deploy.stack.stack import Stack
from deploy.stack.watch import watch_disk, watch_homes, watch_journal, watch_traces
from services.runtime import logs, settings
from services.runtime.http.host_guard import HostGuard

PATIENCE = 60.0
"""Seconds a child may take to be ready."""


class StackSettings(msgspec.Struct, frozen=True):
    """Environment variables of `platea up`. `data`, `url` and `token` belong to the command line; many shells have them set."""

    nats_url: str | None = None
    database_url: str | None = None
    data: str | None = None
    url: str | None = None
    token: str | None = None
    draft_days: Annotated[int, msgspec.Meta(ge=1, le=365)] | None = None
    flood_burst: float | None = None
    flood_rate: float | None = None
    least_seconds: float | None = None
    public_url: str | None = None
    proxies: str | None = None
    metrics_from: str | None = None
    followers: int | None = None
    followers_each: int | None = None

    def __post_init__(self) -> None:
        HostGuard.of(self.public_url or "", self.proxies or "", self.metrics_from or "")

    @property
    def for_intake(self) -> dict[str, str]:
        """What is set of intake's own settings; for the rest it has defaults."""
        return self._given("draft_days", "flood_burst", "flood_rate", "least_seconds", "proxies", "followers", "followers_each")

    @property
    def for_all(self) -> dict[str, str]:
        """What is set of the settings that all services share."""
        return self._given("public_url", "metrics_from")

    def _given(self, *names: str) -> dict[str, str]:
        given = {name: getattr(self, name) for name in names}
        return {f"{settings.PREFIX}{name.upper()}": str(value) for name, value in given.items() if value is not None}


def run(port: int = 8000, host: str = "127.0.0.1", data: Path = Path("var"), simulate: int = 0) -> int:
    """Runs the stack until Ctrl-C or SIGTERM and returns the exit status."""
    logs.configure("stack", level=logging.ERROR)  # what matters to the operator is said in sentences
    try:
        chosen = settings.read(StackSettings, os.environ)
        folder = DataFolder(data)
        with folder.taken():
            _check_port(host, port)
            stack = Stack.planned(folder, host, port, chosen.nats_url, chosen.database_url, chosen.for_intake, chosen.for_all)
            asyncio.run(_run(stack, simulate))
    except Refusal as refusal:
        return _complain(refusal.cause, refusal.way_out)
    except settings.UnknownSetting as unknown:
        return _complain(str(unknown), "Correct or unset it, then start again.")
    except OSError as error:
        return _complain(f"Platea could not start: {error}.", "See to that, or choose another data folder with --data.")
    return 0


async def _run(stack: Stack, simulate: int) -> None:
    """Until a signal: start, greet, keep. Then, or when something refuses to start: stop what runs."""
    children = Children(stack)
    asked = _on_signal(children)
    begun = time.monotonic()

    async def work() -> None:
        await children.start()
        running.write(stack.data.path, _running(stack))
        _greet(stack, time.monotonic() - begun)
        watching = [watch_disk(stack.data, _say), watch_homes(stack.mend, _say)]
        if stack.nats is not None:
            watching.append(watch_journal(stack.data, stack.nats, children.servers[0], _say))
        if stack.postgres is not None:
            watching.append(watch_traces(stack.data, Forgetter(stack.postgres.url())))
        keeping = [coroutine for child in children.all for coroutine in (child.keep(_say), child.watch(_say))]
        await asyncio.gather(*keeping, *watching, _simulate(stack, simulate))

    working, waiting = asyncio.create_task(work()), asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.is_set():
            await working
    finally:
        for task in (working, waiting):
            task.cancel()
        await children.stop()
        running.forget(stack.data.path)
        await asyncio.gather(working, waiting, return_exceptions=True)


class Children:
    """All processes of the stack, started in the order of need and stopped in the reverse."""

    def __init__(self, stack: Stack) -> None:
        logs = stack.data.logs
        self._provision, self._settle = stack.provision, stack.settle
        self.servers = [Child(server.program, logs) for server in (stack.nats, stack.postgres) if server is not None]
        self.workers = [Child(stack.analysis, logs), Child(stack.export, logs)]
        self.front = [Child(stack.front, logs)]

    @property
    def all(self) -> list[Child]:
        return [*self.servers, *self.workers, *self.front]

    async def start(self) -> None:
        """Raises Refusal."""
        await asyncio.gather(*(child.start(PATIENCE) for child in self.servers))
        await self._provision()
        await asyncio.gather(self._start_workers(), *(child.start(PATIENCE) for child in self.front))

    async def _start_workers(self) -> None:
        """Intake takes answers meanwhile. Analysis waits by itself where journal and store do not belong together; then so do we not."""
        report = await self._settle()
        if report.mended or not report.together:
            _say(report.sentence())
        waits = PATIENCE if report.together else None
        await asyncio.gather(*(child.start(PATIENCE if child is not self.workers[0] else waits) for child in self.workers))

    async def stop(self) -> None:
        """Stops services that serve, then those that record, then the servers, which write what they hold."""
        for group in (self.front, self.workers, self.servers):
            await asyncio.gather(*(child.stop() for child in group))

    def kill(self) -> None:
        for child in self.all:
            child.kill()


def _on_signal(children: Children) -> asyncio.Event:
    """The event that a signal sets. A second signal ends everything at once; nothing accepted is lost by that."""
    asked = asyncio.Event()

    def ask() -> None:
        if asked.is_set():
            children.kill()
        asked.set()

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, ask)
    return asked


def _running(stack: Stack) -> Running:
    nats, postgres = stack.nats, stack.postgres
    return Running(stack.url(), os.getpid(), nats.monitor if nats else None, postgres.port if postgres else None)


def _greet(stack: Stack, seconds: float) -> None:
    url = stack.for_all.get("PLATEA_PUBLIC_URL", stack.url()).rstrip("/")
    lines = [(f"{url}/", "open surveys"), (f"{url}/live/ai-security", "live figures"), (f"{url}/data/ai-security", "releases")]
    lines += [(f"{url}/schema", "the API"), (f"{url}/docs", "the documentation"), (_short(stack.data.token), "the organiser's token")]
    if stack.nats is not None:
        lines.insert(5, (f"ws://127.0.0.1:{stack.nats.websocket}", "figures as they are published, by NATS over WebSocket"))
    width = max(len(address) for address, _ in lines)
    print(f"Platea is ready after {seconds:.1f} s. Ctrl-C stops it.\n")
    for address, what in lines:
        print(f"  {address:<{width}}  {what}")
    print(flush=True)


async def _simulate(stack: Stack, responses: int) -> None:
    """Lets plausible respondents answer, as `platea simulate` does; it shows its own progress."""
    if responses:
        arguments = ["simulate", "ai-security", "--responses", str(responses), "--url", stack.url()]
        simulation = Program("simulate", [sys.executable, "-m", "deploy.cli", *arguments], ready=_at_once)
        process = await asyncio.create_subprocess_exec(*simulation.line(), env=simulation.environment() | _look_of_terminal())
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()


async def _at_once() -> bool:
    return True


def _look_of_terminal() -> dict[str, str]:
    return {name: os.environ[name] for name in ("TERM", "NO_COLOR", "COLUMNS") if name in os.environ}


def _check_port(host: str, port: int) -> None:
    """Raises Refusal where the stack could not listen."""
    try:
        ports.probe(host, port)
    except socket.gaierror:
        raise Refusal(f"{host} is no address of this machine.", "Choose another with --host.") from None
    except PermissionError:
        raise Refusal(f"This user may not listen on port {port}.", "Choose a port above 1023 with --port.") from None
    except (OSError, OverflowError) as error:
        busy = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        cause = f"Port {port} on {host} is in use by another program." if busy else f"Platea cannot listen on {host}, port {port}."
        raise Refusal(
            cause, "Choose another with --port, or end the program that uses it." if busy else "Choose others with --host and --port."
        ) from None


def _short(path: Path) -> str:
    """As the operator would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _say(line: str) -> None:
    """Nobody may be listening any more, or the disk that keeps it be full: the stack runs on."""
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)


def _complain(cause: str, way_out: str) -> int:
    print(f"{cause}\n{way_out}", file=sys.stderr, flush=True)
    return 1
