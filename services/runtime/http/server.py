"""Serves an ASGI app in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar.types import Receive, Scope, Send

from proto.problem import Problem
from services.runtime.http.problems import send_problem
from services.runtime.supervision import log_stray
from services.runtime.watchdog import beat

CONNECTIONS = 12_000
"""Open at a time, where the system lets the process have as many files; others wait to be accepted. Proxies need two files for each."""
UNREAD = 20_000
"""Milliseconds after which the system ends a connection whose other end takes nothing of what was sent."""


async def serve(
    app: Any,
    host: str,
    port: int,
    leaving: Callable[[], None] = lambda: None,
    until: asyncio.Future[None] | None = None,
    drain: float = 0.0,
) -> None:
    """Serves an ASGI app in this process until SIGTERM, SIGINT, or `until` is done. Slow headers are cut after 10 s, large ones refused
    at 32 KiB.

    Requests that are being answered are waited for; `leaving` is called first and may end those that would never end. For `drain` seconds
    after the signal it says that it is not ready and answers everything else as before, so that balancers send nobody into a closed door.
    """
    draining = Draining(app)
    server = _Server(
        draining,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=4096,
        backpressure=min(CONNECTIONS, _files() // 2),
        log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=32 * 1024),
    )

    def stop() -> None:
        leaving()
        server.stop()

    def asked() -> None:
        if drain <= 0 or draining.begun:
            stop()
        else:
            draining.begun = True
            loop.call_later(drain, stop)

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, asked)
    loop.set_exception_handler(log_stray)
    if until is not None:
        until.add_done_callback(lambda _: stop())
    beating = asyncio.create_task(beat())
    try:
        await server.serve()
    finally:
        beating.cancel()


class Draining:
    """An app that is not ready any more once `begun` is set."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.begun and scope["type"] == "http" and scope["path"].endswith("/health/ready"):
            await send_problem(send, Problem("unavailable", "This server is about to stop.", retry_after=1))
        else:
            await self._app(scope, receive, send)


class _Server(Server):
    """Listens on a socket of ours, whose options its connections inherit: granian itself keeps a connection whose other end
    stopped reading for ever, with what was to be sent."""

    def _init_shared_socket(self) -> None:
        family, _, _, _, address = socket.getaddrinfo(self.bind_addr, self.bind_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD)
            listening.setblocking(False)
            listening.bind(address)
            self._shd = SocketHolder(listening.detach(), False, self.backlog)  # pyright: ignore[reportCallIssue]  its stub is empty
        self._ssp = None


def _files() -> int:
    """How many files this process may have open, after asking for as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * CONNECTIONS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft == resource.RLIM_INFINITY or soft >= allowed:
        return wanted if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
