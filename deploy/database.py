"""Opens a connection to PostgreSQL, with the types that asyncpg does not have."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import asyncpg

Row = Mapping[str, Any]
"""Columns by name."""


class Connection(Protocol):
    """What is used of `asyncpg.Connection`. All methods raise what asyncpg raises."""

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str: ...
    async def executemany(self, command: str, args: Sequence[Sequence[object]]) -> None: ...
    async def fetch(self, query: str, *args: object) -> list[Row]: ...
    async def fetchrow(self, query: str, *args: object) -> Row | None: ...
    async def fetchval(self, query: str, *args: object) -> Any: ...
    def cursor(self, query: str, *args: object, prefetch: int = 50) -> AsyncIterable[Row]: ...
    def transaction(self) -> AbstractAsyncContextManager[object]: ...


@asynccontextmanager
async def connected(url: str, application: str, timeout: float = 10) -> AsyncGenerator[Connection]:
    """A connection that is closed afterwards. `application`: its name in `pg_stat_activity`. `timeout`: seconds to connect in."""
    connection: Any = await asyncpg.connect(  # pyright: ignore[reportUnknownVariableType]
        url,
        timeout=timeout,  # pyright: ignore[reportArgumentType]: seconds may have a fraction
        server_settings={"application_name": f"platea {application}"},
    )
    try:
        yield connection
    finally:
        await connection.close()
