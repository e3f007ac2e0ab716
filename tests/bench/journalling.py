"""Fills stores and journals for the benchmarks: many responses from few different ones, each with an id of its own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec

from proto import events
from proto.answers import Reader
from proto.events import ResponseSubmitted
from services.intake.streams import journal as journals
from services.intake.streams.journal import Journal, entry
from services.runtime import nats_client
from tests.bench.servers import SURVEY, TODAY, bodies
from tests.builders.bundled import questionnaire

AT_ONCE = 128
"""Entries in one atomic batch."""


def answers(folder: Path, different: int = 2000) -> list[bytes]:
    """Canonical answers as intake stores them."""
    reader = Reader(questionnaire())
    read = [reader.read(body, TODAY) for body in bodies(different, folder).read_bytes().splitlines()]
    return [reader.canonical(found.answers) for found in read if not isinstance(found, list)]


async def store(url: str, count: int, partitions: int, given: list[bytes]) -> float:
    """Puts responses into the store as if analysis had recorded them from the journal's first `count` messages. Returns rows a second."""
    version = questionnaire().version
    texts = [text.decode() for text in given]

    def rows() -> Iterator[tuple[str, str, str, int, int, str, str]]:
        for seq in range(1, count + 1):
            yield secrets.token_hex(16), SURVEY, version, seq % partitions, seq, "recorded", texts[seq % len(texts)]

    connection = await asyncpg.connect(url)
    try:
        columns = ["id", "survey", "version", "partition", "seq", "status", "answers"]
        begun = time.perf_counter()
        await connection.copy_records_to_table("responses", records=rows(), columns=columns)
        rate = count / (time.perf_counter() - begun)
        await connection.executemany("insert into positions values ($1, $2)", [(partition, count) for partition in range(partitions)])
        await connection.execute("vacuum analyze responses")
        return rate
    finally:
        await connection.close()


async def publish(url: str, count: int, given: list[bytes]) -> None:
    """Writes to the journal as intake does, in atomic batches."""
    version = questionnaire().version
    journals.ATTEMPT = 60.0  # nobody waits for a single answer here, and a busy machine may take its time
    client = await nats_client.connect(url, "bench")
    journal = Journal(client)
    await journal.open()
    gate = asyncio.Semaphore(4)

    def submitted(number: int) -> ResponseSubmitted:
        text = given[number % len(given)]
        return ResponseSubmitted(secrets.token_hex(16), SURVEY, version, msgspec.Raw(text), events.digest(SURVEY, version, text))

    async def write(first: int) -> None:
        async with gate:
            await journal.write_batch([entry(submitted(number)) for number in range(first, min(first + AT_ONCE, count))])

    try:
        await asyncio.gather(*(write(first) for first in range(0, count, AT_ONCE)))
    finally:
        await client.close()
