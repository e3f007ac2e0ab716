"""The rim towards HTTP that every service shares: serving, problems, security headers, bodies within bounds."""

from __future__ import annotations

import asyncio
import logging
import re
import resource
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.types import Message, Receive, Scope, Send

from proto.problem import Fault, Problem
from proto.registry import Registry
from proto.tokens import Token, TokenRole
from services.runtime.supervision import log_stray, stack_of
from services.runtime.watchdog import beat

log = logging.getLogger(__name__)

T = TypeVar("T")
AnyConnection = ASGIConnection[Any, Any, Any, Any]

PROBLEM_JSON = "application/problem+json"
CONNECTIONS = 12_000
"""Open at a time, where the system lets the process have as many files; others wait to be accepted. Proxies need two files for each."""
UNREAD = 20_000
"""Milliseconds after which the system ends a connection whose other end takes nothing of what was sent."""

NO_SNIFFING: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    **NO_SNIFFING,
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""For pages. JSON carries nosniff alone."""


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


def answer(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    return Response(problem.body(), status_code=problem.kind.status, media_type=PROBLEM_JSON, headers=problem.headers)


def answer_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals, in our form."""
    codes = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 406: "not-acceptable", 413: "too-large", 415: "media-type"}
    if isinstance(error, SerializationException):
        return answer(request, Problem("malformed-json"))
    if isinstance(error, ValidationException):
        extra: Any = error.extra if isinstance(error.extra, list) else []
        faults = tuple(Fault("/" + str(e.get("key", "")).replace(".", "/"), "wrong-type", str(e.get("message", ""))) for e in extra)
        return answer(request, Problem("request-refused", errors=faults))
    allow = (error.headers or {}).get("allow") or (error.headers or {}).get("Allow")
    return answer(request, Problem(codes.get(error.status_code, "internal" if error.status_code >= 500 else "bad-request"), allow=allow))


def answer_surprise(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours: the stack goes to the log, without the message, which may quote an answer."""
    log.error("surprised by %s", stack_of(error))
    return answer(request, Problem("internal"))


EXCEPTION_HANDLERS: dict[Any, Any] = {Problem: answer, HTTPException: answer_http, Exception: answer_surprise}
"""For Litestar's `exception_handlers`: every refusal is a problem, nothing shows a traceback."""


async def read_body(receive: Receive, scope: Scope, limit: int, seconds: float = 10.0) -> bytes:
    """The whole body. Raises Problem where it is larger than `limit` bytes or slower than `seconds`."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem("bad-request", "The connection ended before the body did.")
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise Problem("too-large", f"At most {limit} bytes are taken.")
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts) if len(parts) > 1 else part
    except TimeoutError:
        raise Problem("too-slow", retry_after=1) from None


async def json_body(request: Request[Any, Any, Any], kind: type[T], limit: int) -> T:
    """The JSON of a request as a value of this kind. Raises Problem, with the place of what does not fit.

    Handlers call it after they have asked who sends: nobody without a token learns what a body should look like.
    """
    return decoded(await json_text(request, limit), kind)


async def json_text(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The JSON text of a request. Raises Problem where it is something else, too large or too slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem("media-type")
    return await read_body(request.receive, request.scope, limit)


def decoded(body: bytes, kind: type[T]) -> T:
    """Raises Problem."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Problem("request-refused", errors=(fault_of(error),)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Problem("malformed-json") from None


def fault_of(error: msgspec.ValidationError) -> Fault:
    """What msgspec says, with its place as a JSON pointer."""
    message, _, place = str(error).partition(" - at `$")
    return Fault(_pointer(place.rstrip("`")), "wrong-shape", message.replace("`", "") + ".")


def _pointer(path: str) -> str:
    """msgspec's path (`.questions[3].text`) as a JSON pointer."""
    return re.sub(r"\[(\d+)\]|\[\.\.\.\]", lambda found: f"/{found.group(1) or '*'}", path).replace(".", "/")


def bearer(request: AnyConnection) -> str | None:
    """The secret in `Authorization: Bearer …`."""
    return secret_in(request.headers.get("authorization", ""))


def secret_in(authorization: str) -> str | None:
    """The secret in the value of this header; None where it has another scheme or none (RFC 6750, 2.1)."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def demand(request: AnyConnection, registry: Registry, role: TokenRole, survey: str | None, now: float) -> Token:
    """The token of the request. Raises Problem unless it has that role for that survey."""
    secret = bearer(request)
    if secret is None:
        raise Problem("token-missing")
    token = registry.opening(secret, role, survey, now)
    if token is None:
        raise Problem("token-refused")
    return token


def demand_some(request: AnyConnection, registry: Registry, now: float) -> Token:
    """An organiser's token, for whichever survey: asked for before a body is read that says which. Raises Problem."""
    secret = bearer(request)
    if secret is None:
        raise Problem("token-missing")
    token = registry.living(secret, now)
    if token is None or token.role != "organiser":
        raise Problem("token-refused")
    return token


async def send_problem(send: Send, problem: Problem) -> None:
    """A problem from plain ASGI, outside Litestar."""
    body = problem.body()
    headers = {"content-type": PROBLEM_JSON, "content-length": str(len(body))} | problem.headers
    start: Message = {
        "type": "http.response.start",
        "status": problem.kind.status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
