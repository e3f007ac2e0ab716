"""An intake leaves a message server that is frozen or cut off, but stays where staying is all it can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import nats.errors
import pytest

from services.intake.streams import stalled_server
from services.intake.streams.stalled_server import StalledServerWatch


@dataclass
class Connection:
    servers: list[str] = field(default_factory=lambda: ["a", "b", "c"])
    is_connected: bool = True
    frozen: bool = False
    left: int = 0

    async def flush(self, seconds: int) -> None:
        if self.frozen:
            raise nats.errors.FlushTimeoutError

    async def force_reconnect(self) -> None:
        self.left += 1
        self.frozen = False


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    yield Connection()
    await asyncio.sleep(0)


def of(connection: Connection) -> StalledServerWatch:
    return StalledServerWatch(connection)  # pyright: ignore[reportArgumentType]


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_server_that_gives_no_sign_of_life_is_left(connection: Connection) -> None:
    felt = of(connection)
    felt.doubt()
    await settled()
    assert connection.left == 0, "it only took long"
    connection.frozen = True
    for _ in range(3):
        felt.doubt()
    await settled()
    assert connection.left == 1


async def test_a_living_server_behind_which_nobody_answers_is_left_after_a_while_and_not_again_at_once(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled_server, "SILENT", 0.1)
    felt = of(connection)
    felt.unanswered()
    await asyncio.sleep(0.15)
    felt.answered()
    felt.unanswered()
    await settled()
    assert connection.left == 0, "there was an answer in between"
    await asyncio.sleep(0.15)
    felt.unanswered()
    await settled()
    assert connection.left == 1
    for _ in range(2):
        felt.unanswered()
        await asyncio.sleep(0.15)
    assert connection.left == 1, "the next one gets its time"


async def test_where_there_is_one_server_it_is_waited_for(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalled_server, "SILENT", 0.0)
    connection.servers, connection.frozen = ["a"], True
    felt = of(connection)
    felt.doubt()
    for _ in range(3):
        felt.unanswered()
        await asyncio.sleep(0.01)
    assert connection.left == 0


async def test_a_moment_without_a_connection_is_waited_out(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.is_connected = False
    waiting = asyncio.create_task(of(connection).connected())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    connection.is_connected = True
    assert await waiting
    monkeypatch.setattr(stalled_server, "MOVING", 0.05)
    connection.is_connected = False
    assert not await of(connection).connected()
