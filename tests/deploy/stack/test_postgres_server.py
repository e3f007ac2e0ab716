"""The embedded PostgreSQL: back from whatever happened to it, with rights of its own for each role."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.keys import KeyFolder
from deploy.provisioning.migrate import MIGRATIONS, create_database, migrate, migrations, progress
from deploy.refusal import Refusal
from deploy.stack.postgres_server import UID, Postgres
from tests.conftest import DatabaseUrls, started


async def test_a_killed_server_starts_again_over_its_stale_lock_file(tmp_path: Path) -> None:
    server = Postgres.embedded(tmp_path / "postgres", KeyFolder(tmp_path / "secrets"))
    with started(server.program(), tmp_path / "log") as process:
        await create_database(server.url())
        assert await migrate(server.url()) == len(migrations())
        process.send_signal(signal.SIGKILL)
        process.wait()
    lock = server.folder / "postmaster.pid"
    told = lock.read_text().splitlines()
    # The number in it belongs to a living process by now: this one.
    lock.write_text("\n".join([str(os.getpid()), *told[1:]]) + "\n")
    with started(server.program(), tmp_path / "log"):
        assert await migrate(server.url()) == 0


async def test_what_was_deleted_leaves_the_log_with_its_segment(tmp_path: Path) -> None:
    server, text = Postgres.embedded(tmp_path / "postgres", KeyFolder(tmp_path / "secrets")), "what somebody took back"
    with started(server.program(), tmp_path / "log"):
        connection = await asyncpg.connect(server.url(database="postgres"))
        await connection.execute("create table said (text text)")
        await connection.execute("insert into said values ($1)", text)
        await connection.execute("delete from said")
        log = [path for path in server.folder.rglob("pg_wal/*") if path.is_file()]
        assert any(text.encode() in path.read_bytes() for path in log)
        for _ in range(3):
            await connection.execute("select pg_switch_wal()")
            await connection.execute("checkpoint")
        assert not [path for path in server.folder.rglob("pg_wal/*") if path.is_file() and text.encode() in path.read_bytes()]
        await connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
def test_root_lends_its_data_to_an_unprivileged_user_without_opening_a_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres.embedded(closed / "data" / "postgres", KeyFolder(closed / "secrets"))
    with started(server.program(), tmp_path / "log") as process:
        assert psutil.Process(process.pid).uids().effective == server.folder.stat().st_uid == UID
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (closed.stat().st_uid, (closed / "data").stat().st_uid) == (0, 0)


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_processes_that_hang_are_ended_before_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres.embedded(tmp_path / "postgres", KeyFolder(tmp_path / "secrets"))
    monkeypatch.setattr("deploy.stack.postgres_server.LEFTOVER_PATIENCE", 0.2)
    with started(server.program(), tmp_path / "log") as process:
        stopped = psutil.Process(process.pid).children()
        for each in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):  # workers of the server come and go
                each.suspend()
        process.kill()
        process.wait()
        assert any(_lives(each) for each in stopped)
        with started(server.program(), tmp_path / "log"):
            assert not any(_lives(each) for each in stopped)


def test_the_owner_s_password_is_on_no_command_line_and_in_no_log(tmp_path: Path) -> None:
    server = Postgres.embedded(tmp_path / "postgres", KeyFolder(tmp_path / "secrets"))
    password = server.keys.read("postgres-platea")
    with started(server.program(), tmp_path / "log") as process:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        assert not any(password in " ".join(each.cmdline()) for each in family)
    assert password not in (tmp_path / "log").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "postgres", "secrets"]


async def _refused(url: str, statement: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await connection.close()
    return False


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("export", "insert into responses (id, survey, partition, seq, status) values (gen_random_uuid(), 's', 0, 1, 'withdrawn')"),
        ("export", "delete from responses"),
        ("export", "select * from positions"),
        ("export", "delete from releases"),
        ("export", "create table mine (x int)"),
        ("export", "copy responses to program 'true'"),
        ("analysis", "insert into releases (survey, number, profile, manifest) values ('s', 1, 'public', '{}')"),
        ("analysis", "truncate responses"),
        ("analysis", "drop table responses"),
        ("analysis", "create table mine (x int)"),
        ("analysis", "select * from migrations"),
        ("analysis", "select pg_read_file('postgresql.conf')"),
    ],
)
async def test_a_role_is_refused_what_is_not_its_work(database_urls: DatabaseUrls, role: str, statement: str) -> None:
    assert await _refused(getattr(database_urls, role), statement)


async def test_a_role_does_its_work(database_urls: DatabaseUrls) -> None:
    withdrawn = "insert into responses (id, survey, partition, seq, status) values (gen_random_uuid(), 's', 0, 1, 'withdrawn')"
    assert not await _refused(database_urls.analysis, withdrawn)
    assert not await _refused(database_urls.analysis, "create temporary table incoming (id uuid) on commit drop")
    assert not await _refused(database_urls.export, "select * from responses")
    assert await progress(database_urls.owner) == (1, {})


async def test_a_wrong_password_does_not_open_the_database(database_urls: DatabaseUrls) -> None:
    user, _, rest = database_urls.analysis.removeprefix("postgresql://").partition(":")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://{user}:wrong@{rest.partition('@')[2]}")


async def test_a_database_from_the_future_is_left_alone(database_urls: DatabaseUrls) -> None:
    connection = await asyncpg.connect(database_urls.owner)
    await connection.execute("insert into migrations (number, name) values (9999, 'to come')")
    await connection.close()
    with pytest.raises(Refusal, match="ahead of this version"):
        await migrate(database_urls.owner)


def test_no_two_migrations_have_the_same_number() -> None:
    numbers = [migration.number for migration in migrations()]
    assert len(numbers) == len(list(MIGRATIONS.glob("*.sql")))
    assert numbers == sorted(set(numbers))
