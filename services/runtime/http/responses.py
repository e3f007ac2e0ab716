"""Responses that several routes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

from proto.problem import Problem
from services.runtime.http import conditional
from services.runtime.http.encoded_body import Encoded, takes_gzip
from services.runtime.http.security_headers import SECURITY_HEADERS

AnyRequest = Request[Any, Any, Any]
T = TypeVar("T")
REVALIDATED = {"Cache-Control": "no-cache"}
"""Caches may keep the response, and ask each time whether it still holds."""


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json", headers=headers or {})


def private(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A JSON response that no cache may store."""
    return json(value, status, (headers or {}) | {"Cache-Control": "no-store"})


def page_headers(language: str) -> dict[str, str]:
    """Of a page in this language, which others may be offered in theirs."""
    return {**SECURITY_HEADERS, **REVALIDATED, "Content-Language": language, "Vary": "Accept-Language"}


def html(body: bytes, language: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(body, status_code=status, media_type="text/html", headers={**page_headers(language), **(headers or {})})


def field_lines(request: AnyRequest, name: str) -> list[str]:
    """Every line of a header; a list may stand in several (RFC 9110, 5.3)."""
    return request.headers.getall(name, [])


def unchanged(request: AnyRequest, headers: Mapping[str, str]) -> Response[bytes] | None:
    """304 with these headers where the client has what their ETag names, else None."""
    if conditional.not_modified(field_lines(request, "if-none-match"), headers["ETag"]):
        return Response(b"", status_code=304, headers=dict(headers))
    return None


def cacheable(request: AnyRequest, body: Encoded, headers: Mapping[str, str] = REVALIDATED) -> Response[bytes]:
    """The body with its ETag and these headers, compressed where that saves bytes and the client takes it; 304 where the client has it."""
    sent = {**headers, "ETag": body.tag, "Vary": ", ".join(filter(None, (headers.get("Vary"), "Accept-Encoding")))}
    if (same := unchanged(request, sent)) is not None:
        return same
    if body.is_worth_zipping and takes_gzip(field_lines(request, "accept-encoding")):
        return Response(body.zipped, media_type=body.media_type, headers=sent | {"Content-Encoding": "gzip"})
    return Response(body.plain, media_type=body.media_type, headers=sent)


def or_raise(outcome: T | Problem) -> T:
    """Returns the outcome, or raises it where it is a Problem: functions return refusals, routes raise them."""
    if isinstance(outcome, Problem):
        raise outcome
    return outcome
