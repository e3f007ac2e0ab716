"""Removes withdrawn or deleted answers from PostgreSQL's files. For a server of your own: `python -m deploy.provisioning.forgetting`.

A row that is changed or deleted leaves its bytes in the file of its table, vacuumed or not: vacuuming moves rows within a page, and where
they lay is free space that still says it. PostgreSQL's log has each row once more, with the time of its commit, in order. So tables in
which something was changed or deleted are written anew, and the log goes on in a new file; a checkpoint then deletes the former one.

What this does not reach: blocks that the file system has freed and not written again, copies, and replicas with a log of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping

import asyncpg
import msgspec

from deploy.database import Connection, connected
from services.runtime import settings

WAIT = "2s"
"""For a table that somebody reads; who comes after us would wait behind us."""
LONGEST = "120s"
"""For a table to be written anew, while nothing is recorded in it."""

_TABLES = """-- what was taken back
    select relid::regclass::text as name, n_tup_upd + n_tup_del as changes, pg_total_relation_size(relid) as bytes
    from pg_stat_all_tables where schemaname = 'public' or relid = 'pg_statistic'::regclass"""


class Forgetter:
    """Remembers what it has done; the first time it does everything."""

    def __init__(self, url: str) -> None:
        """`url` names the database with the rights of its owner, who may end a file of the log."""
        self._url = url
        self._done: dict[str, tuple[int, int]] = {}
        """By table: how many rows had been changed or deleted in it at the last two times."""
        self._written: int | None = None
        self._calm = False
        """Whether nothing was written before the last time, and nothing left undone. What is counted by table is known seconds later."""

    async def once(self, room: int) -> float:
        """Does what there is to do and returns the seconds for which tables were locked, one after the other.

        `room`: bytes that may be taken on the disk for a while; a larger table is left for later. Raises what asyncpg raises.
        """
        async with connected(self._url, "forgetting") as connection:
            idle = await _written(connection) == self._written
            if idle and self._calm:
                return 0.0
            begun = time.monotonic()
            left = await self._write_anew(connection, room)
            seconds = time.monotonic() - begun
            await connection.execute("-- a new file of the log\nselect pg_switch_wal()")
            await connection.execute("checkpoint")
            self._written, self._calm = await _written(connection), idle and not left
            return seconds

    async def _write_anew(self, connection: Connection, room: int) -> bool:
        """Returns whether tables are left to rewrite. Each is rewritten twice after a change: open snapshots keep old rows at first."""
        await connection.execute(f"set lock_timeout = '{WAIT}'; set statement_timeout = '{LONGEST}'")
        left = False
        for table in await connection.fetch(_TABLES):
            name: str = table["name"]
            changes: int = table["changes"]
            before = self._done.get(name, (-1, -1))
            if before != (changes, changes) and table["bytes"] <= room:
                with contextlib.suppress(asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError):
                    await connection.execute(f"vacuum (full) {name}")
                    self._done[name] = before[1], changes
            left |= self._done.get(name) != (changes, changes)
        await connection.execute("reset lock_timeout; reset statement_timeout")
        return left


async def _written(connection: Connection) -> int:
    """Grows with every transaction that writes."""
    return await connection.fetchval("-- written\nselect pg_snapshot_xmax(pg_current_snapshot())::text::bigint")


class ForgettingSettings(msgspec.Struct, frozen=True):
    database_url: str


def main(environment: Mapping[str, str]) -> None:
    """One pass, with the rights of the owner. Raises what asyncpg raises."""
    asyncio.run(Forgetter(settings.read(ForgettingSettings, environment).database_url).once(sys.maxsize))


if __name__ == "__main__":
    try:
        main(os.environ)
    except (settings.UnknownSetting, asyncpg.PostgresError, OSError) as error:
        sys.exit(f"PostgreSQL's files were not cleaned: {error}")
