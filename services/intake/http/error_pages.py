"""Error responses: a page for browsers, a problem in JSON for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response

from services.intake.form.pages import compose
from services.intake.http.page_requests import html, language_of
from services.runtime import http_server
from services.runtime.http.responses import Req

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
"""The translation key of the page for each problem code; all other codes share "error"."""


def in_kind(handler: Callable[[Req, Any], Response[bytes]]) -> Callable[[Req, Any], Response[bytes]]:
    """Wraps an exception handler: a page for clients that accept HTML, its own JSON problem for all others."""

    def answer(request: Req, error: Any) -> Response[bytes]:
        response = handler(request, error)
        if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/api/"):
            return response
        problem: dict[str, Any] = msgspec.json.decode(response.content)
        key = KEYS.get(problem["type"].rpartition("/")[2], "error")
        language = language_of(request)
        detail = problem.get("detail", "") if key == "error" else ""
        lead = key in ("not_found", "closed", "error", "withdrawn", "too_many")
        kept = {name: value for name, value in response.headers.items() if name.lower() in ("retry-after", "allow")}
        return html(compose.message(language, key, lead=lead, detail=detail), language, response.status_code or 500, kept)

    return answer


EXCEPTION_HANDLERS: dict[Any, Any] = {kind: in_kind(handler) for kind, handler in http_server.EXCEPTION_HANDLERS.items()}
"""Replaces that of `services.runtime.http_server` where pages are served."""
