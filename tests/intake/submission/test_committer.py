"""Group commit against a journal that refuses, hangs or loses its answers: whatever is told is true."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import msgspec
import pytest

from proto.events import ResponseSubmitted
from services.intake.metrics import Metrics
from services.intake.streams.journal import Conflict, JournalEntry, JournalOutOfReach, JournalRefused, entry
from services.intake.submission.committer import MAX_BATCH, Committer, CommitterBusy, Outcome


class Whimsical:
    """A journal in memory with the rules of the real one: `after` must hold, a batch is written whole or not at all."""

    def __init__(self, random: Random, trouble: float) -> None:
        self.random, self.trouble = random, trouble
        self.written: list[str] = []
        self.sizes: list[int] = []
        self.connected = True

    async def write(self, entry: JournalEntry) -> None:
        await self._perhaps_fail()
        if entry.id in self.written:
            raise Conflict
        self.written.append(entry.id)
        await self._perhaps_lose_the_answer()

    async def write_batch(self, entries: list[JournalEntry]) -> None:
        self.sizes.append(len(entries))
        await self._perhaps_fail()
        if any(entry.id in self.written for entry in entries):
            raise JournalRefused
        self.written += [entry.id for entry in entries]
        await self._perhaps_lose_the_answer()

    async def _perhaps_fail(self) -> None:
        await asyncio.sleep(self.random.random() * 0.003)
        draw = self.random.random()
        if draw < self.trouble / 3:
            raise JournalOutOfReach
        if draw < self.trouble / 2:
            raise JournalRefused

    async def _perhaps_lose_the_answer(self) -> None:
        await asyncio.sleep(self.random.random() * 0.002)
        if self.random.random() < self.trouble / 2:
            raise JournalOutOfReach


def submitted(id: str) -> JournalEntry:
    return entry(ResponseSubmitted(id, "s", "1.0.0", msgspec.Raw(b"{}"), "sha256:0"))


def committer(journal: Whimsical, waiting: int = 4096, patience: float = 60.0) -> Committer:
    return Committer(journal, Metrics(), waiting, patience)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_told_is_true_whatever_the_journal_does(seed: int) -> None:
    random = Random(seed)
    journal = Whimsical(random, trouble=0.5 * (seed % 3))
    group = committer(journal, patience=0.5 if journal.trouble else 60.0)
    told: list[tuple[str, Outcome | str]] = []

    async def submit(id: str) -> None:
        await asyncio.sleep(random.random() * 0.15)
        try:
            told.append((id, await group.commit(submitted(id))))
        except (CommitterBusy, JournalOutOfReach) as failure:
            told.append((id, type(failure).__name__))

    ids = [f"{random.randrange(250):032x}" for _ in range(600)]
    clients = [asyncio.create_task(submit(id)) for id in ids]
    await asyncio.sleep(0.05)
    gone = random.sample(clients, 30)
    for client in gone:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    await group.close()

    assert max(Counter(journal.written).values()) == 1, "nothing is written twice"
    written = set(journal.written)
    for id, outcome in told:
        if isinstance(outcome, Outcome):
            assert id in written, outcome
    first = Counter(id for id, outcome in told if outcome is Outcome.WRITTEN)
    assert not first or max(first.values()) == 1, "one submission of a response is the first"
    assert len(told) >= len(ids) - len(gone)
    assert all(size <= MAX_BATCH for size in journal.sizes)
    if seed % 3 == 0:
        assert {outcome for _, outcome in told} == {Outcome.WRITTEN, Outcome.CONFLICT}


async def test_busy_means_that_nothing_was_written() -> None:
    journal = Whimsical(Random(1), trouble=0)
    group = committer(journal, waiting=5)
    entries = [submitted(f"{n:032x}") for n in range(20)]
    told = await asyncio.gather(*map(group.commit, entries), return_exceptions=True)
    refused = {entry.id for entry, outcome in zip(entries, told, strict=True) if isinstance(outcome, CommitterBusy)}
    assert len(refused) == 15
    await group.close()
    assert refused.isdisjoint(journal.written)


async def test_without_a_connection_new_entries_wait_a_moment_and_then_are_refused_at_once() -> None:
    journal = Whimsical(Random(1), trouble=0)
    group = committer(journal, patience=2.0)
    journal.connected = False
    waiting = asyncio.create_task(group.commit(submitted("a" * 32)))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    journal.connected = True
    assert await waiting is Outcome.WRITTEN

    journal.connected = False
    with pytest.raises(CommitterBusy):
        await group.commit(submitted("b" * 32))
    assert journal.written == ["a" * 32]


async def test_those_that_come_together_are_written_together() -> None:
    journal = Whimsical(Random(1), trouble=0)
    group = committer(journal)
    await asyncio.gather(*(group.commit(submitted(f"{n:032x}")) for n in range(600)))
    assert journal.sizes == [256, 256, 88]
