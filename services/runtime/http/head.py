"""HEAD: what GET would answer, without its body (RFC 9110, 9.3.2), for every app of every service."""

from __future__ import annotations

import asyncio

from litestar.types import ASGIApp, Message, Receive, Scope, Send


def answering_head(app: ASGIApp) -> ASGIApp:
    """`app`, which need not know of HEAD. It is stopped once its headers are there: a body may be a gigabyte, or never end.

    A range is asked for with GET alone (RFC 9110, 14.2), so HEAD tells of the whole.
    """

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return
        begun = asyncio.Event()

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.start" and not begun.is_set():
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                begun.set()

        scope["method"] = "GET"
        scope["headers"] = [line for line in scope["headers"] if line[0] not in (b"range", b"if-range")]
        asked, told = asyncio.create_task(app(scope, receive, without_body)), asyncio.create_task(begun.wait())  # pyright: ignore[reportArgumentType]
        try:
            await asyncio.wait((asked, told), return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                await asked  # raises what the app raised before it answered
        finally:
            asked.cancel()
            told.cancel()
            await asyncio.gather(asked, told, return_exceptions=True)

    return dispatch
