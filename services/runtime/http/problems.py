"""How a refusal travels: functions return or raise a Problem, and the rim sends it as RFC 9457 has it."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.types import Message, Send

from proto.problem import Fault, Problem
from services.runtime.error_details import stack_of

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
_CODES = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 406: "not-acceptable", 413: "too-large", 415: "media-type"}


def problem_of(error: Exception) -> Problem:
    """What a client is told of an error. A fault of ours is logged with its stack, without the message, which may quote an answer."""
    match error:
        case Problem():
            return error
        case SerializationException():
            return Problem("malformed-json")
        case ValidationException():
            extra: Any = error.extra if isinstance(error.extra, list) else []
            faults = tuple(Fault("/" + str(e.get("key", "")).replace(".", "/"), "wrong-type", str(e.get("message", ""))) for e in extra)
            return Problem("request-refused", errors=faults)
        case HTTPException():
            allow = (error.headers or {}).get("allow") or (error.headers or {}).get("Allow")
            return Problem(_CODES.get(error.status_code, "internal" if error.status_code >= 500 else "bad-request"), allow=allow)
        case _:
            log.error("a request failed", extra={"stack": stack_of(error)})
            return Problem("internal")


def refused(problem: Problem) -> Response[bytes]:
    return Response(problem.body(), status_code=problem.kind.status, media_type=PROBLEM_JSON, headers=problem.headers)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return refused(problem_of(error))


EXCEPTION_HANDLERS: dict[Any, Any] = dict.fromkeys((Problem, HTTPException, Exception), answer)
"""For Litestar's `exception_handlers`: every refusal is a problem, nothing shows a traceback."""


async def send_problem(send: Send, problem: Problem) -> None:
    """A problem from plain ASGI, outside Litestar."""
    body = problem.body()
    headers = {"content-type": PROBLEM_JSON, "content-length": str(len(body))} | problem.headers
    start: Message = {
        "type": "http.response.start",
        "status": problem.kind.status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
