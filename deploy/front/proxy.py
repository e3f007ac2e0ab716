"""A reverse proxy to one service on this machine, as an ASGI app: streams without buffering, ends when the client leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
from litestar.types import Receive, Send
from yarl import URL

from proto.problem import Problem
from services.runtime.http.host_guard import origin_of
from services.runtime.http.problems import send_problem
from services.runtime.http.request_bodies import read_body

BODY = 256 * 1024
"""Most bytes of a body that is passed on. Answers and instruments go to intake, which has limits of its own."""
RETRY = 2
BUFFER = 8 * 1024
"""Bytes of an answer that wait here for a slow reader, twice over at the most: thousands may follow figures at a time."""

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split()
)
_KEPT_BACK = frozenset({b"content-length", b"expect", b"forwarded", b"x-forwarded-for", b"x-forwarded-proto"})

PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=90)
RECOUNTING = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=900)
"""A recount reads every response before it says a word."""
FOLLOWING = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=90)
"""When thousands come back at once, as after a restart, they wait rather than be turned away: browsers do not ask again after a 503."""
KEPT = 5
"""Seconds for which an idle connection is used again. Services end theirs after 10 s (`web.serve`); a request that meets that is lost."""
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""RFC 9110, 9.2.2: aiohttp sends these again where a kept connection had ended."""
_PATIENCE = {"recount": RECOUNTING, "live": FOLLOWING}


class Proxy:
    """Passes requests on to one service and streams its answers back as they come."""

    def __init__(self, sessions: Sessions, name: str, base: str | None) -> None:
        self._sessions, self._name, self._base = sessions, name, base
        self._passing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        leaving: asyncio.Task[None] | None = None
        try:
            body = await read_body(receive, scope, BODY) if _has_body(scope["headers"]) else None
            asking = asyncio.create_task(self._ask(scope, body))
            leaving = asyncio.create_task(_left(receive))
            if scope["method"] in ("GET", "HEAD") and await _first(leaving, asking):
                asking.cancel()  # nobody waits for it any more, and closing tells the service
                return
            answer = await asking
        except Problem as problem:
            if leaving is not None:
                leaving.cancel()
            await send_problem(send, problem)
            return
        # Whoever leaves is not kept waiting for: closing tells the service too.
        passing = asyncio.create_task(_pass_back(answer, send))
        self._passing.add(passing)
        try:
            await asyncio.wait({leaving, passing}, return_when=asyncio.FIRST_COMPLETED)
            if passing.done() and not passing.cancelled():
                passing.result()
        finally:
            self._passing.discard(passing)
            leaving.cancel()
            passing.cancel()
            answer.close()

    def end_streams(self) -> None:
        """Ends the streams that are being passed back, which would block a stop for ever. Their readers reconnect."""
        for passing in self._passing:
            passing.cancel()

    async def _ask(self, scope: Any, body: bytes | None) -> aiohttp.ClientResponse:
        if self._base is None:
            raise Problem("unavailable", f"No {self._name} service is connected here.")
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        url = URL(self._base + (_raw_path(scope) + query).decode("latin-1"), encoded=True)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in _passed_on(scope["headers"])]
        headers.append(("X-Forwarded-Proto", origin_of(scope).partition(":")[0]))
        patience = _PATIENCE.get(scope["path"].rpartition("/")[2], PATIENCE)
        try:
            session = self._sessions.of(scope["method"])
            return await session.request(scope["method"], url, headers=headers, data=body, allow_redirects=False, timeout=patience)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            detail = f"The {self._name} service does not answer just now. Answers to surveys are still taken."
            raise Problem("unavailable", detail, retry_after=RETRY) from None


def _raw_path(scope: Any) -> bytes:
    return scope.get("raw_path") or str(scope["path"]).encode()


def _has_body(headers: Any) -> bool:
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers)


def _passed_on(headers: Any) -> list[tuple[bytes, bytes]]:
    """Headers without hop-by-hop ones (RFC 9110, 7.6.1) and those that identify the client. Length is set anew with the body."""
    named = {token.strip().lower() for name, value in headers if name.lower() == b"connection" for token in value.split(b",")}
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP | named | _KEPT_BACK]


async def _first(one: asyncio.Task[None], other: asyncio.Task[Any]) -> bool:
    """Whether `one` is done before `other`."""
    await asyncio.wait({one, other}, return_when=asyncio.FIRST_COMPLETED)
    return not other.done()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pass_back(answer: aiohttp.ClientResponse, send: Send) -> None:
    own = {token.strip().lower() for token in answer.headers.get("Connection", "").encode().split(b",")}
    headers = [(name.lower(), value) for name, value in answer.raw_headers if name.lower() not in _HOP_BY_HOP | own]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for part in answer.content.iter_any():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@dataclass(frozen=True)
class Sessions:
    """Two connection pools. A request that may be repeated reuses an idle connection; any other opens a new one.

    A service may close an idle connection at the same moment, and then it is unknown whether the request was carried out.
    """

    kept: aiohttp.ClientSession
    fresh: aiohttp.ClientSession

    def of(self, method: str) -> aiohttp.ClientSession:
        return self.kept if method in _IDEMPOTENT else self.fresh


@contextlib.asynccontextmanager
async def client_sessions() -> AsyncGenerator[Sessions]:
    """Answers pass as they are: not decompressed, without cookies kept. A stream may be silent for a while, not for ever."""
    async with _session(keepalive_timeout=KEPT) as keepalive, _session(force_close=True) as fresh:
        yield Sessions(keepalive, fresh)


def _session(**connections: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0, **connections),
        timeout=PATIENCE,
        read_bufsize=BUFFER,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )
