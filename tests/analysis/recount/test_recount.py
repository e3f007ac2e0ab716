"""A recount means all: every partition, whichever worker counts it, and the store's own number of responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import nats
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import NoRespondersError

from proto.intervals import wilson
from services.analysis.ingest.totals import Totals
from services.analysis.main import Analysis, running
from services.analysis.publish import worker_questions
from services.analysis.recount import recount as recounts
from services.analysis.recount.figures import _wilson
from services.analysis.recount.report import RecountReport
from tests.analysis.conftest import SURVEY, Pen, Service, ask, submitted, until, withdrawn

PEOPLE = 120


class Workers:
    """Two that share the partitions, as two processes do."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stacks = {"0,1": AsyncExitStack(), "2,3": AsyncExitStack()}
        self.found: dict[str, Analysis] = {}

    async def start(self) -> None:
        for partitions, stack in self._stacks.items():
            settings = msgspec.structs.replace(self._service.settings, partitions=partitions)
            self.found[partitions] = await stack.enter_async_context(running(settings))

    async def stop(self, partitions: str) -> None:
        await self._stacks[partitions].aclose()

    def counted(self) -> int:
        return sum(worker.totals.own(SURVEY) for worker in self.found.values())


@pytest.fixture
async def workers(pen: Pen, service: Service) -> AsyncIterator[Workers]:
    found = Workers(service)
    await found.start()
    await pen.write(*(submitted(number) for number in range(PEOPLE)))
    await pen.write(withdrawn(5), withdrawn(6))
    await until(lambda: found.counted() == PEOPLE - 2)
    yield found
    for partitions in found.found:
        await found.stop(partitions)


async def test_a_recount_of_two_workers_covers_both_and_a_row_that_is_gone_from_either_shows(
    workers: Workers, service: Service, database: Any
) -> None:
    found = await ask(service, what="recount")
    assert (found["responses"], found["stored"]) == (PEOPLE - 2, PEOPLE - 2)
    assert (found["differences"], found["unanswered"]) == ([], [])
    for partition in (3, 0):
        gone = await database.fetchval(
            """delete from responses where id = (
                select id from responses where partition = $1 and status = 'recorded' limit 1
            ) returning seq""",
            partition,
        )
        assert gone is not None
        now = await ask(service, what="recount")
        assert now["stored"] == found["stored"] - 1
        assert {"path": "/responses", "live": PEOPLE - 2, "recount": now["responses"]} in now["differences"]
        found = now
    assert found["responses"] == PEOPLE - 4


async def test_partitions_that_nobody_counts_are_named_with_what_waits_in_them(
    workers: Workers, pen: Pen, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recounts, "PATIENCE", 1.0)
    await workers.stop("2,3")
    await pen.write(*(submitted(number) for number in range(PEOPLE, PEOPLE + 40)))
    await until(lambda: workers.found["0,1"].totals.own(SURVEY) > 0)
    found = await ask(service, what="recount")
    assert [(told["partition"], told["held"]) for told in found["unanswered"]] == [(2, False), (3, False)]
    assert found["responses"] + sum(told["waiting"] for told in found["unanswered"]) == PEOPLE - 2 + 40
    assert found["differences"] == []


async def test_what_a_worker_recorded_and_never_put_into_the_figures_is_named(
    workers: Workers, service: Service, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recounts, "PATIENCE", 0.5)
    await workers.stop("2,3")
    await database.execute("delete from checkpoints where partition = 3")
    found = await ask(service, what="recount")
    assert [told["partition"] for told in found["unanswered"]] == [2, 3]
    stored = await database.fetchval("select count(*) from responses where partition = 3 and status = 'recorded'")
    assert [told["uncounted"] for told in found["unanswered"]] == [0, stored]
    assert found["stored"] == found["responses"] + stored


async def test_a_recount_may_take_long_and_one_that_nobody_makes_is_given_up(
    workers: Workers, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience, counting = 5.0, recounts.recount

    async def slowly(*arguments: Any) -> RecountReport:
        await asyncio.sleep(1.5 * patience)
        return await counting(*arguments)

    monkeypatch.setattr(worker_questions, "SIGN", patience / 50)
    monkeypatch.setattr(recounts, "recount", slowly)
    client = await nats.connect(service.settings.nats_url, inbox_prefix="_INBOX.analysis")
    answer = msgspec.json.decode(await worker_questions.hear(client, SURVEY, {"what": "recount"}, patience))
    assert answer["responses"] == PEOPLE - 2
    with monkeypatch.context() as starting:
        starting.setattr(Totals, "speaks", False)  # it hears questions before it has the partition
        with pytest.raises(TimeoutError):
            await worker_questions.hear(client, SURVEY, {"what": "recount"}, patience)
    await workers.stop("0,1")
    with pytest.raises(NoRespondersError):
        await worker_questions.hear(client, SURVEY, {"what": "recount"}, patience)
    await client.close()


@given(st.integers(1, 10**7), st.integers(0, 50))
def test_both_ways_to_an_interval_agree_to_the_last_bits_where_nearly_everybody_agrees(answered: int, others: int) -> None:
    n = max(answered - others, 0)
    low, high = wilson(np.array(float(n)), np.array(float(answered)))
    assert _wilson(n / answered, answered) == pytest.approx([float(low), float(high)], rel=0, abs=1e-13)
