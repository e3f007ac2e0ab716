"""What export reads from and writes to PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from proto import manifest as manifests
from proto.manifest import Manifest

_RESPONSES = """-- responses
    select version, answers, id, language
    from responses
    where survey = $1 and status = 'recorded'"""

_COUNT = """-- count
    select count(*)
    from responses
    where survey = $1 and status = 'recorded'"""

_NEXT_NUMBER = """-- next_number
    select coalesce(max(number), 0) + 1
    from releases
    where survey = $1"""

_ENTER_RELEASE = """-- enter_release
    insert into releases (survey, number, profile, manifest, withdrawn)
    values ($1, $2, $3, $4, $5)"""

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
    where survey = $1 and profile = $2"""

_ENTER_LEDGER = """-- enter_ledger
    insert into release_ledgers (survey, profile, number, book, texts)
    select $1::text, $2::text, $3::integer, $4::bytea, $5::bytea
    where not exists (select from deletions where survey = $1)
    on conflict (survey, profile) do update set number = excluded.number, book = excluded.book, texts = excluded.texts"""

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
    where survey = $1 and profile = $2"""

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

_LOCK = """-- lock_releases
    select pg_advisory_xact_lock(hashtext('releases'), hashtext($1))"""


@dataclass(frozen=True)
class Published:
    """A release, and how many responses to its survey had been withdrawn when it was read (None: not known)."""

    manifest: Manifest
    withdrawn: int | None = None


OUTAGES = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError)
"""What is raised while the database is out of reach."""


class Store:
    """A pool of connections with export's own role: it may read responses, write releases and decisions about texts, nothing else."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @staticmethod
    async def open(url: str) -> Store:
        """Connections are made when first needed, so the service also starts while the database is down."""
        return Store(await asyncpg.create_pool(url, min_size=0, max_size=4, command_timeout=60))

    async def close(self) -> None:
        await self._pool.close()

    async def count(self, survey: str) -> int:
        """How many responses there are to read; by the time they are read there may be others."""
        return await self._pool.fetchval(_COUNT, survey)

    async def withdrawn(self, survey: str) -> int:
        """How many responses to this survey were withdrawn so far."""
        return await self._pool.fetchval(_WITHDRAWN, survey)

    async def responses(self, survey: str, batch: int) -> AsyncIterator[list[tuple[str, str, bytes, str]]]:
        """Version, answers (JSON), id and language of the responses that count, so many at a time, as of one moment."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await connection.cursor(_RESPONSES, survey)
            while rows := await cursor.fetch(batch):
                yield [(row["version"], row["answers"], row["id"].bytes, row["language"] or "") for row in rows]

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

    async def decisions(self, survey: str) -> dict[bytes, bool]:
        """Of each text that was decided on, by its handle, whether it was accepted."""
        return {row["handle"]: row["accepted"] for row in await self._pool.fetch(_DECISIONS, survey)}

    async def decide(self, survey: str, decided: Mapping[bytes, bool | None]) -> None:
        """All of it or nothing. None takes a decision back."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_FORGET, survey, [handle for handle, accepted in decided.items() if accepted is None])
            entered = [(survey, handle, accepted) for handle, accepted in sorted(decided.items()) if accepted is not None]
            await connection.executemany(_DECIDE, entered)

    async def text_book(self, survey: str, profile: str) -> bytes | None:
        """The book of the texts in the releases of this survey with this profile; None where there were none."""
        return await self._pool.fetchval(_TEXT_BOOK, survey, profile)

    @asynccontextmanager
    async def numbering(self, survey: str, withdrawn: int) -> AsyncGenerator[tuple[int, Callable[[Manifest, bytes, bytes | None], None]]]:
        """The next number of this survey, held until the block ends. What is entered is there when the block succeeds.

        A manifest is entered with its ledger and its book of texts.

        `withdrawn`: how many responses were withdrawn when reading for this release began.
        """
        entered: list[tuple[Manifest, bytes, bytes | None]] = []
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, survey)
            number: int = await connection.fetchval(_NEXT_NUMBER, survey)
            yield number, lambda manifest, book, texts: entered.append((manifest, book, texts))
            for manifest, book, texts in entered:
                body = msgspec.json.encode(manifest).decode()
                await connection.execute(_ENTER_RELEASE, survey, number, manifest.profile, body, withdrawn)
                await connection.execute(_ENTER_LEDGER, survey, manifest.profile, number, book, texts)

    async def ledger(self, survey: str, profile: str) -> bytes | None:
        """The book of the releases of this survey with this profile; None before the first."""
        return await self._pool.fetchval(_LEDGER, survey, profile)

    async def releases(self, survey: str) -> list[Manifest]:
        return [each.manifest for each in await self.published(survey)]

    async def published(self, survey: str) -> list[Published]:
        """The releases, oldest first."""
        rows = await self._pool.fetch(_RELEASES, survey)
        return [Published(manifests.decode(row["manifest"].encode()), row["withdrawn"]) for row in rows]

    async def answers(self) -> bool:
        """Whether the database answers."""
        return await self._pool.fetchval("-- ping\n    select 1", timeout=2) == 1
