"""The store of responses in PostgreSQL: the only place where analysis meets the database."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from proto import instrument as instruments
from proto.events import ResponseEvent
from proto.instrument import Instrument
from services.analysis.plan import Plan, Row, plan

log = logging.getLogger(__name__)

Unavailable = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncio.TimeoutError)
"""What a call may raise while the database is away; whoever calls tries again."""
Indigestible = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, UnicodeEncodeError)
"""What the database will never take, however often it is offered."""

PATIENCE = 120.0
"""Seconds for one statement. A database that stands still for a minute is waited for."""
PAGE = 2000
"""Rows that a stream holds in memory."""
LOCKS = 0x706C  # "pl": the first half of the advisory locks, one per partition


@dataclass(frozen=True, slots=True)
class Stored:
    """A response, or a former content of one, as rebuilding and recounting read it."""

    id: str
    version: str
    answers: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    seq: int
    codebook: str
    state: bytes


@dataclass(frozen=True, slots=True)
class Released:
    """The last state whose figures were made public."""

    version: str
    revision: int
    codebook: str
    as_of: str
    state: bytes


class Reading:
    """The store as it was at one moment."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def position(self, partition: int) -> int:
        """The last event of the partition that is recorded; 0 where there is none."""
        return await self._connection.fetchval("-- position\nselect coalesce(max(seq), 0) from positions where partition = $1", partition)

    async def checkpointed(self, survey: str, partition: int) -> int:
        """The position of the checkpoint; 0 where there is none."""
        return await self._connection.fetchval(
            "-- checkpointed\nselect coalesce(max(seq), 0) from checkpoints where survey = $1 and partition = $2", survey, partition
        )

    async def responses(self, survey: str, partition: int, after: int = 0) -> AsyncIterator[Stored]:
        """Responses recorded after this sequence."""
        text = """-- responses
            select id, version, answers from responses
            where survey = $1 and partition = $2 and seq > $3 and status = 'recorded'"""
        async for row in self._connection.cursor(text, survey, partition, after, prefetch=PAGE):
            yield Stored(row["id"].hex, row["version"], row["answers"])

    async def deleted(self, survey: str, partition: int | None = None) -> datetime.date | None:
        """The day on which answers to this survey, in this partition or any, began to be deleted; None where they are all there."""
        return await self._connection.fetchval(
            "-- deleted\nselect min(day) from deletions where survey = $1 and partition = coalesce($2, partition)", survey, partition
        )

    async def retractions(self, survey: str, partition: int, after: int) -> AsyncIterator[Stored]:
        """What counted at this sequence and was taken back later."""
        text = """-- retractions
            select id, version, answers from retractions
            where survey = $1 and partition = $2 and seq <= $3 and until > $3"""
        async for row in self._connection.cursor(text, survey, partition, after, prefetch=PAGE):
            yield Stored(row["id"].hex, row["version"], row["answers"])


