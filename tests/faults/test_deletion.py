"""Answers whose time is over go completely, whatever is killed meanwhile; figures, releases and the other surveys stay as they are.

PLATEA_DELETED_RESPONSES and PLATEA_DELETED_KILLS make it larger (200000 and 10 is the full one, which prints how long it took).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import pytest

from tests.bench import journalling
from tests.faults.inside import Inside, Left
from tests.faults.operated import Operated
from tests.faults.respondents import Crowd, Passer, exact, recorded, statuses

RESPONSES = int(os.environ.get("PLATEA_DELETED_RESPONSES", "150"))
KILLS = int(os.environ.get("PLATEA_DELETED_KILLS", "1"))
PATIENCE = 60 + RESPONSES / 15
"""Seconds."""
ENDED, OPEN = "ai-security", "security-by-design"
TEXT = "what nobody may read once its time is over"
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Operated]:
    with Operated(tmp_path) as operated:
        yield operated


async def test_killed_in_the_middle_of_a_deletion_every_answer_goes_and_no_figure_moves(stack: Operated) -> None:
    inside, figures = Inside(stack), Figures(stack)
    crowd = Crowd(stack.url, 30)
    await crowd.answer()
    await withdraw(stack.url, crowd.accepted.pop())
    await journalling.publish(inside.journal(), RESPONSES, with_text(stack.data))
    count = RESPONSES + len(crowd.accepted)
    before = await figures.once_of(count)
    assert inside.files_with(TEXT.encode())
    if KILLS > 1:
        await asyncio.to_thread(stack.platea, "release", "create", ENDED)

    passer = Passer(stack.url, OPEN)
    passing = asyncio.create_task(passer.answer())
    await asyncio.sleep(3 if KILLS > 1 else 0.5)
    undisturbed, calm = len(passer.accepted), passer.told()
    begun = time.monotonic()
    await inside.end(ENDED)
    took = await killed_meanwhile(stack, inside, count)
    await gone(inside)
    seconds = time.monotonic() - begun
    if KILLS > 1:
        print(f"\n{count} deleted in {seconds:.1f} s, {seconds / count * 1e5:.1f} s per 100,000 ({took})")
        print(f"before: {calm}\nmeanwhile: {passer.told(undisturbed)}, {passer.unanswered} times no answer")
    passer.leaving = True
    await passing

    await unchanged(stack, inside, before, crowd.accepted, passer.receipts)
    shown = await published(stack.url)
    if KILLS > 1:
        await asyncio.to_thread(stack.stop)
        await asyncio.to_thread(stack.start)
        await unchanged(stack, inside, before, crowd.accepted, passer.receipts)
    await asyncio.to_thread(stack.stop)
    shutil.rmtree(stack.data / "postgres")
    await asyncio.to_thread(stack.start)
    await recorded(stack.url, passer.receipts, 30)
    assert set(await statuses(stack.url, crowd.accepted)) == {"404"}
    assert (await inside.left(ENDED)).rows == 0, "the journal holds nothing that a new store could be filled with"
    assert await published(stack.url) == shown, "and what was published stays"


def with_text(folder: Path) -> list[bytes]:
    """Answers that all hold the same text."""
    return [msgspec.json.encode(msgspec.json.decode(one) | {"H01": TEXT}) for one in journalling.answers(folder, min(RESPONSES, 2000))]


async def withdraw(url: str, receipt: str) -> None:
    async with aiohttp.ClientSession() as session, session.delete(f"{url}/api/v1/receipts/{receipt}") as answer:
        assert answer.status == 202


async def published(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v1/surveys/{ENDED}/aggregates") as answer:
        return await answer.json()


class Figures:
    """The exact view without what a restart may change."""

    def __init__(self, stack: Operated) -> None:
        self._stack = stack

    async def once_of(self, responses: int) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while (found := await exact(self._stack.url, self._stack.token, ENDED))["responses"] != responses:
            assert time.monotonic() < deadline, f"{found['responses']} of {responses} counted"
            await asyncio.sleep(0.2)
        return {name: found[name] for name in ("responses", "questions", "breakdowns")}


async def killed_meanwhile(stack: Operated, inside: Inside, count: int) -> str:
    """Kills one process after the other, spread over the deletion, and says when."""
    begun, told = time.monotonic(), list[str]()
    for number in range(KILLS):
        name = ("analysis", "nats", "postgres")[number % 3]
        due = count * (1 - 0.8 * number / KILLS)
        await reached(inside, lambda left, due=due: left.rows < count and left.rows + left.erasures <= due)
        left = await inside.left(ENDED)
        assert left.rows or left.erasures, "too late for a kill"
        await asyncio.to_thread(stack.kill, name)
        told.append(f"{name} {time.monotonic() - begun:.0f} s")
        await asyncio.sleep(0.3)
        await asyncio.to_thread(stack.child, name)
    return ", ".join(told)


async def gone(inside: Inside) -> None:
    await reached(inside, lambda left: left.rows == 0 and left.erasures == 0)


async def reached(inside: Inside, there: Callable[[Left], bool]) -> None:
    deadline, left = time.monotonic() + PATIENCE, Left(-1, -1, -1)
    while time.monotonic() < deadline:
        try:
            left = await inside.left(ENDED)
            if there(left):
                return
        except AWAY:
            pass  # it was killed and comes back
        await asyncio.sleep(0.2)
    raise AssertionError(f"not all deleted: {left}")


async def unchanged(stack: Operated, inside: Inside, before: dict[str, Any], deleted: list[str], others: list[str]) -> None:
    assert await Figures(stack).once_of(before["responses"]) == before
    recount = await asyncio.to_thread(stack.platea, "recount", ENDED)
    assert "were deleted on" in recount.stdout
    await gone(inside)
    assert inside.files_with(TEXT.encode()) == []
    assert set(await statuses(stack.url, deleted)) == {"404"}
    await recorded(stack.url, others, 60)
    deadline = time.monotonic() + 30
    while (seen := (await exact(stack.url, stack.token, OPEN))["responses"]) != len(others):
        assert time.monotonic() < deadline, f"{seen} of {len(others)} counted"
        await asyncio.sleep(0.1)
    if KILLS > 1:
        verified = await asyncio.to_thread(stack.platea, "release", "list", ENDED)
        assert "\n1 " in verified.stdout
