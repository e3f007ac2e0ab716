"""A task that ends unexpectedly is told once, with its stack and without a value, and runs again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.runtime.error_details import stack_of
from services.runtime.supervision import Supervisor, log_stray
from tests.log_lines import LogLines

SECRET = "what somebody answered"


async def _until(supervisor: Supervisor, down: list[str]) -> None:
    async with asyncio.timeout(30):
        while supervisor.down != down:
            await asyncio.sleep(0.01)


def _quote() -> None:
    raise ValueError(SECRET)


def _errors(logged: LogLines) -> list[dict[str, Any]]:
    return [line for line in logged.lines if line["level"] == "error"]


async def test_a_task_that_fails_is_told_once_with_its_stack_and_runs_again(logged: LogLines) -> None:
    fails, runs = asyncio.Event(), 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await fails.wait()
        if runs <= 3:
            _quote()
        await asyncio.sleep(60)

    supervisor = Supervisor(first_pause=0.01, steady=0.1)
    supervisor.start("work", work)
    await asyncio.sleep(0)
    assert (supervisor.down, supervisor.up()) == ([], {"work": True})
    fails.set()
    await _until(supervisor, ["work"])
    assert supervisor.up() == {"work": False}
    await _until(supervisor, [])
    assert runs == 4
    told = _errors(logged)
    assert len(told) == 1, told
    assert told[0]["task"] == "work"
    assert "in _quote" in told[0]["stack"]
    assert "in work" in told[0]["stack"]
    assert SECRET not in logged.text
    await supervisor.stop()


@pytest.mark.parametrize("how", ["returns", "is cancelled"])
async def test_a_task_that_returns_or_is_cancelled_by_others_has_ended_unexpectedly_too(how: str, logged: LogLines) -> None:
    async def work() -> None:
        if how == "is cancelled":
            raise asyncio.CancelledError

    supervisor = Supervisor(first_pause=0.01, steady=30)
    supervisor.start("work", work)
    await _until(supervisor, ["work"])
    assert len(_errors(logged)) == 1
    await supervisor.stop()


async def test_stopping_waits_for_a_task_that_swallows_the_first_cancellation_and_tells_nothing(logged: LogLines) -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            ended = True

    supervisor = Supervisor()
    supervisor.start("work", work)
    await asyncio.sleep(0)
    await supervisor.stop()
    assert ended
    assert not _errors(logged)


async def test_what_is_done_once_and_fails_is_told_and_does_no_other_harm(logged: LogLines) -> None:
    async def work() -> None:
        _quote()

    supervisor = Supervisor()
    supervisor.spawn("a chore", work())
    async with asyncio.timeout(30):
        while not _errors(logged):
            await asyncio.sleep(0.01)
    assert [(line["task"], line["stack"].partition("\n")[0]) for line in _errors(logged)] == [("a chore", "builtins.ValueError")]
    assert SECRET not in logged.text
    assert not supervisor.down


async def test_what_nobody_waited_for_is_told_without_its_message(logged: LogLines) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_stray)
    loop.call_soon(_quote)
    await asyncio.sleep(0.01)
    loop.set_exception_handler(None)
    assert "in _quote" in logged.text
    assert SECRET not in logged.text


def test_a_stack_names_every_cause_and_quotes_none() -> None:
    def fail() -> None:
        try:
            _quote()
        except ValueError as error:
            raise RuntimeError(SECRET) from error

    try:
        raise ExceptionGroup(SECRET, [KeyError(SECRET)])
    except ExceptionGroup:
        try:
            fail()
        except RuntimeError as error:
            told = stack_of(error)
    assert [kind for kind in ("RuntimeError", "ValueError") if kind in told] == ["RuntimeError", "ValueError"]
    assert "in _quote" in told
    assert SECRET not in told
