"""Responses that were recorded out of turn: a release is built again from those that it was made of, not from what came late."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg

from services.export.store import Positions, Store

COLUMNS = ["id", "survey", "version", "partition", "seq", "status", "language", "answers", "late"]


async def test_what_came_late_is_in_the_next_release_and_not_in_an_older_one_built_again(database_urls: Any) -> None:
    connection = await asyncpg.connect(database_urls.owner)
    store = await Store.open(database_urls.export)

    async def add(seq: int, partition: int, late: int | None = None) -> None:
        row = (uuid.UUID(int=seq), "s", "1", partition, seq, "recorded", "en", "{}", late)
        await connection.copy_records_to_table("responses", records=[row], columns=COLUMNS)

    async def read(until: Positions | None = None) -> tuple[int, set[int], Positions]:
        async with store.responses("s", 100, until) as found:
            return found.count, {uuid.UUID(bytes=each[2]).int async for batch in found.batches for each in batch}, found.positions

    await add(5, 0)
    await add(9, 0)
    first = await read()
    await add(6, 0, late=1)  # the journal had them before
    await add(3, 1, late=1)
    second = await read()
    await add(12, 0)
    await add(7, 0, late=2)
    await add(2, 1, late=2)
    assert (await read())[:2] == (7, {2, 3, 5, 6, 7, 9, 12})
    assert await read(first[2]) == first == (2, {5, 9}, {"0": 9})
    assert await read(second[2]) == second
    assert second[:2] == (4, {3, 5, 6, 9})
    await store.close()
    await connection.close()
