"""What is published, and when: on the policy's clock, with revisions that go on after a restart."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import msgspec
from nats.js.errors import NotFoundError

from proto import subjects
from proto.snapshot import Snapshot
from tests.analysis.conftest import SURVEY, Pen, Service, ask, submitted, until, withdrawn


async def _published(provisioner: Any) -> Snapshot | None:
    try:
        message = await provisioner.jetstream().get_last_msg(subjects.AGGREGATES, subjects.aggregates(SURVEY))
    except NotFoundError:
        return None
    return msgspec.json.decode(message.data, type=Snapshot)


async def test_states_are_released_in_batches_and_tables_follow_them(pen: Pen, service: Service, provisioner: Any) -> None:
    async def responses(wanted: int) -> bool:
        found = await _published(provisioner)
        return found is not None and found.responses == wanted

    async with service.running() as analysis:
        await pen.write(*(submitted(number) for number in range(9)))
        await until(lambda: analysis.totals.own(SURVEY) == 9)
        await asyncio.sleep(0.5)
        assert await _published(provisioner) is None, "below the minimum nothing is published"
        assert (await ask(service, what="table", row="A04", column="A05"))["status"] == 404
        await pen.write(submitted(9))
        await until(lambda: responses(10))
        for count in (20, 30):  # a batch each: of more, a part may be released alone, since partitions are counted one after the other
            await pen.write(*(submitted(number) for number in range(count - 10, count)))
            await until(partial(responses, count))
        await pen.write(withdrawn(0), *(submitted(number) for number in range(30, 38)))
        await until(lambda: analysis.totals.own(SURVEY) == 37)
        await asyncio.sleep(1.5)
        assert await responses(30), "nine who joined or left wait for the tenth"
        assert (await ask(service, what="table", row="A04", column="A05"))["responses"] == 30
        assert (await ask(service, what="exact"))["responses"] == 37
        assert (await ask(service, what="table", row="A04", column="A05", exact=True))["responses"] == 37
        await pen.write(withdrawn(1))
        await until(lambda: responses(36))
    last = await _published(provisioner)
    assert last is not None
    async with service.running() as analysis:
        await until(lambda: analysis.publisher.released(SURVEY) is not None)
        table = await ask(service, what="table", row="A04", column="A05")
        assert (table["responses"], table["revision"]) == (36, last.revision), "tables stay with the snapshot after a restart"
        await pen.write(*(submitted(number) for number in range(50, 60)))
        await until(lambda: responses(46))
        after = await _published(provisioner)
        assert after is not None
        assert after.revision == last.revision + 1


async def test_questions_that_make_no_sense_get_a_problem(pen: Pen, service: Service) -> None:
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY))
        for question in ({"what": "everything"}, {"what": "table", "row": "Z9", "column": "A04", "exact": True}):
            assert (await ask(service, **question))["status"] >= 400
