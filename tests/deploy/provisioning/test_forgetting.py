"""What was withdrawn or deleted leaves PostgreSQL's files; its statistics never held it."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.keys import KeyFolder
from deploy.provisioning.forgetting import Forgetter, main
from deploy.provisioning.migrate import create_database, migrate, migrations
from deploy.stack.postgres_server import Postgres, earliest_commit
from tests.conftest import started

COUNT = 300


class Own:
    """A server of one's own with answers in it, each with its number in it."""

    def __init__(self, server: Postgres, connection: Any) -> None:
        self.server, self.connection = server, connection

    def files_with(self, number: int) -> list[str]:
        found = [path for path in self.server.folder.rglob("*") if path.is_file()]
        return [path.parent.name for path in found if text(number).encode() in path.read_bytes()]

    async def withdraw(self, number: int) -> None:
        await self.connection.execute(
            "update responses set status = 'withdrawn', version = null, language = null, answers = null where seq = $1", number
        )
        await self.connection.execute("select pg_stat_force_next_flush()")


def text(number: int) -> str:
    return f"what number {number:04} says"


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Own]:
    server = Postgres.embedded(tmp_path / "postgres", KeyFolder(tmp_path / "secrets"))
    with started(server.program(), tmp_path / "log"):
        await create_database(server.url())
        await migrate(server.url())
        connection: Any = await asyncpg.connect(server.url())
        await connection.execute("insert into surveys values ('s', '1', '{}')")
        columns = ("id", "survey", "version", "partition", "seq", "status", "language", "answers")
        rows = [(uuid.uuid4(), "s", "1", 0, number, "recorded", "en", f'{{"H01": "{text(number)}"}}') for number in range(COUNT)]
        await connection.copy_records_to_table("responses", records=rows, columns=columns)
        yield Own(server, connection)
        await connection.close()


async def test_what_is_withdrawn_leaves_tables_and_log_wherever_it_lay(own: Own) -> None:
    """The last row of a page stays in it as free space, also after vacuuming."""
    last = await own.connection.fetchval("select max(seq) from responses where (ctid::text::point)[0] = 0")
    await own.connection.execute("delete from responses where seq = $1", last)  # as retention does
    await own.connection.execute("vacuum responses")
    await own.connection.execute("checkpoint")
    gone = (0, 1, last)
    await own.withdraw(0)
    await own.withdraw(1)
    assert set(own.files_with(last)) > {"pg_wal"}, "the log and a table have it"
    forgetter, begun = Forgetter(own.server.url()), datetime.now(UTC)
    first = earliest_commit(own.server.folder)
    assert first is not None
    assert first < begun
    await forgetter.once(sys.maxsize)
    assert [number for number in range(COUNT) if not own.files_with(number)] == list(gone), "those and no others"
    assert "pg_wal" not in own.files_with(2), "the log tells of nobody"
    first = earliest_commit(own.server.folder)
    assert first is None or first >= begun - timedelta(seconds=1)


async def test_a_table_that_somebody_reads_or_that_has_no_room_has_its_turn_later(own: Own) -> None:
    forgetter = Forgetter(own.server.url())
    await own.withdraw(COUNT - 1)
    reader: Any = await asyncpg.connect(own.server.url())
    transaction = reader.transaction(isolation="repeatable_read")
    await transaction.start()
    await reader.fetchval("select count(*) from responses")
    await forgetter.once(sys.maxsize)
    assert own.files_with(COUNT - 1)
    await transaction.rollback()
    await reader.close()
    await forgetter.once(0)
    assert own.files_with(COUNT - 1)
    await forgetter.once(sys.maxsize)
    assert not own.files_with(COUNT - 1)


async def test_where_nothing_was_written_nothing_is_done(own: Own) -> None:
    forgetter = Forgetter(own.server.url())
    for _ in range(4):
        await forgetter.once(sys.maxsize)
    before = await own.connection.fetchval("select pg_current_wal_insert_lsn()")
    assert await forgetter.once(sys.maxsize) == 0.0
    assert await own.connection.fetchval("select pg_walfile_name($1::pg_lsn)", before) == await own.connection.fetchval(
        "select pg_walfile_name(pg_current_wal_insert_lsn())"
    )
    await own.withdraw(5)
    await forgetter.once(sys.maxsize)
    await forgetter.once(sys.maxsize)
    assert not own.files_with(5)


async def test_a_server_of_ones_own_is_cleaned_by_a_command(own: Own) -> None:
    await own.withdraw(3)
    assert own.files_with(3)
    await asyncio.to_thread(main, {"PLATEA_DATABASE_URL": own.server.url()})
    assert not own.files_with(3)


async def test_no_answer_is_kept_as_a_statistic_and_those_of_before_are_dropped(own: Own) -> None:
    kept = """select count(*) from pg_stats where attname = 'answers'
        and coalesce(most_common_vals::text, histogram_bounds::text) like '%what number%'"""
    await own.connection.execute("analyze")
    assert await own.connection.fetchval(kept) == 0
    await own.connection.execute("alter table responses alter column answers set statistics 100; analyze")
    assert await own.connection.fetchval(kept) == 1, "as before"
    [migration] = [each for each in migrations() if each.name == "no_statistics_of_answers"]
    await own.connection.execute(migration.text)
    await own.connection.execute("analyze")
    assert await own.connection.fetchval(kept) == 0
