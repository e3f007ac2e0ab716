"""What gateways ask the worker over NATS: the exact view, any table, a recount."""

from __future__ import annotations

from typing import Any

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.api import Header

from proto import subjects
from proto.problem import KINDS, Fault, Problem

SIGN = 5.0
"""Seconds between two signs (empty messages) of a worker that is still counting."""
PATIENCE = 4 * SIGN
"""Seconds without a sign after which no worker answers: one that was starting or was killed has lost the question, however long its
answer would have taken."""

_NOBODY = "503"


class _Refusal(msgspec.Struct):
    """The members by which a problem is told from an answer; figures have none of them."""

    status: int | None = None
    type: str = ""
    detail: str = ""
    errors: tuple[Fault, ...] = ()


async def ask(client: Client, survey: str, question: dict[str, Any]) -> bytes:
    """The worker's answer as JSON. Raises Problem: the worker's own, or `unavailable` where none answers."""
    try:
        reply = await hear(client, survey, question)
    except (TimeoutError, NatsError, OSError):
        raise Problem("unavailable", "The statistics are not being counted right now. Try again in a moment.", retry_after=5) from None
    found = msgspec.json.decode(reply, type=_Refusal)
    if found.status is not None:
        code = found.type.rpartition("/")[2]
        again = 2 if code == "unavailable" else None
        raise Problem(code if code in KINDS else "internal", found.detail, found.errors, retry_after=again)
    return reply


async def hear(client: Client, survey: str, question: dict[str, Any], patience: float = PATIENCE) -> bytes:
    """What the worker says, answer or problem. Raises TimeoutError where it gives no sign for this long, NatsError where there is none."""
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    try:
        await client.publish(subjects.query(survey), msgspec.json.encode(question), reply=inbox)
        while True:
            message = await subscription.next_msg(patience)
            if message.headers and message.headers.get(Header.STATUS) == _NOBODY:
                raise NoRespondersError
            if message.data:
                return message.data
    finally:
        if not client.is_closed:
            await subscription.unsubscribe()
