"""Brings a database to the state this version needs: its roles, then the numbered migrations, forward only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.database import Connection, connected
from deploy.refusal import Refusal

MIGRATIONS = Path(__file__).with_name("migrations")
ROLES = ("platea_analysis", "platea_export")
_LOCK = 0x706C61746561  # "platea": one migration at a time per database


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    text: str


def migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """In order. The file name is `NNNN_what.sql`."""
    files = sorted(folder.glob("[0-9]*_*.sql"))
    return [Migration(int(file.stem.partition("_")[0]), file.stem.partition("_")[2], file.read_text()) for file in files]


async def create_database(url: str) -> None:
    """Creates the database this address names, unless it exists."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    async with connected(urlunsplit(parts._replace(path="/postgres")), "provisioning") as connection:
        if not await connection.fetchval("-- exists\nselect true from pg_database where datname = $1", name):
            await _execute(connection, "create database %I", name)


async def migrate(url: str, passwords: Mapping[str, str] | None = None) -> int:
    """Runs what has not run yet and returns how many that were. `passwords` by role: those roles may log in with them."""
    async with connected(url, "provisioning") as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        await _roles(connection, passwords or {})
        return await _run_missing(connection)


async def _run_missing(connection: Connection) -> int:
    await connection.execute(
        "-- migrations\n"
        "create table if not exists migrations (number integer primary key, name text not null, applied timestamptz not null default now())"
    )
    done = {row["number"] for row in await connection.fetch("-- done\nselect number from migrations")}
    known = migrations()
    if unknown := done - {migration.number for migration in known}:
        raise Refusal(
            f"The database is ahead of this version of Platea (it has migration {max(unknown)}).",
            "Start the newer version again, or restore the backup from before it.",
        )
    missing = [migration for migration in known if migration.number not in done]
    for migration in missing:
        await connection.execute(migration.text)
        await connection.execute("-- note\ninsert into migrations (number, name) values ($1, $2)", migration.number, migration.name)
    return len(missing)


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