class Lane(Reading):
    """One partition's own connection. It holds the partition's lock, so whoever loses it cannot write any more."""

    def __init__(self, connection: Any, partition: int) -> None:
        super().__init__(connection)
        self.partition = partition
        self._kept: set[tuple[str, str]] = set()
        """Versions of surveys that this connection has seen in the store."""

    async def record(
        self, events: Sequence[tuple[int, ResponseEvent]], parked: Sequence[tuple[int, str]], end: int, surveys: Iterable[Instrument]
    ) -> Plan:
        """Records a batch up to event `end` in one transaction: each response counts once, however often it is delivered.

        `surveys` are the instruments the batch refers to: no response is stored without.
        """
        new = {(one.id, one.version): one for one in surveys if (one.id, one.version) not in self._kept}
        async with self._connection.transaction():
            await self._connection.executemany(
                "-- survey\ninsert into surveys values ($1, $2, $3) on conflict do nothing",
                [(*key, instruments.encode(one).decode()) for key, one in new.items()],
            )
            made = plan(await self._known({event.id for _, event in events}), events)
            await self._write(made, end)
            await self._connection.executemany(
                "-- park\ninsert into parked (seq, partition, reason) values ($1, $2, $3) on conflict do nothing",
                [(seq, self.partition, reason) for seq, reason in parked],
            )
            await self._connection.execute(
                """-- move
                insert into positions (partition, seq) values ($1, $2)
                on conflict (partition) do update set seq = greatest(positions.seq, excluded.seq)""",
                self.partition,
                end,
            )
        self._kept |= new.keys()
        return made

    async def _known(self, ids: set[str]) -> dict[str, Row]:
        rows = await self._connection.fetch(
            "-- known\nselect id, seq, survey, version, language, answers, notice from responses where id = any($1::uuid[])", list(ids)
        )
        return {
            row["id"].hex: Row(row["seq"], row["survey"], row["version"], row["language"], row["answers"], row["notice"]) for row in rows
        }

    async def _write(self, made: Plan, end: int) -> None:
        if made.inserted:
            await self._connection.copy_records_to_table(
                "responses", records=[self._record(id, row) for id, row in made.inserted.items()], columns=_COLUMNS
            )
        if made.changed:
            await self._connection.executemany(
                """-- change
                update responses set survey = $2, version = $3, partition = $4, seq = $5, status = $6, language = $7, answers = $8,
                    notice = $9
                where id = $1""",
                [self._record(id, row) for id, row in made.changed.items()],
            )
        if made.retracted:
            await self._connection.executemany(
                """-- retract
                insert into retractions (seq, until, id, survey, partition, version, answers)
                values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing""",
                [(row.seq, end, id, row.survey, self.partition, row.version, row.answers) for id, row in made.retracted.items()],
            )
        if made.erased:
            await self._connection.execute(
                "-- erase\ninsert into erasures (seq) select unnest($1::bigint[]) on conflict do nothing", sorted(made.erased)
            )

    def _record(self, id: str, row: Row) -> tuple[Any, ...]:
        status = "withdrawn" if row.withdrawn else "recorded"
        return id, row.survey, row.version, self.partition, row.seq, status, row.language, row.answers, row.notice


_COLUMNS = ("id", "survey", "version", "partition", "seq", "status", "language", "answers", "notice")


