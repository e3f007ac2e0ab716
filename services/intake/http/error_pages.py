"""Error responses: a page for browsers, a problem in JSON for programs."""

from __future__ import annotations

from typing import Any

from litestar import Response

from services.intake.form.pages import compose
from services.intake.http.page_requests import html, language_of
from services.runtime.http import problems
from services.runtime.http.problems import problem_of, refused
from services.runtime.http.responses import AnyRequest

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


def answer(request: AnyRequest, error: Exception) -> Response[bytes]:
    """A page for clients that accept HTML, a problem in JSON for all others, and for the API."""
    problem = problem_of(error)
    if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/api/"):
        return refused(problem)
    key, language = KEYS.get(problem.code, "error"), language_of(request)
    detail = problem.detail if key == "error" else ""
    lead = key in ("not_found", "closed", "error", "withdrawn", "too_many")
    return html(compose.message(language, key, lead=lead, detail=detail), language, problem.kind.status, problem.headers)


EXCEPTION_HANDLERS: dict[Any, Any] = dict.fromkeys(problems.EXCEPTION_HANDLERS, answer)
"""Replaces that of `services.runtime.http.problems` where pages are served."""
