"""Whatever goes wrong, a client hears of it as a problem that tells nothing of what somebody answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, get
from litestar.params import FromQuery

from proto.problem import KINDS, Problem
from services.runtime.http.problems import EXCEPTION_HANDLERS, PROBLEM_JSON, refused, send_problem
from tests.log_lines import LogLines

PLANTED = "what somebody answered"


@get("/number")
async def number(n: FromQuery[int]) -> int:
    return n


@get("/broken")
async def broken() -> None:
    raise LookupError(PLANTED)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app: Any = Litestar([number, broken], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platea.test") as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("DELETE", "/number", 405, "method-not-allowed"),
        ("GET", "/number?n=x", 422, "request-refused"),
        ("GET", "/broken", 500, "internal"),
    ],
)
async def test_each_refusal_is_a_problem(
    client: httpx.AsyncClient, logged: LogLines, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON)
    assert (answer.json()["type"], answer.json()["status"]) == (f"/problems/{code}", status)
    assert (answer.headers.get("allow") is not None) is (status == 405)
    assert PLANTED not in answer.text + logged.text
    assert ("LookupError" in logged.text) is (code == "internal")


@pytest.mark.parametrize("code", KINDS)
async def test_a_problem_is_the_same_with_the_framework_and_without_it(code: str) -> None:
    problem = Problem(code, "A sentence.", retry_after=3, allow="GET", content_range="bytes */7", extra={"on": "2026-11-30"})
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await send_problem(send, problem)
    response = refused(problem)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert (sent[0]["status"], sent[1]["body"]) == (response.status_code, response.content)
    assert headers == {name.lower(): value for name, value in response.headers.items()} | {
        "content-type": PROBLEM_JSON,
        "content-length": str(len(response.content)),
    }
    assert (headers["retry-after"], headers["allow"], headers["content-range"]) == ("3", "GET", "bytes */7")
    assert msgspec.json.decode(response.content)["on"] == "2026-11-30"
