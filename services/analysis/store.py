"""The store of responses in PostgreSQL. No other module of analysis speaks to the database."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from proto import instrument as instruments
from proto.instrument import Instrument
from services.analysis.records import (
    BEGINNING,
    NEWER,
    UNPUBLISHED,
    Changes,
    Checkpoint,
    JournalClaim,
    Position,
    ResponseRow,
    StoredEdition,
    StoredResponse,
    Unread,
    WaitingEvent,
)
from services.runtime import version

log = logging.getLogger(__name__)

Indigestible = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, UnicodeEncodeError)
"""What the database refuses for the content of a row, however often it is tried."""

PATIENCE = 120.0
"""Seconds for one statement. A database that stalls for a minute is waited for."""
LOOK = 3
"""Seconds for the database to say which partitions are held."""
PAGE = 2000
"""Rows that a cursor holds in memory."""
TRIED = 4
"""Responses of each survey and partition that the journal is checked against."""
LOCKS = 0x706C  # "pl": the first half of the advisory locks, one per partition
_SERVER = {"application_name": version.application_name("analysis")}
_ANY = 2**62


class ReadSnapshot:
    """The store at one moment: all reads see the same data."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def position(self, partition: int) -> Position:
        """Returns how far the partition is recorded."""
        row = await self._connection.fetchrow("-- position\nselect seq, late from positions where partition = $1", partition)
        return Position(row["seq"], row["late"]) if row else Position()

    async def claim(self) -> JournalClaim:
        """Returns which journal the store was recorded from, with the last responses of each survey and partition to check it against."""
        journal = await self._connection.fetchrow("-- journal\nselect id, settled from journals order by number desc limit 1")
        known = await self._connection.fetch(
            """-- known numbers
            select last.seq, last.id
            from (select distinct survey from surveys) as every_survey, positions, lateral (
                select seq, id from responses
                where survey = every_survey.survey and partition = positions.partition order by seq desc limit $1
            ) as last""",
            TRIED,
        )
        highest = await self._connection.fetchval("-- highest position\nselect coalesce(max(seq), 0) from positions")
        numbers = [(row["seq"], row["id"].hex) for row in known]
        if journal is None:
            return JournalClaim(highest, numbers)
        return JournalClaim(highest, numbers, journal["id"], journal["settled"])

    async def checkpointed(self, survey: str, partition: int) -> Position:
        """Returns the position of the checkpoint; the beginning where there is none."""
        row = await self._connection.fetchrow(
            "-- checkpointed\nselect seq, late from checkpoints where survey = $1 and partition = $2", survey, partition
        )
        return Position(row["seq"], row["late"]) if row else Position()

    async def checkpoint(self, survey: str, partition: int) -> Checkpoint | None:
        return await _checkpoint(self._connection, survey, partition)

    async def responses(self, survey: str, partition: int, after: Position = BEGINNING) -> AsyncIterator[StoredResponse]:
        """Yields the responses recorded after this position."""
        text = """-- responses
            select id, version, answers from responses
            where survey = $1 and partition = $2 and late is null and seq > $3 and status = 'recorded'
            union all
            select id, version, answers from responses
            where survey = $1 and partition = $2 and late > $4 and status = 'recorded'"""
        async for row in self._connection.cursor(text, survey, partition, *after, prefetch=PAGE):
            yield StoredResponse(row["id"].hex, row["version"], row["answers"])

    async def counted(self, survey: str, partition: int, at: Position) -> AsyncIterator[StoredResponse]:
        """Yields what a count at this position contains: responses recorded until then, and those retracted since."""
        text = """-- counted
            select id, version, answers from responses
            where survey = $1 and partition = $2 and case when late is null then seq <= $3 else late <= $4 end and status = 'recorded'"""
        async for row in self._connection.cursor(text, survey, partition, *at, prefetch=PAGE):
            yield StoredResponse(row["id"].hex, row["version"], row["answers"])
        async for former in self.retractions(survey, partition, at):
            yield former

    async def stored(self, survey: str) -> int:
        """Returns how many responses are recorded, in all partitions."""
        return await self._connection.fetchval(
            "-- stored\nselect count(*) from responses where survey = $1 and status = 'recorded'", survey
        )

    async def stored_after(self, survey: str, partition: int, at: Position) -> int:
        """Returns how many responses of the partition were recorded after this position."""
        return await self._connection.fetchval(
            """-- stored after
            select count(*) from responses
            where survey = $1 and partition = $2 and case when late is null then seq > $3 else late > $4 end and status = 'recorded'""",
            *(survey, partition, *at),
        )

    async def unrecorded(self, survey: str) -> int:
        """Returns how many events about this survey are parked or waiting."""
        return await self._connection.fetchval(
            """-- unrecorded
            select (select count(*) from waiting where survey = $1) + (select count(*) from parked where survey = $1)""",
            survey,
        )

    async def held(self) -> frozenset[int]:
        """Returns the partitions that some worker holds, by the advisory locks of the database."""
        return await _held(self._connection)

    async def deleted(self, survey: str, partition: int | None = None) -> datetime.date | None:
        """Returns the first day on which answers to this survey, in this partition or in any, were deleted; None where none were."""
        return await self._connection.fetchval(
            "-- deleted\nselect min(day) from deletions where survey = $1 and partition = coalesce($2, partition)", survey, partition
        )

    async def retractions(self, survey: str, partition: int, after: Position) -> AsyncIterator[StoredResponse]:
        """Yields what was counted at this position and retracted later."""
        text = """-- retractions
            select id, version, answers from retractions
            where survey = $1 and partition = $2 and case when late is null then seq <= $3 else late <= $4 end
                and (until > $3 or until_late > $4)"""
        async for row in self._connection.cursor(text, survey, partition, *after, prefetch=PAGE):
            yield StoredResponse(row["id"].hex, row["version"], row["answers"])


