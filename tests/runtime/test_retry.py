"""A call is repeated while a server is out of reach: with growing pauses, one line when that begins and one when it ends."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import asyncpg
import pytest
from stamina.instrumentation import get_on_retry_hooks

from services.runtime.outages import Outages
from services.runtime.retry import retry
from tests.log_lines import LogLines

SECRET = "what somebody answered"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which take no time."""
    taken: list[float] = []

    async def pause(seconds: float, result: Any = None) -> Any:
        taken.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", pause)
    return taken


def failing(times: int, error: Exception) -> Callable[[], Awaitable[int]]:
    """Fails so many times, then returns how often it was called."""
    calls = 0

    async def call() -> int:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise error
        return calls

    return call


async def test_an_outage_of_many_attempts_is_two_lines_and_quotes_nothing(pauses: list[float], logged: LogLines) -> None:
    outages = Outages(logging.getLogger("services.test"), "connecting")
    assert await retry(failing(1500, ConnectionRefusedError(SECRET)), outages, first=0.1, longest=2.0) == 1501
    told = [(line["level"], line["event"]) for line in logged.lines if line["logger"] != "asyncio"]
    assert told == [("warning", "no answer; trying again until there is one"), ("info", "works again")]
    assert SECRET not in logged.text


async def test_stamina_itself_logs_nothing(pauses: list[float], logged: LogLines) -> None:
    """Its hooks would log the exception with its message."""
    assert await retry(failing(3, OSError(SECRET))) == 4
    assert get_on_retry_hooks() == ()
    assert SECRET not in logged.text


async def test_pauses_double_up_to_the_longest_and_two_clients_differ(pauses: list[float]) -> None:
    random.seed(1)
    await retry(failing(9, OSError()), first=0.1, longest=2.0)
    mine = pauses[:]
    assert len(mine) == 9
    assert all(0.1 * 2**number <= pause <= 0.1 * 2**number + 0.1 for number, pause in enumerate(mine[:4]))
    assert all(one <= other for one, other in pairwise(mine[3:]))
    assert mine[-1] == 2.0
    pauses.clear()
    await retry(failing(9, OSError()), first=0.1, longest=2.0)
    assert pauses[:4] != mine[:4]


@pytest.mark.parametrize("error", [KeyError(SECRET), asyncpg.InternalClientError(SECRET)])
async def test_a_fault_is_not_repeated(error: Exception, pauses: list[float]) -> None:
    with pytest.raises(type(error)):
        await retry(failing(1, error))
    assert not pauses


async def test_after_its_time_the_last_error_is_raised() -> None:
    with pytest.raises(ConnectionResetError):
        await retry(failing(10**9, ConnectionResetError()), first=0.01, longest=0.02, seconds=0.2)


async def test_who_calls_may_say_how_long_the_pause_is(pauses: list[float]) -> None:
    assert await retry(failing(2, ValueError()), on=lambda error: 7.0 if isinstance(error, ValueError) else False) == 3
    assert pauses == [7.0, 7.0]
