"""Compresses the pages of an app for clients that take it.

What is compressed together with a secret may tell the secret by its length (BREACH): to whoever can put text of their own beside it, over
and over, and sees how long each answer is. No page of ours lets anybody do the first (ADR 54). Each page is longer by a random number of
bytes besides, so that one length says less of what is in it (R. Palacios and others, "HTB", IEEE Access 10, 2022; Django does so, too).
"""

from __future__ import annotations

import secrets
import struct
import zlib
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.http.encoded_body import WORTH, takes_gzip

LEVEL = 3
"""A fifth of the bytes for a quarter of a millisecond; the usual level 6 saves a tenth more for twice the time."""
PADDING = 100
"""Most bytes that are added."""
_WITH_NAME = 0x08
_OTHERWISE = frozenset({b"content-encoding", b"accept-ranges", b"etag"})
"""Headers of HTML that is encoded already, or is a file whose bytes are promised."""


def compressing_pages(app: ASGIApp) -> ASGIApp:
    """`app`, with its HTML compressed. What comes in parts is passed on as it is."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        accepted = [str(value, "latin-1") for name, value in scope["headers"] if name == b"accept-encoding"]
        begun: list[Any] = []

        async def passing(message: Message) -> None:
            event: Any = message
            if event["type"] == "http.response.start" and _is_page(event["headers"]):
                begun.append(event)
                return
            if begun and event["type"] == "http.response.body":
                start, more = begun.pop(), [(b"vary", b"Accept-Encoding")]
                if len(event["body"]) >= WORTH and not event.get("more_body") and takes_gzip(accepted):
                    event = {**event, "body": zipped(event["body"], secrets.randbelow(PADDING + 1))}
                    more += [(b"content-encoding", b"gzip"), (b"content-length", str(len(event["body"])).encode())]
                replaced = {name for name, _ in more} - {b"vary"}  # a list may stand in several lines (RFC 9110, 5.3)
                headers = [line for line in start["headers"] if line[0].lower() not in replaced]
                await send({**start, "headers": [*headers, *more]})  # pyright: ignore[reportArgumentType]
            await send(event)

        await app(scope, receive, passing)

    return dispatch


def zipped(body: bytes, padding: int) -> bytes:
    """The body as a gzip file whose name has `padding` characters (RFC 1952, 2.3); readers pass over it."""
    squeezed = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = squeezed.compress(body) + squeezed.flush()
    head = b"\x1f\x8b\x08" + struct.pack("<BIBB", _WITH_NAME, 0, 0, 255) + b"-" * padding + b"\0"
    return head + data + struct.pack("<II", zlib.crc32(body), len(body) & 0xFFFFFFFF)


def _is_page(headers: Any) -> bool:
    named = {name.lower(): value for name, value in headers}
    return named.get(b"content-type", b"").startswith(b"text/html") and _OTHERWISE.isdisjoint(named)
