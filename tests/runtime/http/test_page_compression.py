"""Pages go compressed to whoever takes that, come out as they were, and say little by their length."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.http.encoded_body import WORTH
from services.runtime.http.page_compression import PADDING, compressing_pages, zipped

PAGE = b"<!doctype html><p>" + b"Where is it safe? " * 200
HTML = (b"content-type", b"text/html; charset=utf-8")


async def answer(body: bytes, *headers: tuple[bytes, bytes], accepted: bytes = b"gzip, br", parts: int = 1) -> tuple[list[Any], bytes]:
    """The headers and the body that a client gets of an app that answers with these."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        lines = [*headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        for part in range(parts):
            await send({"type": "http.response.body", "body": body if part == 0 else b"", "more_body": part < parts - 1})

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"type": "http", "headers": [(b"accept-encoding", accepted)]}
    await compressing_pages(app)(scope, None, send)  # type: ignore[arg-type]
    return sent[0]["headers"], b"".join(message["body"] for message in sent[1:])


@given(st.binary(max_size=5000), st.integers(0, PADDING))
def test_a_page_comes_out_as_it_went_in(body: bytes, padding: int) -> None:
    assert gzip.decompress(zipped(body, padding)) == body
    assert len(zipped(body, padding)) == len(zipped(body, 0)) + padding


async def test_a_page_is_compressed_and_says_so() -> None:
    headers, body = await answer(PAGE, HTML, (b"vary", b"Accept-Language"))
    assert gzip.decompress(body) == PAGE
    assert len(body) < len(PAGE) / 5
    assert [value for name, value in headers if name == b"content-length"] == [str(len(body)).encode()]
    assert [value for name, value in headers if name == b"content-encoding"] == [b"gzip"]
    assert [value for name, value in headers if name == b"vary"] == [b"Accept-Language", b"Accept-Encoding"]


async def test_the_same_page_has_many_lengths() -> None:
    lengths = {len((await answer(PAGE, HTML))[1]) for _ in range(200)}
    assert len(lengths) > 50
    assert max(lengths) - min(lengths) <= PADDING


@pytest.mark.parametrize(
    ("body", "headers", "accepted", "parts"),
    [
        (PAGE, (HTML,), b"br, gzip;q=0", 1),
        (PAGE[: WORTH - 1], (HTML,), b"gzip", 1),
        (PAGE, (HTML,), b"gzip", 2),
        (PAGE, ((b"content-type", b"application/json"),), b"gzip", 1),
        (PAGE, (HTML, (b"content-encoding", b"gzip")), b"gzip", 1),
        (PAGE, (HTML, (b"etag", b'"1"'), (b"accept-ranges", b"bytes")), b"gzip", 1),
    ],
    ids=["not taken", "small", "in parts", "no page", "encoded already", "a file"],
)
async def test_everything_else_goes_as_it_is(body: bytes, headers: tuple[tuple[bytes, bytes], ...], accepted: bytes, parts: int) -> None:
    told, got = await answer(body, *headers, accepted=accepted, parts=parts)
    assert got == body
    assert dict(told)[b"content-length"] == str(len(body)).encode()
    assert dict(told).get(b"content-encoding") == dict(headers).get(b"content-encoding")
