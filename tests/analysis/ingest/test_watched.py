"""Readiness, lag and the exact view tell the truth: a dead or frozen database, a dead worker, a standby, a task that ends."""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from functools import partial
from typing import Any, cast

import httpx
import msgspec
import pytest

from deploy.stack.postgres_server import Postgres
from services.analysis import main
from services.analysis.gateway import gateway_service
from services.analysis.ingest import progress
from services.analysis.main import Analysis, running
from services.analysis.state.state import State
from services.runtime.supervision import Supervisor
from tests.analysis.conftest import SURVEY, Pen, Service, ask, submitted, until
from tests.analysis.ingest.test_outage import standing_still
from tests.log_lines import LogLines
from tests.mortal_tasks import SECRET, MortalTasks, each_fails_in_turn


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seen grows old sooner than in life, so that tests need not wait for it."""
    monkeypatch.setattr(progress, "FRESH", 2.0)
    monkeypatch.setattr(progress, "LOOK", 0.2)
    monkeypatch.setattr(main, "BEHIND", 0.5)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _http(analysis: Analysis) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", analysis.app)), base_url="http://platea.test")


async def _asked(analysis: Analysis, path: str) -> httpx.Response:
    async with _http(analysis) as http:
        return await http.get(f"/analysis/{path}")


async def _health(analysis: Analysis) -> dict[str, Any]:
    answer = await _asked(analysis, "health/ready")
    return answer.json() | {"ready": answer.status_code == 200}


async def _is(analysis: Analysis, **expected: Any) -> bool:
    return (await _health(analysis)).items() >= expected.items()


async def _gauge(analysis: Analysis, name: str, **labels: Any) -> float:
    text = (await _asked(analysis, "metrics")).text
    of = ",".join(f'{key}="{value}"' for key, value in labels.items())
    wanted = f"{name}{{{of}}} "
    return float(next(line for line in text.splitlines() if line.startswith(wanted)).removeprefix(wanted))


async def _lag(analysis: Analysis) -> float:
    return sum([await _gauge(analysis, "platea_analysis_lag_events", partition=number) for number in range(4)])


async def test_while_the_database_stands_still_it_is_not_ready_and_lag_grows_and_both_pass(
    pen: Pen, service: Service, postgres_server: Postgres, database: Any
) -> None:
    async with service.running() as analysis:
        await until(lambda: _is(analysis, ready=True, unheld=[], behind=[]))
        assert [await _gauge(analysis, "platea_analysis_partition_held", partition=number) for number in range(4)] == [1.0] * 4
        assert await _lag(analysis) == 0.0
        with standing_still(postgres_server):
            await pen.write(*(submitted(number) for number in range(40)))
            await until(lambda: _is(analysis, ready=False))
            assert (await _health(analysis))["checks"] == {"nats": True, "database": False, "partitions": False, "tasks": True}
            await until(lambda: _lags(analysis, 40))
            await until(lambda: _older(analysis, 0.5))
        await until(lambda: _is(analysis, ready=True, unheld=[], behind=[]))
        await until(lambda: _lags(analysis, 0))
        assert await _oldest(analysis) == 0.0


async def _lags(analysis: Analysis, events: int) -> bool:
    return await _lag(analysis) == events


async def _older(analysis: Analysis, seconds: float) -> bool:
    return await _oldest(analysis) > seconds


async def _oldest(analysis: Analysis) -> float:
    return max([await _gauge(analysis, "platea_analysis_oldest_unrecorded_seconds", partition=number) for number in range(4)])


async def test_of_two_workers_the_one_that_lives_tells_that_the_other_does_not(pen: Pen, service: Service) -> None:
    async def worker(partitions: str) -> Any:
        return running(msgspec.structs.replace(service.settings, partitions=partitions))

    async with await worker("0,1") as one:
        async with await worker("2,3") as other:
            await until(lambda: _is(one, ready=True, unheld=[]))
            await until(lambda: _is(other, ready=True, unheld=[]))
            await pen.write(*(submitted(number) for number in range(20)))
            await until(lambda: one.totals.own(SURVEY) + other.totals.own(SURVEY) == 20)
        died = time.time()
        await pen.write(*(submitted(number) for number in range(20, 60)))
        await until(lambda: _is(one, ready=True, unheld=[2, 3], behind=[2, 3]))
        assert await _gauge(one, "platea_analysis_partition_held", partition=1) == 1.0
        assert await _gauge(one, "platea_analysis_partition_held", partition=2) == 0.0
        assert await _lag(one) > 0
        # The exact view says until when it is complete, and that is not now.
        await until(lambda: time.time() > died + 4)
        as_of = datetime.datetime.fromisoformat((await ask(service, what="exact"))["as_of"])
        assert died - 2 < as_of.timestamp() < died + 3


async def test_a_standby_is_ready_and_takes_over(pen: Pen, service: Service) -> None:
    async with service.running() as first:
        await until(lambda: all(partition.held for partition in first.partitions))
        async with service.running() as second:
            await until(lambda: _is(first, ready=True))
            await until(lambda: _is(second, ready=True, unheld=[]))
            assert not any(partition.held for partition in second.partitions)
            await pen.write(*(submitted(number) for number in range(20)))
            await until(lambda: first.totals.own(SURVEY) == 20)
            for worker in first.workers:
                worker.stop()
            await until(lambda: all(partition.held for partition in second.partitions))
            await until(lambda: second.totals.ready(SURVEY) and second.totals.own(SURVEY) == 20)
            assert await _is(second, ready=True, unheld=[])


@pytest.mark.parametrize("at", range(2))
async def test_workers_that_hold_some_of_the_partitions_each_publish_one_whole(pen: Pen, service: Service, at: int) -> None:
    """A worker with some partitions and a standby for all that got the rest: whoever has the first one speaks for both."""
    some = msgspec.structs.replace(service.settings, partitions=("0,1", "2,3")[at])
    async with running(some) as holder:
        await until(lambda: all(partition.held for partition in holder.partitions))
        async with service.running() as rest:
            await until(lambda: sum(partition.held for partition in rest.partitions) == 2)
            await pen.write(*(submitted(number) for number in range(40)))
            await until(lambda: holder.totals.own(SURVEY) + rest.totals.own(SURVEY) == 40)
            await until(lambda: _published(rest, 40))
            await until(lambda: _counts(service, 40))  # what the other has is known from its checkpoints
            assert (await ask(service, what="recount"))["unanswered"] == []


async def _counts(service: Service, responses: int) -> bool:
    return (await ask(service, what="exact"))["responses"] == responses


def _published(analysis: Analysis, least: int) -> bool:
    edition = analysis.broadcaster.editions.get(SURVEY)
    return edition is not None and edition.snapshot.responses >= least - 12


TASKS = {
    "watch the journal", "watch the store", "write checkpoints", "build counts", "delete what is over", "publish",
    "count quotas", "erase from the journal", "follow CONTROL", "follow AGGREGATES",
}  # fmt: skip


async def test_each_task_that_ends_makes_it_unready_is_told_once_and_comes_back(
    pen: Pen, service: Service, monkeypatch: pytest.MonkeyPatch, logged: LogLines
) -> None:
    monkeypatch.setattr(gateway_service, "Supervisor", MortalTasks)
    async with service.running() as analysis:
        tasks = analysis.tasks
        assert isinstance(tasks, MortalTasks)
        async with _http(analysis) as http:
            await each_fails_in_turn(tasks, TASKS, http, logged, "/analysis")
        await pen.write(*(submitted(number) for number in range(20)))
        await until(lambda: _published(analysis, 20))


async def test_a_checkpoint_that_cannot_be_written_once_is_written_later(
    pen: Pen, service: Service, database: Any, monkeypatch: pytest.MonkeyPatch, logged: LogLines
) -> None:
    monkeypatch.setattr(gateway_service, "Supervisor", partial(Supervisor, 0.02, 0.3))
    dump, failed = State.dump, asyncio.Event()

    def fail_once(self: State, digest: str) -> bytes:
        if not failed.is_set():
            failed.set()
            raise RuntimeError(SECRET)
        return dump(self, digest)

    monkeypatch.setattr(State, "dump", fail_once)
    async with service.running(checkpoint=0.2) as analysis:
        await pen.write(*(submitted(number) for number in range(20)))
        await until(failed.is_set)
        await until(lambda: database.fetchval("select count(*) = 4 from checkpoints where seq > 0"))
        await until(lambda: _is(analysis, ready=True))
    assert "in fail_once" in logged.text
    assert SECRET not in logged.text
