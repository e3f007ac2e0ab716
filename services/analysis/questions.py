"""What gateways ask the worker over NATS: the exact view, any table, a recount."""

from __future__ import annotations

from typing import Any

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from proto import subjects
from proto.problem import KINDS, Fault, Problem

PATIENCE = 30.0
"""Seconds; a recount reads every response."""


class _Refusal(msgspec.Struct):
    """The members by which a problem is told from an answer; figures have none of them."""

    status: int | None = None
    type: str = ""
    detail: str = ""
    errors: tuple[Fault, ...] = ()


async def ask(client: Client, survey: str, question: dict[str, Any], patience: float = PATIENCE) -> bytes:
    """The worker's answer as JSON. Raises Problem: the worker's own, or `unavailable` where none answers."""
    try:
        reply = await client.request(subjects.query(survey), msgspec.json.encode(question), timeout=patience)
    except (TimeoutError, NatsError, OSError):
        raise Problem("unavailable", "The statistics are not being counted right now. Try again in a moment.", retry_after=5) from None
    found = msgspec.json.decode(reply.data, type=_Refusal)
    if found.status is not None:
        code = found.type.rpartition("/")[2]
        again = 2 if code == "unavailable" else None
        raise Problem(code if code in KINDS else "internal", found.detail, found.errors, retry_after=again)
    return reply.data
