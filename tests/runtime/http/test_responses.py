"""What all routes do with the conditions and the encodings that clients name."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get

from proto.problem import Problem
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.problems import EXCEPTION_HANDLERS
from services.runtime.http.responses import AnyRequest, cacheable, or_raise

BODY = Encoded.of(b'"' + b"figures " * 400 + b'"')


@get("/body")
async def body(request: AnyRequest) -> Response[bytes]:
    return cacheable(request, BODY, {"Cache-Control": "no-cache", "Vary": "Accept-Language"})


@get("/refused")
async def refused() -> Response[bytes]:
    outcome: Response[bytes] | Problem = Problem("withdrawn")
    return or_raise(outcome)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    handlers: list[Any] = [body, refused]
    app: Any = Litestar(handlers, exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://platea.test") as opened:
        yield opened


@pytest.mark.parametrize("condition", [["*"], [BODY.tag], [BODY.tag.removeprefix("W/")], ['"a"', BODY.tag]])
async def test_what_the_client_has_is_not_sent_again(client: httpx.AsyncClient, condition: list[str]) -> None:
    answer = await client.get("/body", headers=[("If-None-Match", line) for line in condition])
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", BODY.tag)
    assert answer.headers["vary"] == "Accept-Language, Accept-Encoding"


async def test_who_takes_gzip_gets_gzip_and_caches_know_why(client: httpx.AsyncClient) -> None:
    for lines, zipped in ((["br", "gzip"], True), (["gzip;q=0"], False)):
        async with client.stream("GET", "/body", headers=[("Accept-Encoding", line) for line in lines]) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        assert (answer.headers.get("content-encoding") == "gzip") is zipped
        assert (gzip.decompress(raw) if zipped else raw) == BODY.plain
        assert (answer.headers["etag"], answer.headers["vary"]) == (BODY.tag, "Accept-Language, Accept-Encoding")
        assert answer.headers["content-length"] == str(len(raw))


async def test_a_refusal_that_a_function_returned_is_told_as_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/refused")
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/withdrawn")
