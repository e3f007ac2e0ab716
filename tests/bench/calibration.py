"""What the same machine does without Platea's promises: a handler that validates, and one that also stores with a commit.

`python -m tests.bench.calibration` serves both on CALIBRATION_PORT, the way the services are served.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import asyncpg
import msgspec
import uvloop
from litestar import Litestar, Request, Response, get, post

from proto.answers import Reader
from services.runtime.http import server
from tests.builders.bundled import questionnaire

POOL = 8


def body_of(reader: Reader) -> type:
    """The request body of this instrument as one msgspec type."""
    return msgspec.defstruct(
        "Body",
        [("answers", reader.type), ("language", str | None, None), ("version", str | None, None), ("consent", bool, False)],
        forbid_unknown_fields=True,
    )


def app_of(reader: Reader, pool: Any) -> Litestar:
    body: Any = body_of(reader)
    insert = "insert into calibration (answers) values ($1)"

    async def validate(data: Any) -> dict[str, str]:
        return {"status": "accepted"}

    async def store(data: Any) -> dict[str, str]:
        await pool.execute(insert, msgspec.json.encode(data.answers).decode())
        return {"status": "accepted"}

    for handler in (validate, store):
        handler.__annotations__ |= {"data": body, "return": dict[str, str]}

    @get("/ready")
    async def ready(request: Request[Any, Any, Any]) -> Response[str]:
        return Response("ready")

    return Litestar([post("/validate")(validate), post("/store")(store), ready], openapi_config=None)


async def serve(port: int, database: str) -> None:
    instrument = questionnaire()
    async with asyncpg.create_pool(database, min_size=POOL, max_size=POOL) as pool:
        await pool.execute(
            "create table if not exists calibration (id bigint generated always as identity primary key, answers jsonb not null)"
        )
        await server.serve(app_of(Reader(instrument), pool), "127.0.0.1", port)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(os.environ["CALIBRATION_PORT"]), os.environ["CALIBRATION_DATABASE"]))
