"""A journal that three servers keep, while one is cut off or frozen, or two are dead: whatever intake concludes is true."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from deploy.provisioning.provision import PARTITIONS
from deploy.provisioning.streams import create_streams
from proto import receipt
from proto.events import ResponseSubmitted
from services.intake.drafts.draft_store import DraftStore, NotNow
from services.intake.streams.journal import Conflict, Journal, JournalEntry, JournalOutOfReach, entry
from services.runtime import nats_client
from tests.faults.machines import NODES, Cluster, joined


def submitted() -> JournalEntry:
    return entry(ResponseSubmitted(receipt.response_id(receipt.make()), "s", "1.0.0", msgspec.Raw(b"{}"), "sha256:0"))


@asynccontextmanager
async def intake_at(url: str) -> AsyncGenerator[tuple[Journal, DraftStore]]:
    client = await nats_client.connect(url, "intake")
    journal = Journal(client)
    await journal.open()
    try:
        yield journal, DraftStore(client, 30)
    finally:
        await client.close()


async def written(journal: Journal, each: JournalEntry) -> None:
    """By now, or by an earlier attempt."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await journal.write(each)
            except Conflict:
                return None
            except JournalOutOfReach:
                await asyncio.sleep(0.1)


async def saved(drafts: DraftStore, id: str) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(NotNow):
                return await drafts.put(id, b"sealed", 600)
            await asyncio.sleep(0.1)


async def test_whoever_is_cut_off_frozen_or_dead_nothing_accepted_is_unknown_or_called_not_stored(tmp_path: Path) -> None:
    async with joined(tmp_path) as cluster:
        client = await nats_client.connect(cluster.url("provisioner"), "test")
        await create_streams(client.jetstream(timeout=10), PARTITIONS, NODES, highest=0)
        await client.close()
        leader = await cluster.leader()
        far, near = (node for node in range(NODES) if node != leader)
        everywhere, there, here = cluster.url("intake"), cluster.servers[far].url("intake"), cluster.servers[leader].url("intake")
        async with intake_at(everywhere) as others, intake_at(there) as cut, intake_at(here) as last, intake_at(here) as second:
            assert await others[0].last(submitted().id) is None, "a wrong receipt is unknown while all is well"
            assert await others[1].get("0" * 32) is None
            await a_follower_is_cut_off(cluster, far, last, cut)
            await a_follower_is_frozen(cluster, far, last, others)
            await two_of_three_are_killed(cluster, [far, near], last[0], second[0])


async def a_follower_is_cut_off(cluster: Cluster, far: int, well: tuple[Journal, DraftStore], cut: tuple[Journal, DraftStore]) -> None:
    cluster.links.cut(far)
    entries = [submitted() for _ in range(5)]
    for number, each in enumerate(entries):
        await written(well[0], each)
        await saved(well[1], f"{number:032x}")

    async def conclude(number: int) -> None:
        with pytest.raises(JournalOutOfReach):
            await cut[0].last(entries[number].id)
        with pytest.raises(NotNow):
            await cut[1].get(f"{number:032x}")

    await asyncio.gather(*map(conclude, range(len(entries))))
    cluster.links.heal()
    for number, each in enumerate(entries):
        async with asyncio.timeout(60):
            while not await known(cut[0], each):
                await asyncio.sleep(0.1)
        assert await cut[1].get(f"{number:032x}") == b"sealed"


async def known(journal: Journal, each: JournalEntry) -> bool:
    """False where it cannot be told; it is never unknown."""
    try:
        assert await journal.last(each.id) is not None
    except JournalOutOfReach:
        return False
    return True


async def a_follower_is_frozen(cluster: Cluster, far: int, well: tuple[Journal, DraftStore], others: tuple[Journal, DraftStore]) -> None:
    entries = [submitted() for _ in range(10)]
    for each in entries:
        await written(well[0], each)
    cluster.nodes[far].signal(signal.SIGSTOP)
    begun = time.monotonic()
    for journal in (well[0], others[0]):
        found = await asyncio.gather(*(journal.last(each.id) for each in entries))
        assert None not in found
    cluster.nodes[far].signal(signal.SIGCONT)
    assert time.monotonic() - begun < 30


async def two_of_three_are_killed(cluster: Cluster, dead: list[int], first: Journal, second: Journal) -> None:
    for node in dead:
        cluster.nodes[node].signal(signal.SIGKILL)
    mine = submitted()
    for journal in (first, second, second):  # the same, sent to one intake and then to another, as a balancer does
        with pytest.raises(JournalOutOfReach):
            await journal.write(mine)
    for node in dead:
        await asyncio.to_thread(cluster.nodes[node].spawn)
    await written(first, mine)
    async with asyncio.timeout(60):
        while not await known(second, mine):
            await asyncio.sleep(0.1)
