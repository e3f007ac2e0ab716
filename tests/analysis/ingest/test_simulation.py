"""Everything that can happen to a response, in any order, with faults in between; then a recount from scratch.

The model is divviup/janus: a small program of operations runs against the real service, a plain dictionary says what must
come out. A program that found something is kept below as a regression test.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import AsyncExitStack
from typing import Any, NamedTuple, cast

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from deploy.provisioning.provision import PARTITIONS
from deploy.provisioning.streams import create_consumers, create_streams
from proto import subjects
from proto.answers import Reader
from proto.codebook import CodeBook
from services.analysis.ingest import recording as recordings
from services.analysis.ingest.batch import Batch
from services.analysis.ingest.checkpointer import Checkpointer
from services.analysis.ingest.journal import Feed
from services.analysis.main import Analysis, running
from services.analysis.records import Changes
from services.analysis.settings import Settings
from services.analysis.state.fold import Folder
from services.analysis.store import PartitionLease
from tests.analysis.conftest import SURVEY, Pen, Service, answers, ask, id_of, reader, replaced, submitted, until, withdrawn
from tests.builders.bundled import questionnaire

EXAMPLES = int(os.environ.get("PLATEA_EXAMPLES", "6"))
"""`make soak` asks for hundreds."""

_versions = itertools.count()

Said = int | None
"""Whose answers a response holds; None once it is withdrawn."""


class Op(NamedTuple):
    what: str
    who: int = 0
    said: int = 0


people, voices = st.integers(0, 7), st.integers(0, 40)
operations = st.one_of(
    st.builds(Op, st.just("submit"), people, voices),
    st.builds(Op, st.just("submit"), people, voices),
    st.builds(Op, st.just("replace"), people, voices),
    st.builds(Op, st.just("newer"), people, voices),
    st.builds(Op, st.just("withdraw"), people),
    st.builds(Op, st.sampled_from(["crowd"]), st.integers(100, 900)),
    st.builds(Op, st.sampled_from(["settle", "restart", "crash", "scrawl"])),
    st.builds(Op, st.sampled_from(["fail before commit", "fail after commit", "fail at acknowledging", "lose the count"])),
)
"""What `fail` means: the next batch meets that fault once."""


class Trouble:
    """Faults that the next batch meets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.next: set[str] = set()
        record, acknowledge = recordings.record_in_turn, Feed.acknowledge

        async def recording(lease: PartitionLease, batch: Batch) -> Changes:
            self._strike("fail before commit")
            changes = await record(lease, batch)
            self._strike("fail after commit")
            return changes

        async def acknowledging(feed: Feed, entries: Any) -> None:
            self._strike("fail at acknowledging")
            await acknowledge(feed, entries)

        monkeypatch.setattr(recordings, "record_in_turn", recording)
        monkeypatch.setattr(Feed, "acknowledge", acknowledging)

    def _strike(self, what: str) -> None:
        if what in self.next:
            self.next.discard(what)
            raise ConnectionResetError(what)


