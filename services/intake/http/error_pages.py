"""Refusals in the form that whoever asked can read: a page for people, a problem in JSON for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response

from services.intake.form.pages import compose
from services.intake.http.http_responses import Req
from services.intake.http.page_requests import html, language_of
from services.runtime import http_server

KEYS = {
    "not-found": "not_found",
    "survey-unknown": "not_found",
    "survey-closed": "closed",
    "withdrawn": "withdrawn",
    "internal": "server",
    "unavailable": "unavailable",
    "busy": "unavailable",
    "too-many-requests": "too_many",
}
"""Refusals with a page of their own; all others share one."""


def in_kind(handler: Callable[[Req, Any], Response[bytes]]) -> Callable[[Req, Any], Response[bytes]]:
    """The same refusal: a page for whoever accepts HTML, a problem in JSON for everybody else."""

    def answer(request: Req, error: Any) -> Response[bytes]:
        plain = handler(request, error)
        if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/api/"):
            return plain
        told: dict[str, Any] = msgspec.json.decode(plain.content)
        key = KEYS.get(told["type"].rpartition("/")[2], "error")
        language = language_of(request)
        detail = told.get("detail", "") if key == "error" else ""
        lead = key in ("not_found", "closed", "error", "withdrawn", "too_many")
        kept = {name: value for name, value in plain.headers.items() if name.lower() in ("retry-after", "allow")}
        return html(compose.message(language, key, lead=lead, detail=detail), language, plain.status_code or 500, kept)

    return answer


EXCEPTION_HANDLERS: dict[Any, Any] = {kind: in_kind(handler) for kind, handler in http_server.EXCEPTION_HANDLERS.items()}
"""In place of `services.runtime.http_server`'s where pages are served."""
