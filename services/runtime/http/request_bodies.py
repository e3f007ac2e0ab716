"""Reads the bodies of requests: bounded in bytes and seconds, as JSON of a known kind."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar

import msgspec
from litestar.types import Receive, Scope

from proto.problem import Fault, Problem
from services.runtime.http.responses import AnyRequest

T = TypeVar("T")


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


async def json_body(request: AnyRequest, kind: type[T], limit: int) -> T:
    """The JSON of a request as a value of this kind. Raises Problem, with the place of what does not fit.

    Handlers call it after they have asked who sends: nobody without a token learns what a body should look like.
    """
    return decoded(await json_text(request, limit), kind)


async def json_text(request: AnyRequest, limit: int) -> bytes:
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