class World:
    """The real service and what should come out of it."""

    def __init__(self, chosen: Settings, pen: Pen, database: Any, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
        self._settings, self._pen, self._database, self._trouble, self._patch = chosen, pen, database, trouble, monkeypatch
        self._stack = AsyncExitStack()
        self.analysis: Analysis
        self.model: dict[int, Said] = {}
        self.scrawled = 0
        self._last = 0
        self._unread: set[int] = set()
        """Who has answered in the version that nobody knows."""
        self._newer = msgspec.structs.replace(questionnaire(), version=f"9.0.{next(_versions)}")

    async def start(self) -> None:
        self.analysis = await self._stack.enter_async_context(running(self._settings, checkpoint=0.3))

    async def stop(self) -> None:
        await self._stack.aclose()

    async def do(self, op: Op) -> None:
        known = self.model.get(op.who, -1)
        match op.what:
            case "submit" if op.who in self._unread:
                pass  # the journal refuses it: a receipt is submitted under once, before anything else
            case "submit":
                await self._write(submitted(op.who, op.said))
                self.model.setdefault(op.who, op.said)
            case "replace":
                await self._write(replaced(op.who, op.said))
                self.model[op.who] = None if known is None else op.said
            case "newer":  # in a version that nobody knows before the end
                await self._write(msgspec.structs.replace(replaced(op.who, op.said), version=self._newer.version))
                self._unread.add(op.who)
                self.model[op.who] = None if known is None else op.said
            case "withdraw":
                await self._write(withdrawn(op.who))
                self.model[op.who] = None
            case "crowd":
                crowd = range(op.who, op.who + 60)
                await self._write(*(submitted(number, number % 40) for number in crowd))
                for number in crowd:
                    self.model.setdefault(number, number % 40)
            case "scrawl":
                self._last = await self._pen.scrawl(b'{"type":"response.submitted.v1"}', number=5000 + self.scrawled)
                self.scrawled += 1
            case "settle":
                await self.settled()
            case "restart":
                await self.stop()
                await self.start()
            case "crash":
                await self._crash()
            case "lose the count":
                self.analysis.partitions[0].counts.clear()
            case fault:
                self._trouble.next.add(fault)

    async def settled(self) -> None:
        """Everything that was written is recorded, counted and tidied up."""
        await until(self._recorded)
        await until(lambda: all(partition.held for partition in self.analysis.partitions) and self.analysis.totals.ready(SURVEY))
        await until(self._tidy)

    async def check(self) -> None:
        """The live state, to the last cell, is the sum of what each response should say."""
        await self._pen.publish(self._newer)
        await until(self._all_read)
        await self.settled()
        present = {who: said for who, said in self.model.items() if said is not None}
        folder = Folder(CodeBook(Reader(self._newer)))
        expected = folder.empty()
        folder.fold(expected, [(id_of(who), reader().stored(answers(said))) for who, said in present.items()])
        found = await self.analysis.totals.state(SURVEY)
        assert found is not None
        assert found[1].responses == len(present)
        assert found[1] == expected
        rows = await self._database.fetch("select id, status from responses")
        assert {row["id"].hex: row["status"] for row in rows} == {
            id_of(who): "withdrawn" if said is None else "recorded" for who, said in self.model.items()
        }
        assert await self._database.fetchval("select count(*) from parked") == self.scrawled
        assert (await self._pen.messages()) == len(self.model) + self.scrawled

    async def _write(self, *events: Any) -> None:
        self._last = max(await self._pen.write(*events))

    async def _recorded(self) -> bool:
        recorded = {row["partition"]: row["seq"] for row in await self._database.fetch("select partition, seq from positions")}
        return max(recorded.values(), default=0) >= self._last and await self._pen.all_acknowledged()

    async def _all_read(self) -> bool:
        return await self._recorded() and not await self._database.fetchval("select count(*) from waiting")

    async def _tidy(self) -> bool:
        text = "select (select count(*) from retractions) + (select count(*) from erasures)"
        return not await self._database.fetchval(text)

    async def _crash(self) -> None:
        """Down without a word: no checkpoint, no last batch."""

        async def nothing(_: Checkpointer) -> None: ...

        with self._patch.context() as patch:
            patch.setattr(Checkpointer, "finish", nothing)
            for task in asyncio.all_tasks():
                if task.get_name().startswith("partition "):
                    task.cancel()
            await self.stop()
        await self.start()


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    return Trouble(monkeypatch)


async def _begin_again(provisioner: Any, database: Any, pen: Pen) -> None:
    """An empty journal and an empty store."""
    js = provisioner.jetstream(timeout=10)
    for stream in (subjects.RESPONSES, subjects.AGGREGATES):
        await js.delete_stream(stream)
    await create_streams(js, PARTITIONS, replicas=1, highest=0)
    await create_consumers(js, PARTITIONS, {})
    await database.execute("truncate surveys, responses, positions, checkpoints, retractions, erasures, parked, waiting, released")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(program=st.lists(operations, min_size=4, max_size=14))
@example(program=[Op("withdraw", 1), Op("submit", 1, 3), Op("settle"), Op("crash"), Op("submit", 1, 4)])
@example(
    program=[Op("newer", 1, 3), Op("submit", 2, 4), Op("newer", 2, 5), Op("settle"), Op("crash"), Op("withdraw", 1), Op("replace", 2, 6)]
)
@example(
    program=[
        *(Op("crowd", 100), Op("settle"), Op("fail after commit"), Op("replace", 101, 5), Op("withdraw", 102), Op("crash")),
        *(Op("fail before commit"), Op("crowd", 130), Op("restart"), Op("fail at acknowledging"), Op("withdraw", 140), Op("scrawl")),
        *(Op("lose the count"), Op("replace", 101, 6), Op("settle"), Op("withdraw", 101), Op("crash")),
    ]
)
async def test_whatever_happens_each_response_counts_once_and_live_equals_recount(
    program: list[Op], pen: Pen, service: Service, database: Any, provisioner: Any, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _begin_again(provisioner, database, pen)
    trouble.next.clear()
    world = World(service.settings, pen, database, trouble, monkeypatch)
    await world.start()
    try:
        for op in program:
            await world.do(op)
        await world.check()
        report = await ask(service, what="recount")
        assert report["differences"] == []
    finally:
        await world.stop()
