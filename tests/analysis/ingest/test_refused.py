"""What a server refuses for good is told at once and loudly, and told once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from services.analysis import store
from services.analysis.publish import publisher, responder
from tests.analysis.conftest import SURVEY, Pen, Service, ask, submitted, until


class Told(logging.Handler):
    """What the service says. It sets up logging anew when it starts, so this listens where that does not reach."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelname, record.getMessage()))

    def __call__(self, words: str) -> list[str]:
        return [level for level, line in self.lines if words in line]


@pytest.fixture
def told() -> Iterator[Told]:
    heard, logs = Told(), [logging.getLogger(name) for name in ("services", "proto")]
    for each in logs:
        each.addHandler(heard)
        each.setLevel(logging.INFO)
    yield heard
    for each in logs:
        each.removeHandler(heard)
        each.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("error", "for_good"),
    [
        (asyncpg.InsufficientPrivilegeError(), True),
        (asyncpg.UndefinedTableError(), True),
        (asyncpg.InvalidPasswordError(), True),
        (asyncpg.AdminShutdownError(), False),
        (asyncpg.CannotConnectNowError(), False),
        (asyncpg.DiskFullError(), False),
        (asyncpg.DeadlockDetectedError(), False),
        (asyncpg.InterfaceError("connection is closed"), False),
        (ConnectionRefusedError(), False),
    ],
)
def test_a_database_that_is_away_is_told_from_one_that_refuses(error: Exception, for_good: bool) -> None:
    assert store.refused(error) is for_good
    assert isinstance(error, store.Unavailable)


async def test_a_right_that_was_taken_away_is_told_once_and_so_is_its_return(pen: Pen, service: Service, database: Any, told: Told) -> None:
    await database.execute("revoke insert, update on checkpoints from platea_analysis")
    words = f"writing checkpoints of {SURVEY}: "
    async with service.running(checkpoint=0.1) as analysis:
        await pen.write(*(submitted(number) for number in range(30)))
        await until(lambda: analysis.totals.own(SURVEY) == 30)
        await until(lambda: told(words))
        await pen.write(*(submitted(number) for number in range(30, 40)))
        await until(lambda: analysis.totals.own(SURVEY) == 40)
        assert told(words) == ["ERROR"]
        await database.execute("grant insert, update on checkpoints to platea_analysis")
        await until(lambda: told(words) == ["ERROR", "INFO"])
        assert told("InsufficientPrivilegeError 42501") == ["ERROR"]


async def test_figures_larger_than_a_message_are_told_and_whoever_asked_hears_it_at_once(
    pen: Pen, service: Service, database: Any, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large:
        @staticmethod
        def encode(_: Any) -> bytes:
            return b" " * 20_000_000

    monkeypatch.setattr(publisher, "snapshots", Large)
    monkeypatch.setattr(responder, "snapshots", Large)
    async with service.running() as analysis:
        await pen.write(*(submitted(number) for number in range(30)))
        await until(lambda: analysis.totals.own(SURVEY) == 30 and analysis.totals.ready(SURVEY))
        answer = await ask(service, what="exact")
        assert (answer["status"], "bytes" in answer["detail"]) == (500, True)
        await until(lambda: told(f"publishing the figures of {SURVEY}: refused (MaxPayloadError)"))
        assert told(f"publishing the figures of {SURVEY}") == ["ERROR"]


async def test_a_subject_that_is_forbidden_is_told_without_whose_answer_it_names(service: Service, told: Told) -> None:
    async with service.running() as analysis:
        client: Any = analysis.publisher._js._nc
        for _ in range(3):
            await client.publish(f"platea.responses.{SURVEY}.{'0' * 32}", b"{}")
        await until(lambda: told("no leave"))
        await client.flush()
        assert told("no leave") == ["ERROR"]
        assert not told("0" * 32)
