"""Export's queries to PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from proto import manifest as manifests
from proto.manifest import Manifest
from services.runtime import version

_SERVER = {"application_name": version.application_name("export")}

_STANDING = """from responses
    where survey = $1 and status = 'recorded' and ($2::jsonb is null or case
        when late is null then seq <= ($2::jsonb ->> partition::text)::bigint
        else late <= ($2::jsonb ->> (partition || ' late'))::bigint end)"""

_RESPONSES = f"""-- responses
    select version, answers, id, language
    {_STANDING}"""

_EXTENT = f"""-- extent
    select partition, coalesce(max(seq) filter (where late is null), 0) as last, coalesce(max(late), 0) as late, count(*) as count
    {_STANDING}
    group by partition"""

_NEXT_NUMBER = """-- next_number
    select coalesce(max(number), 0) + 1
    from releases
    where survey = $1"""

_ENTER_RELEASE = """-- enter_release
    insert into releases (survey, number, profile, manifest, withdrawn, positions)
    values ($1, $2, $3, $4, $5, $6)"""

_POSITIONS = """-- release_positions
    select positions
    from releases
    where survey = $1 and number = $2"""

_WITHDRAWN = """-- withdrawn
    select count(*)
    from responses
    where survey = $1 and status = 'withdrawn'"""

_RELEASES = """-- releases
    select manifest, withdrawn
    from releases
    where survey = $1
    order by number"""

_LEDGER = """-- ledger
    select book
    from release_ledgers
    where survey = $1"""

_ENTER_LEDGER = """-- enter_ledger
    insert into release_ledgers as former (survey, number, book, texts)
    select $1::text, $2::integer, $3::bytea, $4::bytea
    where not exists (select from deletions where survey = $1)
    on conflict (survey) do update
    set number = excluded.number, book = excluded.book, texts = coalesce(excluded.texts, former.texts)"""

_TEXTS = """-- texts
    select id, version, language, array(
        select answers ->> question from unnest($2::text[]) with ordinality as asked (question, place) order by place
    ) as texts
    from responses
    where survey = $1 and status = 'recorded' and answers ?| $2::text[]"""

_TEXTS_OF = f"""{_TEXTS} and id = any($3::uuid[])"""

_TEXT_BOOK = """-- text_book
    select texts
    from release_ledgers
    where survey = $1"""

_DELETED = """-- deleted
    select min(day)
    from deletions
    where survey = $1"""

_DECISIONS = """-- decisions
    select handle, accepted
    from text_reviews
    where survey = $1"""

_DECIDE = """-- decide
    insert into text_reviews (survey, handle, accepted)
    values ($1, $2, $3)
    on conflict (survey, handle) do update set accepted = excluded.accepted"""

_FORGET = """-- forget
    delete from text_reviews
    where survey = $1 and handle = any($2::bytea[])"""

_AGAIN = 0.25
"""Seconds between two tries for the right to build."""

_LOCK = """-- lock_releases
    select pg_try_advisory_lock(hashtext('releases'), hashtext($1))"""


StoredResponse = tuple[str, str, bytes, str]
"""Version of the instrument, answers (JSON), id (16 bytes), language (empty where unknown)."""

Positions = dict[str, int]
"""Of each partition the place in the journal of the last response that counted, and the last late batch (`0 late`) that did."""


@dataclass(frozen=True)
class Responses:
    """The responses to a survey as of one moment."""

    count: int
    positions: Positions
    batches: AsyncIterator[list[StoredResponse]]


@dataclass(frozen=True)
class ReleaseEntry:
    """What is entered with a release: its manifest, its ledger, its book of texts, and what it was read from.

    Where it has no book of texts, the one that is there stays.
    """

    manifest: Manifest
    book: bytes
    texts: bytes | None
    positions: Positions


@dataclass(frozen=True)
class StoredRelease:
    """A release, and how many responses to its survey had been withdrawn when it was read (None: not known)."""

    manifest: Manifest
    withdrawn: int | None = None


@dataclass(frozen=True)
class Numbering:
    """The connection that holds the right to build, and the number of the release."""

    connection: Any
    survey: str
    number: int

    @asynccontextmanager
    async def entering(self, entry: ReleaseEntry, withdrawn: int) -> AsyncGenerator[None]:
        """What is entered is there when the block, which is short, succeeds. Raises asyncpg.UniqueViolationError on a number that is taken.

        `withdrawn`: how many responses were withdrawn when reading for this release began.
        """
        profile, body = entry.manifest.profile, msgspec.json.encode(entry.manifest).decode()
        positions = msgspec.json.encode(entry.positions).decode()
        async with self.connection.transaction():
            await self.connection.execute(_ENTER_RELEASE, self.survey, self.number, profile, body, withdrawn, positions)
            await self.connection.execute(_ENTER_LEDGER, self.survey, self.number, entry.book, entry.texts)
            yield


class Store:
    """A pool of connections with export's own role: it may read responses, write releases and decisions about texts, nothing else."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @staticmethod
    async def open(url: str) -> Store:
        """Connections are made when first needed, so the service also starts while the database is down."""
        return Store(await asyncpg.create_pool(url, min_size=0, max_size=4, command_timeout=60, server_settings=_SERVER))

    async def close(self) -> None:
        await self._pool.close()

    async def withdrawn(self, survey: str) -> int:
        """How many responses to this survey were withdrawn so far."""
        return await self._pool.fetchval(_WITHDRAWN, survey)

    @asynccontextmanager
    async def responses(self, survey: str, batch: int, until: Positions | None = None) -> AsyncGenerator[Responses]:
        """The responses recorded as of one moment, while the block lasts. `until`: only those unchanged since these positions."""
        order = (survey, None if until is None else msgspec.json.encode(until).decode())
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            extent = await connection.fetch(_EXTENT, *order)

            async def batches() -> AsyncIterator[list[StoredResponse]]:
                cursor = await connection.cursor(_RESPONSES, *order)
                while rows := await cursor.fetch(batch):
                    yield [(row["version"], row["answers"], row["id"].bytes, row["language"] or "") for row in rows]

            positions = {str(row["partition"]): row["last"] for row in extent} | {
                f"{row['partition']} late": row["late"] for row in extent if row["late"]
            }
            yield Responses(sum(row["count"] for row in extent), positions, batches())

    async def positions(self, survey: str, number: int) -> Positions | None:
        """What a release was read from; None where that was not kept, as with the oldest."""
        stored: str | None = await self._pool.fetchval(_POSITIONS, survey, number)
        return None if stored is None else msgspec.json.decode(stored, type=Positions)

    async def texts(
        self, survey: str, questions: Sequence[str], batch: int, ids: Sequence[bytes] | None = None
    ) -> AsyncIterator[list[tuple[bytes, str, str, list[str | None]]]]:
        """Id, version, language and the answer to each of these questions, of the responses that answered one, as of one moment.

        `ids`: of these responses alone.
        """
        order: list[Any] = [survey, list(questions)] if ids is None else [survey, list(questions), [UUID(bytes=id) for id in ids]]
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await connection.cursor(_TEXTS if ids is None else _TEXTS_OF, *order)
            while rows := await cursor.fetch(batch):
                yield [(row["id"].bytes, row["version"], row["language"] or "", row["texts"]) for row in rows]

    async def deleted(self, survey: str) -> date | None:
        """The day on which the answers to this survey were deleted; None where they are there."""
        return await self._pool.fetchval(_DELETED, survey)

    async def mended(self) -> bool:
        """Whether stored responses were ever put into the journal again, under other numbers than those a release was read by."""
        return await self._pool.fetchval("-- mended\nselect exists (select from journals where moved > 0)")

    async def decisions(self, survey: str) -> dict[bytes, bool]:
        """Of each text that was decided on, by its handle, whether it was accepted."""
        return {row["handle"]: row["accepted"] for row in await self._pool.fetch(_DECISIONS, survey)}

    async def decide(self, survey: str, decided: Mapping[bytes, bool | None]) -> None:
        """All of it or nothing. None takes a decision back."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_FORGET, survey, [handle for handle, accepted in decided.items() if accepted is None])
            entered = [(survey, handle, accepted) for handle, accepted in sorted(decided.items()) if accepted is not None]
            await connection.executemany(_DECIDE, entered)

    async def text_book(self, survey: str) -> bytes | None:
        """The book of the texts in the releases of this survey; None where there were none."""
        return await self._pool.fetchval(_TEXT_BOOK, survey)

    @asynccontextmanager
    async def building(self, survey: str) -> AsyncGenerator[Numbering]:
        """The right to build the next release of this survey, which one alone has at a time; waits for it. No transaction stays open.

        PostgreSQL holds it for a connection: it ends with the block, with the process, or with the connection, and then nothing is entered.
        """
        async with self._pool.acquire() as connection:
            while not await connection.fetchval(_LOCK, survey):  # noqa: ASYNC110  PostgreSQL tells nobody when it is free again
                await asyncio.sleep(_AGAIN)
            yield Numbering(connection, survey, await connection.fetchval(_NEXT_NUMBER, survey))  # the pool gives back what is locked

    async def ledger(self, survey: str) -> bytes | None:
        """The book of the releases of this survey, whatever their profile; None before the first."""
        return await self._pool.fetchval(_LEDGER, survey)

    async def releases(self, survey: str) -> list[Manifest]:
        return [row.manifest for row in await self.published(survey)]

    async def published(self, survey: str) -> list[StoredRelease]:
        """The releases, oldest first."""
        rows = await self._pool.fetch(_RELEASES, survey)
        return [StoredRelease(manifests.decode(row["manifest"].encode()), row["withdrawn"]) for row in rows]

    async def ping(self) -> bool:
        """Whether the database answers within 2 s. Raises one of `Unavailable`."""
        return await self._pool.fetchval("-- ping\n    select 1", timeout=2) == 1
