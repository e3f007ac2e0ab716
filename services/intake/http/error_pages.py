"""Error responses: a page for browsers, a problem in JSON for programs."""

from __future__ import annotations

from typing import Any

from litestar import Response

from proto.problem import Problem
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
LEADS = frozenset({"not_found", "closed", "error", "withdrawn", "too_many", "pdf"})
"""The pages that say more than their title."""


def answer(request: AnyRequest, error: Exception) -> Response[bytes]:
    """A page for clients that accept HTML, a problem in JSON for all others, and for the API."""
    problem = problem_of(error)
    return answer_as(request, problem, KEYS.get(problem.code, "error"))


def answer_as(request: AnyRequest, problem: Problem, key: str) -> Response[bytes]:
    """The same with the page of a translation key of its own."""
    if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/api/"):
        return refused(problem)
    language = language_of(request)
    detail = problem.detail if key == "error" else ""
    return html(compose.message(language, key, lead=key in LEADS, detail=detail), language, problem.kind.status, problem.headers)


EXCEPTION_HANDLERS: dict[Any, Any] = dict.fromkeys(problems.EXCEPTION_HANDLERS, answer)
"""Replaces that of `services.runtime.http.problems` where pages are served."""
