"""HEAD: what GET would answer, without its body (RFC 9110, 9.3.2)."""

from __future__ import annotations

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

MARK = "platea.head"


def asked(scope: Scope) -> bool:
    """Whether somebody wants the headers alone, of what would otherwise never end."""
    return MARK in (scope.get("extensions") or {})


def answering(app: ASGIApp) -> ASGIApp:
    """`app`, which need not know of HEAD."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        scope["method"] = "GET"
        scope["extensions"] = {**(scope.get("extensions") or {}), MARK: {}}
        await app(scope, receive, without_body)

    return dispatch
