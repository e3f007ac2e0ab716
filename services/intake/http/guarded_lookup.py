"""Looks up a receipt or an invitation code, slower for addresses that guess. A right one always works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.flood.keyed_lock import QueueFull
from services.runtime.http.client_address import address_of
from services.runtime.http.responses import AnyRequest

T = TypeVar("T")

PAUSE = 60
"""Seconds after which half of an address's allowed failures are available again."""


async def attempt(intake: Intake, request: AnyRequest, ask: Callable[[], Awaitable[T | Problem]]) -> T | Problem:
    """Returns what `ask` returns, or "too-many-requests". Only unknown receipts and codes count as failures; typing mistakes do not."""
    address = client_address(intake, request)
    if not intake.guess_limiter.blocked(address, intake.clock()):
        return _count_failure(intake, address, await ask())
    try:
        async with intake.lookup_lock.hold(address):
            outcome = _count_failure(intake, address, await ask())
    except QueueFull:
        return _too_many()
    return _too_many() if _is_unknown(outcome) else outcome


def client_address(intake: Intake, request: AnyRequest) -> str:
    """The address that failures are counted by; behind our proxies it is the one they name."""
    peer = request.client.host if request.client else ""
    return address_of(peer, request.headers.getall("x-forwarded-for", []), intake.guess_limiter.proxies)


def _count_failure(intake: Intake, address: str, outcome: T | Problem) -> T | Problem:
    if _is_unknown(outcome):
        intake.guess_limiter.record_failure(address, intake.clock())
    return outcome


def _is_unknown(outcome: object) -> bool:
    return isinstance(outcome, Problem) and outcome.code in ("receipt-unknown", "invitation-unknown")


def _too_many() -> Problem:
    return Problem("too-many-requests", "Too many receipts or codes from here were unknown.", retry_after=PAUSE)
