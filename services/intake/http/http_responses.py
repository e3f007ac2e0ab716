"""Responses that several routes share."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import HttpMethod, Request, Response, route
from litestar.handlers import HTTPRouteHandler

from proto.problem import Problem

Req = Request[Any, Any, Any]
T = TypeVar("T")


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json", headers=headers or {})


def private(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A JSON response that no cache may store."""
    return json(value, status, (headers or {}) | {"Cache-Control": "no-store"})


def cached(request: Req, body: bytes, etag: str) -> Response[bytes]:
    """A JSON body with its ETag, or 304 where the client has it."""
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    client_etags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in client_etags or "*" in client_etags:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def raised(outcome: T | Problem) -> T:
    """Returns the outcome, or raises it where it is a Problem."""
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


def options(path: str, *methods: str) -> HTTPRouteHandler:
    """An OPTIONS handler for a path with several handlers; list it before them. The framework's own lists the methods of one handler."""

    @route(path, http_method=HttpMethod.OPTIONS, status_code=204)
    async def handler() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": ", ".join((*methods, "OPTIONS"))})

    return handler
