"""Looking up a receipt or an invitation code for somebody who may be guessing: what is wrong is counted, what is right always works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.flood.keyed_lock import QueueFull
from services.intake.http.http_responses import Req
from services.runtime.client_address import address_of

T = TypeVar("T")

PAUSE = 60
"""Seconds after which half of what an address may miss at once is there again."""


async def attempt(intake: Intake, request: Req, ask: Callable[[], Awaitable[T | Problem]]) -> T | Problem:
    """What `ask` finds. A typing mistake that shows by itself is nobody's attempt at guessing."""
    address = client_address(intake, request)
    if not intake.guess_limiter.blocked(address, intake.clock()):
        return _counted(intake, address, await ask())
    try:
        async with intake.lookup_lock.hold(address):
            outcome = _counted(intake, address, await ask())
    except QueueFull:
        return _too_many()
    return _too_many() if _missed(outcome) else outcome


def client_address(intake: Intake, request: Req) -> str:
    """The address that failures are counted by; behind our proxies it is the one they name."""
    peer = request.client.host if request.client else ""
    return address_of(peer, request.headers.getall("x-forwarded-for", []), intake.guess_limiter.proxies)


def _counted(intake: Intake, address: str, outcome: T | Problem) -> T | Problem:
    if _missed(outcome):
        intake.guess_limiter.record_failure(address, intake.clock())
    return outcome


def _missed(outcome: object) -> bool:
    return isinstance(outcome, Problem) and outcome.code in ("receipt-unknown", "invitation-unknown")


def _too_many() -> Problem:
    return Problem("too-many-requests", "Too many receipts or codes from here were unknown.", retry_after=PAUSE)
