"""A body is read up to its bounds, and a fault in it is named by its place."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.problem import Problem
from services.runtime.http.request_bodies import decoded, read_body


class Order(msgspec.Struct, forbid_unknown_fields=True):
    profile: str
    parts: list[Annotated[int, msgspec.Meta(ge=1)]] = []


def sender(parts: list[bytes]) -> Any:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts] + [{"type": "http.request", "body": b""}]

    async def receive() -> Any:
        return messages.pop(0)

    return receive


def read(parts: list[bytes], limit: int) -> bytes | str:
    scope: Any = {"type": "http"}
    try:
        return asyncio.run(read_body(sender(parts), scope, limit))
    except Problem as problem:
        return problem.code


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(0, 60))
def test_a_body_is_what_was_sent_or_too_large(parts: list[bytes], limit: int) -> None:
    whole = b"".join(parts)
    assert read(parts, limit) == (whole if len(whole) <= limit else "too-large")


async def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    async def silent() -> Any:
        await asyncio.Event().wait()

    scope: Any = {"type": "http"}
    with pytest.raises(Problem) as refused:
        await read_body(silent, scope, 10, 0.01)
    assert (refused.value.code, refused.value.retry_after) == ("too-slow", 1)


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        (b"", "malformed-json", []),
        (b"{", "malformed-json", []),
        (b'{"profile": "\xff"}', "malformed-json", []),
        (b"[" * 100_000, "request-refused", [""]),
        (b"3", "request-refused", [""]),
        (b'{"profile": 3}', "request-refused", ["/profile"]),
        (b'{"profile": "public", "parts": [1, 0]}', "request-refused", ["/parts/1"]),
        (b'{"profil": "public"}', "request-refused", [""]),
    ],
)
def test_a_fault_is_named_by_its_place(body: bytes, code: str, pointers: list[str]) -> None:
    with pytest.raises(Problem) as refused:
        decoded(body, Order)
    assert (refused.value.code, [fault.pointer for fault in refused.value.errors]) == (code, pointers)
    assert not any("`" in fault.detail for fault in refused.value.errors)


def test_json_of_the_right_kind_is_that_value() -> None:
    assert decoded(b'{"profile": "public", "parts": [1]}', Order) == Order("public", [1])
