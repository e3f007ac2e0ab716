"""Brings a database to the state this version needs: its roles, then the numbered migrations, forward only.

A migration is a file `NNNN_pre_what.sql` or `NNNN_post_what.sql`. A pre migration runs before the new services start, and the services of
the release before must work with what it leaves. A post migration runs after the last of those has stopped. All pre and then all post
migrations lead to the same database as all in the order of their numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit, urlunsplit

from deploy.database import Connection, connected
from deploy.refusal import Refusal
from services.runtime import version

MIGRATIONS = Path(__file__).with_name("migrations")
ROLES = ("platea_analysis", "platea_export")
_LOCK = 0x706C61746561  # "platea": one migration at a time per database

Phase = Literal["pre", "post"]
PHASES: tuple[Phase, ...] = get_args(Phase)
_FILE = re.compile(r"(\d{4})_(pre|post)_(\w+)\.sql")


@dataclass(frozen=True)
class Migration:
    number: int
    phase: Phase
    name: str
    text: str

    @property
    def file(self) -> str:
        return f"{self.number:04}_{self.phase}_{self.name}.sql"

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Returns the migrations in the order of their numbers. Raises ValueError where the name of a file does not say its phase."""
    return [_migration(file) for file in sorted(folder.glob("*.sql"))]


def _migration(file: Path) -> Migration:
    parts = _FILE.fullmatch(file.name)
    if parts is None:
        raise ValueError(f"{file} is not named NNNN_pre_what.sql or NNNN_post_what.sql")
    phase: Phase = "pre" if parts[2] == "pre" else "post"
    return Migration(int(parts[1]), phase, parts[3], file.read_text())


async def create_database(url: str) -> None:
    """Creates the database this address names, unless it exists."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    async with connected(urlunsplit(parts._replace(path="/postgres")), "provisioning") as connection:
        if not await connection.fetchval("-- exists\nselect true from pg_database where datname = $1", name):
            await _execute(connection, "create database %I", name)


async def migrate(url: str, passwords: Mapping[str, str] | None = None, phases: Sequence[Phase] = PHASES, folder: Path = MIGRATIONS) -> int:
    """Applies the pending migrations of these phases, pre before post, and returns how many. A new database gets those of all phases.

    `passwords` by role: those roles may log in with them. Raises Refusal where the database is of a later version, where an applied file
    was changed, and before a post migration while services of another version are connected.
    """
    known = migrations(folder)
    async with connected(url, "provisioning") as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        await _roles(connection, passwords or {})
        applied = await _applied(connection, known)
        _check(applied, known)
        missing = [each for phase in PHASES for each in known if each.phase == phase and each.number not in applied]
        chosen = [each for each in missing if each.phase in phases or not applied]
        if any(each.phase == "post" for each in chosen):
            await _demand_one_version(connection)
        for each in chosen:
            await connection.execute(each.text)
            await connection.execute(_NOTE, each.number, each.name, each.checksum)
        return len(chosen)


async def pending(connection: Connection, folder: Path = MIGRATIONS) -> list[Migration]:
    """Returns the migrations that this database has yet to get. Raises asyncpg.PostgresError where it was never prepared."""
    applied = {row["number"] for row in await connection.fetch("-- numbers\nselect number from migrations")}
    return [each for each in migrations(folder) if each.number not in applied]


_NOTE = "-- note\ninsert into migrations (number, name, checksum) values ($1, $2, $3)"

_TABLE = """-- migrations
    create table if not exists migrations (number integer primary key, name text not null, applied timestamptz not null default now());
    alter table migrations add column if not exists checksum text;
    grant select (number) on migrations to platea_analysis"""

_ADOPT = "-- adopt\nupdate migrations set checksum = $2 where number = $1 and checksum is null"

_OTHER_SERVICES = """-- other services
    select distinct usename || coalesce(' (' || nullif(application_name, '') || ')', '') as service from pg_stat_activity
    where datname = current_database() and usename = any($1::text[]) and application_name <> all($2::text[]) order by service"""


async def _applied(connection: Connection, known: list[Migration]) -> dict[int, str]:
    """Returns the checksums of the applied migrations by number. A database of 0.1.0 has none, and gets those of the files that we have."""
    await connection.execute(_TABLE)
    await connection.executemany(_ADOPT, [(each.number, each.checksum) for each in known])
    return {row["number"]: row["checksum"] for row in await connection.fetch("-- applied\nselect number, checksum from migrations")}


def _check(applied: Mapping[int, str], known: list[Migration]) -> None:
    if unknown := applied.keys() - {each.number for each in known}:
        raise Refusal(
            f"The database is ahead of this version of Platea (it has migration {max(unknown)}).",
            "Start the newer version again, or restore the backup from before it.",
        )
    if changed := [each.file for each in known if applied.get(each.number, each.checksum) != each.checksum]:
        raise Refusal(
            f"A migration was changed after this database had got it: {', '.join(changed)}.",
            f"Put the files in {MIGRATIONS} back as they were released; a change to the database is a new migration.",
        )


async def _demand_one_version(connection: Connection) -> None:
    """Raises Refusal while services of another version are connected: a post migration takes away what they still need."""
    ours = ["platea doctor", *(version.application_name(service) for service in ("analysis", "export"))]
    if others := [row["service"] for row in await connection.fetch(_OTHER_SERVICES, ROLES, ours)]:
        raise Refusal(
            f"Services of another version are still connected to the database: {', '.join(others)}.",
            "Stop them, or update them to this version; then complete the migrations again.",
        )


async def _roles(connection: Connection, passwords: Mapping[str, str]) -> None:
    """Each service logs in as its own role, which may connect here and nothing more; tables are granted by the migrations."""
    database = await connection.fetchval("-- here\nselect current_database()")
    for role in ROLES:
        if not await connection.fetchval("-- role exists\nselect true from pg_roles where rolname = $1", role):
            await _execute(connection, "create role %I nologin", role)
        if role in passwords:
            await _execute(connection, "alter role %I login password %L", role, passwords[role])
        await _execute(connection, "grant connect, temporary on database %I to %I", database, role)
    await _execute(connection, "revoke connect, temporary on database %I from public", database)


async def _execute(connection: Connection, template: str, *names: str) -> None:
    """Runs a statement that takes no parameters; the server quotes the names."""
    places = ", ".join(f"${place}::text" for place in range(2, len(names) + 2))
    await connection.execute(await connection.fetchval(f"-- quote\nselect format($1, {places})", template, *names))


async def progress(url: str) -> tuple[int, dict[int, int]]:
    """The highest sequence the store has seen, and the position of each partition."""
    async with connected(url, "provisioning") as connection:
        positions = {row["partition"]: row["seq"] for row in await connection.fetch("-- positions\nselect partition, seq from positions")}
        return await highest(connection), positions


async def highest(connection: Connection) -> int:
    """The highest journal sequence in any table of the store."""
    return await connection.fetchval(
        """-- highest
        select coalesce(max(seq), 0) from (
            select max(seq) as seq from positions
            union all select max(seq) from responses
            union all select max(seq) from checkpoints
            union all select max(until) from retractions
            union all select max(seq) from erasures
            union all select max(seq) from parked
            union all select max(seq) from waiting
        ) as every_number"""
    )
