"""Client for the worker's answers over NATS: the exact view, tables, recounts, parked events."""

from __future__ import annotations

from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js.api import Header

from proto import subjects
from proto.problem import KINDS, Fault, Problem
from services.runtime.outage_kind import Unavailable
from services.runtime.retry import retry

SIGN = 5.0
"""Seconds between two empty messages of a worker that is still computing its answer."""
PATIENCE = 4 * SIGN
"""Seconds without any message after which no worker will answer: a worker that was killed has lost the question."""
STARTING = 5.0
"""Seconds for which a question is sent again while no worker listens. A worker starts within two or three."""

_NOBODY = "503"


class _Refusal(msgspec.Struct):
    """The members of a problem. An answer has none of them."""

    status: int | None = None
    type: str = ""
    detail: str = ""
    errors: tuple[Fault, ...] = ()


async def ask(client: Client, survey: str, question: dict[str, Any]) -> bytes:
    """Returns the worker's answer as JSON. Raises Problem: the worker's own, or `unavailable` where none answers."""
    try:
        reply = await hear(client, survey, question)
    except Unavailable:
        raise Problem("unavailable", "The statistics are not being counted right now. Try again in a moment.", retry_after=5) from None
    refusal = msgspec.json.decode(reply, type=_Refusal)
    if refusal.status is not None:
        code = refusal.type.rpartition("/")[2]
        again = 2 if code == "unavailable" else None
        raise Problem(code if code in KINDS else "internal", refusal.detail, refusal.errors, retry_after=again)
    return reply


async def hear(client: Client, survey: str, question: dict[str, Any], patience: float = PATIENCE, starting: float = STARTING) -> bytes:
    """Returns the worker's answer or problem. Raises TimeoutError after `patience` seconds of silence.

    Where no worker listens, as while it starts, the question is sent again for `starting` seconds; then NoRespondersError.
    """
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)

    async def first_message() -> Msg:
        await client.publish(subjects.query(survey), msgspec.json.encode(question), reply=inbox)
        message = await subscription.next_msg(patience)
        if message.headers and message.headers.get(Header.STATUS) == _NOBODY:
            raise NoRespondersError
        return message

    try:
        message = await retry(first_message, on=NoRespondersError, first=0.1, longest=0.5, seconds=starting)
        while not message.data:
            message = await subscription.next_msg(patience)
        return message.data
    finally:
        if not client.is_closed:
            await subscription.unsubscribe()
