"""Migrations run once, in two phases; an applied file never changes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.cli import doctor
from deploy.provisioning import migrate as module
from deploy.provisioning.migrate import MIGRATIONS, Migration, create_database, migrate, migrations, pending
from deploy.refusal import Refusal
from deploy.stack.postgres_server import Postgres
from services.analysis.store import Store as AnalysisStore
from services.export.store import Store as ExportStore
from tests.conftest import DatabaseUrls, NatsUrls

KNOWN = len(migrations())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The migrations of a release to come: one before its services start, one after those of today have stopped."""
    made = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, made)
    (made / "9001_pre_nickname.sql").write_text("alter table surveys add column nickname text;")
    (made / "9002_post_no_waiting.sql").write_text("drop table waiting;")
    return made


@pytest.fixture
async def owner(database_urls: DatabaseUrls) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


async def test_each_applied_migration_is_recorded_with_the_checksum_of_its_file(owner: asyncpg.Connection) -> None:
    recorded = {row["number"]: row["checksum"] for row in await owner.fetch("select number, checksum from migrations")}
    assert recorded == {int(file.name[:4]): hashlib.sha256(file.read_bytes()).hexdigest() for file in MIGRATIONS.glob("*.sql")}


async def test_an_applied_file_that_changed_stops_the_start_and_is_named(database_urls: DatabaseUrls, folder: Path) -> None:
    with (folder / "0002_pre_notice.sql").open("a") as file:
        file.write("-- one more word\n")
    with pytest.raises(Refusal, match=r"changed after this database had got it: 0002_pre_notice\.sql\.") as refused:
        await migrate(database_urls.owner, folder=folder)
    assert "a change to the database is a new migration" in refused.value.way_out
    assert await migrate(database_urls.owner) == 0, "and nothing of the rest was applied"


async def test_a_database_without_checksums_gets_them_once(database_urls: DatabaseUrls, owner: asyncpg.Connection, folder: Path) -> None:
    await owner.execute("alter table migrations drop column checksum; delete from migrations where number = 11")
    assert await migrate(database_urls.owner) == 1
    assert await owner.fetchval("select count(*) from migrations where length(checksum) = 64") == KNOWN
    (folder / "0001_pre_store.sql").write_text("select 1")
    with pytest.raises(Refusal, match="0001_pre_store"):
        await migrate(database_urls.owner, folder=folder)


async def test_the_phases_run_apart_and_what_is_left_is_known(database_urls: DatabaseUrls, owner: asyncpg.Connection, folder: Path) -> None:
    assert [each.file for each in await pending(owner, folder)] == ["9001_pre_nickname.sql", "9002_post_no_waiting.sql"]
    assert await migrate(database_urls.owner, phases=("pre",), folder=folder) == 1
    assert await migrate(database_urls.owner, phases=("pre",), folder=folder) == 0
    assert await owner.fetchval("select to_regclass('waiting') is not null")
    assert [each.file for each in await pending(owner, folder)] == ["9002_post_no_waiting.sql"]
    assert await migrate(database_urls.owner, folder=folder) == 1
    assert await owner.fetchval("select to_regclass('waiting') is null")
    assert await pending(owner, folder) == []


async def test_pre_runs_before_post_whatever_their_numbers(database_urls: DatabaseUrls, owner: asyncpg.Connection, folder: Path) -> None:
    (folder / "9003_pre_copy.sql").write_text("create table waited as table waiting;")
    assert await migrate(database_urls.owner, folder=folder) == 3
    assert await owner.fetchval("select count(*) from waited") == 0


async def test_a_new_database_gets_both_phases_at_once(postgres_server: Postgres, folder: Path) -> None:
    url = postgres_server.url(database=f"new_{os.getpid()}")
    await create_database(url)
    assert await migrate(url, phases=("pre",), folder=folder) == KNOWN + 2


@pytest.mark.parametrize(
    ("role", "name", "told"),
    [
        ("analysis", "platea analysis", r"platea_analysis \(platea analysis\)"),
        ("export", "", "platea_export"),
        ("export", "platea export 0.0.9", "0.0.9"),
    ],
)
async def test_a_post_migration_waits_for_services_of_another_version_to_go(
    database_urls: DatabaseUrls, folder: Path, role: str, name: str, told: str
) -> None:
    former = await asyncpg.connect(getattr(database_urls, role), server_settings={"application_name": name})
    assert await migrate(database_urls.owner, phases=("pre",), folder=folder) == 1, "those of before go on meanwhile"
    with pytest.raises(Refusal, match=f"another version are still connected to the database: .*{told}"):
        await migrate(database_urls.owner, folder=folder)
    pid = former.get_server_pid()
    await former.close()
    await _gone(database_urls.owner, pid)
    assert await migrate(database_urls.owner, folder=folder) == 1