class Store:
    """Opened lazily: the service starts, and waits, also while the database is away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    @asynccontextmanager
    async def lane(self, partition: int, refused: Callable[[], None]) -> AsyncGenerator[Lane]:
        """The right to write one partition. Calls `refused` and waits where another worker has it. Raises one of `Unavailable`."""
        connection: Any = await asyncpg.connect(  # pyright: ignore[reportUnknownVariableType]
            self._url, timeout=10, command_timeout=PATIENCE, server_settings=_SERVER
        )
        try:
            waited = False
            while not await connection.fetchval("-- claim\nselect pg_try_advisory_lock($1, $2)", LOCKS, partition):
                if not waited:
                    log.info("another worker has partition %d; waiting for it", partition)
                    refused()
                waited = True
                await asyncio.sleep(0.5)
            yield Lane(connection, partition)
        finally:
            connection.terminate()  # at once, also where the server no longer answers; it then frees the lock

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Reading]:
        """The store as it is now, for as long as the block lasts."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchval("-- begin\nselect 1")  # the first statement fixes the moment
            yield Reading(connection)

    async def checkpoint(self, survey: str, partition: int) -> Checkpoint | None:
        async with self._connection() as connection:
            row = await connection.fetchrow(
                "-- checkpoint\nselect seq, codebook, state from checkpoints where survey = $1 and partition = $2", survey, partition
            )
        return Checkpoint(row["seq"], row["codebook"], row["state"]) if row else None

    async def save_checkpoint(self, survey: str, partition: int, checkpoint: Checkpoint) -> None:
        async with self._connection() as connection, connection.transaction():
            await _replace_checkpoint(connection, survey, partition, checkpoint)

    async def progress(self, survey: str, partitions: Sequence[int]) -> dict[int, int]:
        """How far the checkpoints of these partitions are."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                "-- progress\nselect partition, seq from checkpoints where survey = $1 and partition = any($2::smallint[])",
                *(survey, list(partitions)),
            )
        return {row["partition"]: row["seq"] for row in rows}

    async def has_answers(self, survey: str, partition: int) -> bool:
        async with self._connection() as connection:
            return await connection.fetchval(
                """-- has answers
                select exists (select from responses where survey = $1 and partition = $2 and status = 'recorded')""",
                *(survey, partition),
            )

    async def delete_answers(self, survey: str, partition: int, checkpoint: Checkpoint, day: datetime.date, most: int) -> int:
        """Deletes answers of which this checkpoint tells the figures, with whatever else keeps them, and says how many it were.

        The checkpoint is written in the same transaction: at no moment do figures rest on answers that are gone.
        """
        async with self._connection() as connection, connection.transaction():
            await _replace_checkpoint(connection, survey, partition, checkpoint)
            await connection.execute(
                "-- note deletion\ninsert into deletions (survey, partition, day) values ($1, $2, $3) on conflict do nothing",
                *(survey, partition, day),
            )
            gone = await connection.fetch(
                """-- delete answers
                delete from responses where id in (
                    select id from responses
                    where survey = $1 and partition = $2 and seq <= $3 and status = 'recorded' limit $4
                ) returning seq""",
                *(survey, partition, checkpoint.seq, most),
            )
            await connection.execute(
                "-- erase deleted\ninsert into erasures (seq) select unnest($1::bigint[]) on conflict do nothing",
                [row["seq"] for row in gone],
            )
            await connection.execute("-- forget reviews\ndelete from text_reviews where survey = $1", survey)
            await connection.execute("-- forget ledgers\ndelete from release_ledgers where survey = $1", survey)
        return len(gone)

    async def released(self, survey: str) -> Released | None:
        async with self._connection() as connection:
            row = await connection.fetchrow(
                "-- released\nselect version, revision, codebook, as_of, state from released where survey = $1", survey
            )
        return Released(**dict(row)) if row else None

    async def save_released(self, survey: str, released: Released) -> None:
        async with self._connection() as connection:
            await connection.execute(
                """-- save released
                insert into released as old (survey, version, revision, codebook, as_of, state) values ($1, $2, $3, $4, $5, $6)
                on conflict (survey) do update set version = excluded.version, revision = excluded.revision,
                    codebook = excluded.codebook, as_of = excluded.as_of, state = excluded.state
                where old.revision <= excluded.revision""",
                *(survey, released.version, released.revision, released.codebook, released.as_of, released.state),
            )

    async def erasures(self, most: int) -> list[int]:
        """Messages that are still to be deleted from the journal."""
        async with self._connection() as connection:
            return [row["seq"] for row in await connection.fetch("-- erasures\nselect seq from erasures order by seq limit $1", most)]

    async def erased(self, seqs: Sequence[int]) -> None:
        async with self._connection() as connection:
            await connection.execute("-- erased\ndelete from erasures where seq = any($1::bigint[])", list(seqs))

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Any]:
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._url, min_size=0, max_size=4, timeout=10, command_timeout=PATIENCE, server_settings=_SERVER
            )
        async with self._pool.acquire(timeout=PATIENCE) as connection:
            yield connection


_SERVER = {"application_name": "platea analysis"}


async def _replace_checkpoint(connection: Any, survey: str, partition: int, checkpoint: Checkpoint) -> None:
    """Inside a transaction. Retractions that this checkpoint no longer counts go with the one it replaces."""
    await connection.execute(
        """-- save checkpoint
        insert into checkpoints as old (survey, partition, seq, codebook, state) values ($1, $2, $3, $4, $5)
        on conflict (survey, partition) do update set seq = excluded.seq, codebook = excluded.codebook, state = excluded.state
        where old.seq <= excluded.seq""",
        *(survey, partition, checkpoint.seq, checkpoint.codebook, checkpoint.state),
    )
    await connection.execute(
        "-- retracted\ndelete from retractions where survey = $1 and partition = $2 and until <= $3",
        *(survey, partition, checkpoint.seq),
    )
