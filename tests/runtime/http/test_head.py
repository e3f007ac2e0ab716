"""HEAD answers as GET does, at once and without a body, whatever the body would have been."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.runtime.http.head import answering_head


async def asked(app: Any, method: str = "HEAD", headers: tuple[tuple[bytes, bytes], ...] = ()) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async with asyncio.timeout(30):
        await answering_head(app)({"type": "http", "method": method, "headers": headers}, receive, send)  # type: ignore[arg-type]
    return sent


async def test_an_endless_answer_is_ended_after_its_headers() -> None:
    methods, stopped = list[str](), list[bool]()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        methods.append(scope["method"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"again", "more_body": True})
                await asyncio.sleep(0)
        finally:
            stopped.append(True)

    start, body = await asked(stream)
    assert (start["status"], start["headers"]) == (200, [(b"content-length", b"7")])
    assert (body["body"], body["more_body"]) == (b"", False)
    assert (methods, stopped) == (["GET"], [True])


async def test_head_tells_of_the_whole_whatever_range_is_asked_for() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(scope["headers"])})

    lines = ((b"range", b"bytes=0-1"), (b"if-range", b'"7"'), (b"if-none-match", b'"7"'))
    assert (await asked(echo, headers=lines))[0]["headers"] == [(b"if-none-match", b'"7"')]


async def test_an_app_that_breaks_before_it_answers_breaks_here_too() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await asked(broken)


async def test_other_methods_pass_as_they_are() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await send({"method": scope["method"]})

    assert await asked(echo, "POST") == [{"method": "POST"}]
