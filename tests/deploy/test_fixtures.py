"""The ground all other tests stand on."""

from __future__ import annotations

import asyncpg
import nats

from proto import subjects
from tests.conftest import DatabaseUrls, NatsUrls


async def test_each_test_finds_empty_streams(nats_urls: NatsUrls) -> None:
    client = await nats.connect(nats_urls.provisioner, inbox_prefix="_INBOX.provisioner")
    info = await client.jetstream().stream_info(subjects.RESPONSES)
    assert info.state.messages == 0
    assert info.state.consumer_count == 4
    await client.close()


async def test_each_test_finds_an_empty_database(database_urls: DatabaseUrls) -> None:
    connection = await asyncpg.connect(database_urls.analysis)
    assert await connection.fetchval("select count(*) from responses") == 0
    await connection.execute("insert into positions values (0, 1)")
    await connection.close()


async def test_another_test_finds_an_empty_database_too(database_urls: DatabaseUrls) -> None:
    connection = await asyncpg.connect(database_urls.analysis)
    assert await connection.fetchval("select count(*) from positions") == 0
    await connection.close()