async def _gone(url: str, pid: int) -> None:
    """Until the server has noticed that a connection was closed."""
    connection = await asyncpg.connect(url)
    async with asyncio.timeout(60):
        while await connection.fetchval("select exists (select from pg_stat_activity where pid = $1)", pid):
            await asyncio.sleep(0.05)
    await connection.close()


async def test_services_of_this_version_do_not_keep_a_post_migration_waiting(
    database_urls: DatabaseUrls, owner: asyncpg.Connection, folder: Path
) -> None:
    analysis, export = AnalysisStore(database_urls.analysis), await ExportStore.open(database_urls.export)
    try:
        await analysis.positions()
        await export.ping()
        connected = await owner.fetch(
            "select distinct usename from pg_stat_activity where datname = current_database() and usename <> current_user"
        )
        assert {row["usename"] for row in connected} == {"platea_analysis", "platea_export"}
        assert await migrate(database_urls.owner, folder=folder) == 2
    finally:
        await analysis.close()
        await export.close()


async def _columns(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        """select format('%s.%s %s %s', table_name, column_name, data_type, is_nullable) as told from information_schema.columns
        where table_schema = 'public' and table_name <> 'migrations' order by 1"""
    )
    return [row["told"] for row in rows]


async def _in_order(server: Postgres, name: str, found: list[Migration]) -> list[str]:
    """The columns of a database that got these migrations one after another."""
    url = server.url(database=f"{name}_{os.getpid()}")
    await create_database(url)
    connection = await asyncpg.connect(url)
    try:
        for each in found:
            await connection.execute(each.text)
        return await _columns(connection)
    finally:
        await connection.close()


async def test_all_pre_and_then_all_post_migrations_lead_where_their_numbers_lead(postgres_server: Postgres) -> None:
    """Who updates over several releases at once runs them in another order than who took each release."""
    found = migrations()
    by_phase = sorted(found, key=lambda each: (each.phase == "post", each.number))
    assert await _in_order(postgres_server, "phases", by_phase) == await _in_order(postgres_server, "numbers", found) != []


def test_a_file_whose_name_tells_no_phase_is_named(folder: Path) -> None:
    (folder / "9004_whenever.sql").write_text("select 1")
    with pytest.raises(ValueError, match=r"9004_whenever\.sql is not named"):
        migrations(folder)


async def _found(connection: asyncpg.Connection) -> doctor.Finding:
    return await doctor._migrations(connection)


async def test_the_doctor_tells_which_migrations_are_pending_and_how_they_are_applied(
    database_urls: DatabaseUrls, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await asyncpg.connect(database_urls.analysis)
    assert (await _found(service)).good
    coming = [*migrations(), Migration(9002, "post", "no_waiting", "drop table waiting;")]
    monkeypatch.setattr(module, "migrations", lambda folder: coming)
    post = await _found(service)
    assert (post.good, post.detail) == (False, "pending: 9002_post_no_waiting.sql")
    assert "`python -m deploy.provisioning --post`, once no service of the version before runs" in post.way_out
    await owner.execute("delete from migrations where number = 11")
    both = await _found(service)
    assert both.detail == "pending: 0011_pre_no_statistics_of_answers.sql, 9002_post_no_waiting.sql"
    assert both.way_out.endswith("in a cluster, `python -m deploy.provisioning`.")
    await owner.execute("revoke select (number) on migrations from platea_analysis")
    assert (await _found(service)).detail == "this version has not prepared the database"
    await service.close()


async def test_the_command_of_a_cluster_completes_the_migrations(
    nats_urls: NatsUrls, database_urls: DatabaseUrls, owner: asyncpg.Connection
) -> None:
    await owner.execute("delete from migrations where number = 11")
    environment = os.environ | {"PLATEA_NATS_URL": nats_urls.provisioner, "PLATEA_DATABASE_URL": database_urls.owner}
    line = [sys.executable, "-m", "deploy.provisioning", "--post"]
    done = await asyncio.to_thread(subprocess.run, line, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "Migrations applied: 1.\n"), done.stderr
