"""Nothing is lost while PostgreSQL is away, frozen or slow: figures go on being shown."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Generator
from typing import Any

import psutil

from deploy.stack.postgres_server import Postgres
from tests.analysis.conftest import SURVEY, Pen, Service, ask, submitted, until

_HANG_UP = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name ^@ 'platea analysis' and datname = current_database()"""


@contextlib.contextmanager
def standing_still(server: Postgres) -> Generator[None]:
    first = psutil.Process(int((server.folder / "postmaster.pid").read_text().split("\n", 1)[0]))
    processes = [first, *first.children(recursive=True)]
    try:
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


async def test_a_database_that_stands_still_is_waited_for(pen: Pen, service: Service, postgres_server: Postgres, database: Any) -> None:
    async with service.running() as analysis:
        await pen.write(*(submitted(number) for number in range(50)))
        await until(lambda: analysis.totals.own(SURVEY) == 50)
        with standing_still(postgres_server):
            await pen.write(*(submitted(number) for number in range(50, 120)))
            await asyncio.sleep(2)
            assert (await ask(service, what="exact"))["responses"] == 50, "what is counted can be seen meanwhile"
        await until(lambda: analysis.totals.own(SURVEY) == 120)
        assert (await ask(service, what="recount"))["differences"] == []


async def test_lost_connections_are_made_again(pen: Pen, service: Service, database: Any) -> None:
    async with service.running() as analysis:
        for round in range(3):
            await pen.write(*(submitted(number) for number in range(60 * round, 60 * round + 60)))
            await database.execute(_HANG_UP)
        await until(lambda: analysis.totals.own(SURVEY) == 180 and analysis.totals.ready(SURVEY))
        assert (await ask(service, what="recount"))["differences"] == []
        assert await database.fetchval("select count(*) from responses") == 180