class PartitionLease(ReadSnapshot):
    """The right to write one partition: a connection that holds the partition's advisory lock. With the connection the right is lost."""

    def __init__(self, connection: Any, partition: int) -> None:
        super().__init__(connection)
        self.partition = partition
        self.waiting: dict[int, WaitingEvent] = {}
        self.again: set[int] = set()
        """The waiting events that an organiser wants read again."""
        self.parked: set[int] = set()
        self._versions: set[tuple[str, str]] = set()
        """Versions of surveys that this connection has found or put in the store."""

    @property
    def unread(self) -> set[int]:
        """Sequences of the journal that were passed and are not recorded."""
        return self.waiting.keys() | self.parked

    async def look(self) -> bool:
        """Returns whether others changed what is unread. Raises one of `Unavailable` where the lock is lost."""
        counts = await self._connection.fetchrow(
            """-- look
            select (select count(*) from waiting where partition = $1) as waiting,
                (select count(*) from waiting where partition = $1 and again) as again,
                (select count(*) from parked where partition = $1) as parked""",
            self.partition,
        )
        if tuple(counts) == (len(self.waiting), len(self.again), len(self.parked)):
            return False
        await self.load()
        return True

    async def load(self) -> None:
        """Reads what is unread from the store."""
        waiting = await self._connection.fetch(
            "-- waiting\nselect seq, survey, version, id, again from waiting where partition = $1 order by seq", self.partition
        )
        parked = await self._connection.fetch("-- parked\nselect seq from parked where partition = $1", self.partition)
        self.waiting = {row["seq"]: _waiting(row) for row in waiting}
        self.again = {row["seq"] for row in waiting if row["again"]}
        self.parked = {row["seq"] for row in parked}

    @asynccontextmanager
    async def recording(self, surveys: Iterable[Instrument]) -> AsyncGenerator[Recording]:
        """One transaction that records a batch: it commits when the block ends. What is unread changes here only after the commit.

        `surveys`: the instruments that the batch refers to. They are stored first: no response is stored without its instrument.
        """
        new = {(one.id, one.version): one for one in surveys if (one.id, one.version) not in self._versions}
        async with self._connection.transaction():
            await self._connection.executemany(
                "-- survey\ninsert into surveys values ($1, $2, $3) on conflict do nothing",
                [(*key, instruments.encode(one).decode()) for key, one in new.items()],
            )
            recording = Recording(self._connection, self.partition, bool(self.unread))
            yield recording
        self._versions |= new.keys()
        self._forget(recording.read)
        self.waiting |= {event.seq: event for event in recording.unread.waiting}
        self.parked |= {event.seq for event in recording.unread.parked}
        self._forget(recording.superseded)
        self.parked -= recording.superseded

    def _forget(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self.waiting.pop(seq, None)
            self.again.discard(seq)


class Recording:
    """The open transaction of one batch. `write` or `write_late` is called once."""

    def __init__(self, connection: Any, partition: int, any_unread: bool) -> None:
        self._connection, self._partition, self._any_unread = connection, partition, any_unread
        self.unread = Unread()
        """What the batch leaves unread."""
        self.read: Sequence[int] = ()
        """Sequences of events that wait no longer."""
        self.superseded: set[int] = set()
        """Sequences of unread events that nothing can come of any more."""

    async def known(self, ids: Iterable[str]) -> dict[str, ResponseRow]:
        """Returns the stored responses with these ids."""
        rows = await self._connection.fetch(
            "-- known\nselect id, seq, survey, version, language, answers, notice, late from responses where id = any($1::uuid[])",
            list(ids),
        )
        return {
            row["id"].hex: ResponseRow(
                row["seq"], row["survey"], row["version"], row["language"], row["answers"], row["notice"], row["late"]
            )
            for row in rows
        }

    async def write(self, changes: Changes, unread: Unread, end: int) -> None:
        """Writes the changes in turn, and moves the position to the sequence `end`."""
        await self._write(changes, end, None)
        await self._set_aside(unread)
        await self._supersede(changes)
        await self._connection.execute(
            """-- move
            insert into positions (partition, seq) values ($1, $2)
            on conflict (partition) do update set seq = greatest(positions.seq, excluded.seq)""",
            self._partition,
            end,
        )

    async def write_late(self, changes: Changes, unread: Unread, read: Sequence[int]) -> int:
        """Writes the changes as the next late batch, and returns its number.

        `read`: the sequences of all events that were read again; of these, what is not in `unread` waits no longer.
        """
        late: int = await self._connection.fetchval(
            """-- move late
            insert into positions (partition, seq, late) values ($1, 0, 1)
            on conflict (partition) do update set late = positions.late + 1 returning late""",
            self._partition,
        )
        await self._write(changes, None, late)
        await self._connection.execute("-- read\ndelete from waiting where seq = any($1::bigint[])", list(read))
        self.read = read
        await self._set_aside(unread)
        await self._supersede(changes)
        return late

    async def _write(self, changes: Changes, end: int | None, late: int | None) -> None:
        """`end`: of a batch in turn; `late`: the number of a late batch."""
        if changes.inserted:
            await self._connection.copy_records_to_table(
                "responses", records=[self._record(id, row, late) for id, row in changes.inserted.items()], columns=_COLUMNS
            )
        if changes.changed:
            await self._connection.executemany(
                """-- change
                update responses set survey = $2, version = $3, partition = $4, seq = $5, status = $6, language = $7, answers = $8,
                    notice = $9, late = $10
                where id = $1""",
                [self._record(id, row, late) for id, row in changes.changed.items()],
            )
        if changes.retracted:
            await self._connection.executemany(
                """-- retract
                insert into retractions (seq, until, id, survey, partition, version, answers, late, until_late)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing""",
                [
                    (row.seq, end, id, row.survey, self._partition, row.version, row.answers, row.late, late)
                    for id, row in changes.retracted.items()
                ],
            )
        await self._erase(changes.erased)

    async def _erase(self, seqs: Iterable[int]) -> None:
        """Notes messages to be deleted from the journal."""
        if noted := sorted(seqs):
            await self._connection.execute("-- erase\ninsert into erasures (seq) select unnest($1::bigint[]) on conflict do nothing", noted)

    async def _set_aside(self, unread: Unread) -> None:
        self.unread = unread
        await self._connection.executemany(
            """-- wait
            insert into waiting (seq, partition, id, survey, version) values ($1, $2, $3, $4, $5) on conflict do nothing""",
            [(event.seq, self._partition, event.id, event.survey, event.version) for event in unread.waiting],
        )
        await self._connection.executemany(
            "-- park\ninsert into parked (seq, partition, reason, survey, id) values ($1, $2, $3, $4, $5) on conflict do nothing",
            [(event.seq, self._partition, event.reason, event.survey, event.id) for event in unread.parked],
        )

    async def _supersede(self, changes: Changes) -> None:
        """Deletes unread events about responses that a later event changed, or that were withdrawn. Nothing can come of them any more, and
        their content must not stay in the journal."""
        rows = changes.inserted | changes.changed
        for table in ("waiting", "parked") if rows and (self.unread or self._any_unread) else ():
            superseded = await self._connection.fetch(
                f"""-- superseded
                delete from {table} as unread using unnest($1::uuid[], $2::bigint[]) as now (id, seq)
                where unread.id = now.id and unread.seq < now.seq returning unread.seq""",  # noqa: S608
                list(rows),
                [_ANY if row.withdrawn else row.seq for row in rows.values()],
            )
            self.superseded |= {row["seq"] for row in superseded}
        await self._erase(self.superseded)

    def _record(self, id: str, row: ResponseRow, late: int | None) -> tuple[Any, ...]:
        status = "withdrawn" if row.withdrawn else "recorded"
        return id, row.survey, row.version, self._partition, row.seq, status, row.language, row.answers, row.notice, late


_COLUMNS = ("id", "survey", "version", "partition", "seq", "status", "language", "answers", "notice", "late")


def _waiting(row: Any) -> WaitingEvent:
    return WaitingEvent(row["seq"], row["survey"], row["version"], row["id"].hex if row["id"] else None)


class Store:
    """Connects lazily, so that the service can start and wait while the database is away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None
        self._watching: Any = None

    async def close(self) -> None:
        for opened in (self._pool, self._watching):
            if opened is not None:
                opened.terminate()

    @asynccontextmanager
    async def lease(self, partition: int, refused: Callable[[], None]) -> AsyncGenerator[PartitionLease]:
        """The lease of a partition, until the block ends. Calls `refused` and waits while another worker holds it. Raises `Unavailable`.

        Who held it half a second before may be this worker itself, on a connection that broke: then counts stay in use.
        """
        connection: Any = await asyncpg.connect(  # pyright: ignore[reportUnknownVariableType]
            self._url, timeout=10, command_timeout=PATIENCE, server_settings=_SERVER
        )
        try:
            tries = 0
            while not await connection.fetchval("-- claim\nselect pg_try_advisory_lock($1, $2)", LOCKS, partition):
                tries += 1
                if tries == 2:
                    log.info("another worker has the partition; waiting for it", extra={"partition": partition})
                    refused()
                await asyncio.sleep(0.5)
            yield PartitionLease(connection, partition)
        finally:
            connection.terminate()  # at once, also where the server no longer answers; it then frees the lock

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[ReadSnapshot]:
        """A snapshot of the store as it is now, until the block ends."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchval("-- begin\nselect 1")  # the first statement fixes the moment
            yield ReadSnapshot(connection)

    async def checkpoint(self, survey: str, partition: int) -> Checkpoint | None:
        async with self._connection() as connection:
            return await _checkpoint(connection, survey, partition)

    async def positions(self) -> dict[int, Position]:
        """Returns how far each partition is recorded."""
        async with self._connection() as connection:
            rows = await connection.fetch("-- positions\nselect partition, seq, late from positions")
        return {row["partition"]: Position(row["seq"], row["late"]) for row in rows}

    async def look(self) -> frozenset[int]:
        """Returns the partitions that some worker holds. Raises one of `Unavailable`.

        It has its own connection and takes at most LOOK seconds, so it never waits for other statements, nor they for it.
        """
        try:
            if self._watching is None:
                self._watching = await asyncpg.connect(self._url, timeout=LOOK, command_timeout=LOOK, server_settings=_SERVER)  # pyright: ignore[reportUnknownVariableType]
            return await _held(self._watching)
        except BaseException:
            if self._watching is not None:
                self._watching.terminate()
                self._watching = None
            raise

    async def save_checkpoint(self, survey: str, partition: int, checkpoint: Checkpoint) -> None:
        async with self._connection() as connection, connection.transaction():
            await _replace_checkpoint(connection, survey, partition, checkpoint)

    async def progress(self, survey: str, partitions: Sequence[int]) -> dict[int, Position]:
        """Returns the positions of the checkpoints of these partitions."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                "-- progress\nselect partition, seq, late from checkpoints where survey = $1 and partition = any($2::smallint[])",
                *(survey, list(partitions)),
            )
        return {row["partition"]: Position(row["seq"], row["late"]) for row in rows}

    async def has_answers(self, survey: str, partition: int) -> bool:
        async with self._connection() as connection:
            return await connection.fetchval(
                """-- has answers
                select exists (select from responses where survey = $1 and partition = $2 and status = 'recorded')""",
                *(survey, partition),
            )

    async def delete_answers(self, survey: str, partition: int, checkpoint: Checkpoint, day: datetime.date, most: int) -> int:
        """Deletes at most `most` answers that this checkpoint counts, with everything derived from them, and returns how many.

        The checkpoint is written in the same transaction: at no moment do figures depend on answers that are deleted.
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
                    where survey = $1 and partition = $2 and case when late is null then seq <= $3 else late <= $4 end
                        and status = 'recorded' limit $5
                ) returning seq""",
                *(survey, partition, *checkpoint.at, most),
            )
            await connection.execute(
                "-- erase deleted\ninsert into erasures (seq) select unnest($1::bigint[]) on conflict do nothing",
                [row["seq"] for row in gone],
            )
            await connection.execute("-- forget reviews\ndelete from text_reviews where survey = $1", survey)
            await connection.execute("-- forget ledgers\ndelete from release_ledgers where survey = $1", survey)
        return len(gone)

    async def delete_unread(self, survey: str, partition: int, known: Sequence[str]) -> int:
        """Erases the unread events of a survey whose answers are deleted, and returns how many there were.

        Keeps answers to versions that are `known`, which are about to be recorded.
        """
        async with self._connection() as connection, connection.transaction():
            rows = await connection.fetch(
                """-- delete unread
                with gone as (
                    delete from waiting
                    where survey = $1 and partition = $2 and not again and (version is null or version <> all ($3::text[])) returning seq
                ), given_up as (
                    delete from parked where survey = $1 and partition = $2 returning seq
                )
                insert into erasures (seq) select seq from gone union select seq from given_up on conflict do nothing returning seq""",
                *(survey, partition, list(known)),
            )
        return len(rows)

    async def unread(self, most: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """Returns at most `most` parked and waiting events, and how many there are of each."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                """-- unread
                select seq, partition, survey, null as version, reason, 'parked' as state from parked
                union all
                select seq, partition, survey, version, case when version is null then $2 else $3 end, 'waiting' from waiting
                order by state, seq limit $1""",
                *(most, NEWER, UNPUBLISHED),
            )
            count = await connection.fetchrow(
                "-- count unread\nselect (select count(*) from parked) as parked, (select count(*) from waiting) as waiting"
            )
        return [dict(row) for row in rows], dict(count)

    async def read_again(self, seqs: Sequence[int] | None) -> list[int]:
        """Marks parked events (all, or these) to be read again by the worker that holds their partition. Returns their sequences."""
        async with self._connection() as connection, connection.transaction():
            rows = await connection.fetch(
                """-- unpark
                delete from parked where $1::bigint[] is null or seq = any($1::bigint[]) returning seq, partition, id, survey""",
                None if seqs is None else list(seqs),
            )
            await connection.executemany(
                """-- read again
                insert into waiting (seq, partition, id, survey, again) values ($1, $2, $3, $4, true)
                on conflict (seq) do update set again = true""",
                [(row["seq"], row["partition"], row["id"], row["survey"] or "") for row in rows],
            )
        return [row["seq"] for row in rows]

    async def unread_among(self, seqs: Sequence[int]) -> dict[str, int]:
        """Returns how many of these are still to be read again, wait, and are parked."""
        async with self._connection() as connection:
            row = await connection.fetchrow(
                """-- unread among
                select (select count(*) from waiting where again and seq = any($1::bigint[])) as again,
                    (select count(*) from waiting where not again and seq = any($1::bigint[])) as waiting,
                    (select count(*) from parked where seq = any($1::bigint[])) as parked""",
                list(seqs),
            )
        return dict(row)

    async def to_drop(self, seqs: Sequence[int] | None) -> list[int]:
        """Returns which events would be dropped: these, parked or waiting; without `seqs` all parked ones."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                """-- to drop
                select seq from parked where $1::bigint[] is null or seq = any($1::bigint[])
                union select seq from waiting where seq = any($1::bigint[]) order by seq""",
                None if seqs is None else list(seqs),
            )
        return [row["seq"] for row in rows]

    async def dropped(self, seqs: Sequence[int]) -> None:
        """Deletes events that were erased from the journal."""
        async with self._connection() as connection:
            for table in ("parked", "waiting"):
                await connection.execute(f"-- dropped\ndelete from {table} where seq = any($1::bigint[])", list(seqs))

    async def edition(self, survey: str) -> StoredEdition | None:
        async with self._connection() as connection:
            row = await connection.fetchrow(
                "-- released\nselect version, revision, codebook, as_of, state from released where survey = $1", survey
            )
        return StoredEdition(**dict(row)) if row else None

    async def save_edition(self, survey: str, edition: StoredEdition, after: int | None) -> bool:
        """Writes an edition only if the stored revision is still `after` (None: there is none), and returns whether it did.

        So no number of an edition is ever used for two states, even where two workers publish.
        """
        async with self._connection() as connection:
            written = await connection.fetchval(
                """-- save released
                insert into released as old (survey, version, revision, codebook, as_of, state) values ($1, $2, $3, $4, $5, $6)
                on conflict (survey) do update set version = excluded.version, revision = excluded.revision,
                    codebook = excluded.codebook, as_of = excluded.as_of, state = excluded.state
                where old.revision = $7 returning revision""",
                *(survey, edition.version, edition.revision, edition.codebook, edition.as_of, edition.state, after),
            )
        return written is not None

    async def erasures(self, most: int) -> list[int]:
        """Returns at most `most` messages that are still to be deleted from the journal."""
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


async def _checkpoint(connection: Any, survey: str, partition: int) -> Checkpoint | None:
    row = await connection.fetchrow(
        "-- checkpoint\nselect seq, late, codebook, state from checkpoints where survey = $1 and partition = $2", survey, partition
    )
    return Checkpoint(Position(row["seq"], row["late"]), row["codebook"], row["state"]) if row else None


async def _held(connection: Any) -> frozenset[int]:
    rows = await connection.fetch(
        """-- held
        select objid::integer as partition from pg_locks
        where locktype = 'advisory' and classid = $1 and objsubid = 2 and granted
            and database = (select oid from pg_database where datname = current_database())""",
        LOCKS,
    )
    return frozenset(row["partition"] for row in rows)


async def _replace_checkpoint(connection: Any, survey: str, partition: int, checkpoint: Checkpoint) -> None:
    """Inside a transaction. Deletes the retractions that the new checkpoint no longer counts."""
    await connection.execute(
        """-- save checkpoint
        insert into checkpoints as old (survey, partition, seq, late, codebook, state) values ($1, $2, $3, $4, $5, $6)
        on conflict (survey, partition) do update
        set seq = excluded.seq, late = excluded.late, codebook = excluded.codebook, state = excluded.state
        where old.seq <= excluded.seq and old.late <= excluded.late""",
        *(survey, partition, *checkpoint.at, checkpoint.codebook, checkpoint.state),
    )
    await connection.execute(
        "-- retracted\ndelete from retractions where survey = $1 and partition = $2 and (until <= $3 or until_late <= $4)",
        *(survey, partition, *checkpoint.at),
    )
