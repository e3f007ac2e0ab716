"""No answer is lost, or called recorded too early, because this version does not know what it answers."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import nats
import pytest
from nats.js.errors import NotFoundError

from deploy.provisioning.provision import PARTITIONS
from proto import registry, subjects
from proto.events import ResponseEvent, ResponseReplaced, ResponseSubmitted, RetentionSet, SurveyClosed, encode
from proto.instrument import Instrument
from services.analysis.ingest import recording as recordings
from services.analysis.ingest import worker
from services.analysis.ingest.batch import PARKING_BUDGET, Batch
from services.analysis.main import Analysis
from services.analysis.metrics import REGISTRY
from services.analysis.publish import worker_questions
from services.analysis.records import Changes
from services.analysis.store import LOCKS, PartitionLease
from services.intake.streams.journal import Journal as Intake
from tests.analysis.conftest import SURVEY, Pen, Service, answers, id_of, replaced, submitted, until, withdrawn
from tests.builders.bundled import questionnaire

NEWER = "newer"


def newer() -> Instrument:
    """Another survey, which an analysis of today does not know."""
    return msgspec.structs.replace(questionnaire(), id=NEWER)


def next_version() -> Instrument:
    return msgspec.structs.replace(questionnaire(), version="9.0.0")


def to_newer(number: int) -> ResponseSubmitted:
    return msgspec.structs.replace(submitted(number), survey=NEWER)


def in_next(number: int, said: int) -> ResponseReplaced:
    return msgspec.structs.replace(replaced(number, said), version="9.0.0")


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


@pytest.fixture
async def intake(nats_urls: Any) -> AsyncIterator[Intake]:
    client = await nats.connect(nats_urls.intake, inbox_prefix="_INBOX.intake")
    yield Intake(client)
    await client.close()


async def recorded(intake: Intake, numbers: Any) -> set[bool]:
    """What receipts say of these responses."""
    intake._floors.clear()
    found = [await intake.last(id_of(number)) for number in numbers]
    return {await intake.recorded(each) for each in found if each is not None}


async def asked(service: Service, survey: str = subjects.NO_SURVEY, **question: Any) -> Any:
    client = await nats.connect(service.settings.nats_url, inbox_prefix="_INBOX.analysis")
    try:
        return msgspec.json.decode(await worker_questions.hear(client, survey, question))
    finally:
        await client.close()


async def count(database: Any, table: str) -> int:
    return await database.fetchval(f"select count(*) from {table}")


def gauge(name: str) -> float:
    return sum(REGISTRY.get_sample_value(f"platea_analysis_{name}", {"partition": str(number)}) or 0 for number in range(PARTITIONS))


async def equal(service: Service, survey: str, responses: int) -> None:
    report = await asked(service, survey, what="recount")
    assert (report["responses"], report["differences"]) == (responses, [])


async def there(analysis: Analysis, survey: str, responses: int) -> None:
    await until(lambda: analysis.totals.ready(survey) and analysis.totals.own(survey) == responses)


def older(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis of before: it passes over the publication of the newer survey, whose instrument it cannot decode."""
    decode = registry.instruments.decode

    def decoding(data: bytes) -> Instrument:
        found = decode(data)
        if found.id == NEWER:
            raise msgspec.ValidationError("what is this?")
        return found

    monkeypatch.setattr(registry.instruments, "decode", decoding)


async def test_answers_to_a_survey_not_known_here_wait_and_the_others_go_on(
    pen: Pen, service: Service, database: Any, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed: list[ResponseEvent] = [each for n in range(0, 60, 2) for each in (submitted(n), to_newer(n + 1), submitted(n + 1000))]
    known, unknown = [*range(0, 60, 2), *range(1000, 1060, 2)], range(1, 60, 2)
    await pen.publish(newer())
    await pen.write(*mixed)
    with monkeypatch.context() as patch:
        older(patch)
        await _others_go_on(pen, service, database, intake, known, unknown)
    assert await recorded(intake, unknown) == {False}
    async with service.running() as analysis:
        await there(analysis, NEWER, 30)
        await until(lambda: gauge("waiting") == 0)
        assert await recorded(intake, [*known, *unknown]) == {True}
        await equal(service, NEWER, 30)
        await equal(service, SURVEY, 60)
    assert (await count(database, "waiting"), await count(database, "parked"), await count(database, "responses")) == (0, 0, 90)


async def _others_go_on(pen: Pen, service: Service, database: Any, intake: Intake, known: Any, unknown: Any) -> None:
    async with service.running() as analysis:
        begun = time.monotonic()
        await there(analysis, SURVEY, 60)
        await until(lambda: pen.all_acknowledged())
        assert time.monotonic() - begun < 20, "thirty such events had held up the others for 300 seconds"
        assert (await count(database, "waiting"), await count(database, "parked")) == (30, 0)
        await until(lambda: gauge("waiting") == 30)
        assert await recorded(intake, known) == {True}
        assert await recorded(intake, unknown) == {False}
        [listed] = {(each["state"], each["survey"], each["version"]) for each in (await asked(service, what="parked"))["events"]}
        assert listed == ("waiting", NEWER, questionnaire().version)
        assert not analysis.failed.done(), "ignorance spends no budget"


async def test_a_stop_in_the_moment_of_waiting_leaves_everything_in_the_journal(
    pen: Pen, service: Service, database: Any, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PATIENCE", 60.0)
    await pen.write(*(to_newer(number) for number in range(19)))
    async with service.running() as analysis:
        await until(lambda: all(partition.held for partition in analysis.partitions))
        await asyncio.sleep(0.3)  # the batches are in hand
    assert [await count(database, table) for table in ("waiting", "parked", "positions")] == [0, 0, 0]
    assert await recorded(intake, range(19)) == {False}
    await pen.publish(newer())
    async with service.running() as analysis:
        await there(analysis, NEWER, 19)
        await until(lambda: pen.all_acknowledged())
        assert await recorded(intake, range(19)) == {True}


async def test_what_waited_counts_as_its_place_in_the_journal_says_and_a_restart_counts_the_same(
    pen: Pen, service: Service, database: Any, provisioner: Any
) -> None:
    await pen.write(*(submitted(number) for number in range(40)))
    async with service.running(checkpoint=0.2) as analysis:
        await there(analysis, SURVEY, 40)
        first = await pen.write(*(in_next(number, number + 100) for number in range(10)))
        late = await pen.write(*(in_next(number, number) for number in range(50, 60)))
        await until(lambda: gauge("waiting") == 20)
        await pen.write(withdrawn(0), withdrawn(50), withdrawn(20), replaced(1, 201))  # 1 was changed since: that is its last word
        await until(lambda: gauge("waiting") == 17)
        await there(analysis, SURVEY, 38)
    await pen.publish(next_version())
    async with service.running(checkpoint=0.2) as analysis:
        await there(analysis, SURVEY, 47)
        await equal(service, SURVEY, 47)
    said = {row["id"].hex: row["answers"] for row in await database.fetch("select id, answers from responses where status = 'recorded'")}
    expected = {n: n for n in range(2, 40)} | {n: n + 100 for n in range(2, 10)} | {1: 201} | {n: n for n in range(51, 60)}
    expected.pop(20)
    assert {id: msgspec.json.decode(text) for id, text in said.items()} == {
        id_of(n): msgspec.json.decode(answers(said)) for n, said in expected.items()
    }
    async with service.running(checkpoint=0.2) as analysis:  # from checkpoints
        await there(analysis, SURVEY, 47)
        await pen.write(withdrawn(55), replaced(56, 300))  # both had been late
        await there(analysis, SURVEY, 46)
        await until(lambda: pen.all_acknowledged())
        await equal(service, SURVEY, 46)
    await database.execute("truncate checkpoints")
    async with service.running() as analysis:
        await there(analysis, SURVEY, 46)
        await equal(service, SURVEY, 46)
    js = provisioner.jetstream()
    for seq in (first[0], first[1], late[0], late[5]):  # withdrawn or changed: what they said is not in the journal either
        with pytest.raises(NotFoundError):
            await js.get_msg(subjects.RESPONSES, seq)


async def test_two_workers_figures_have_what_was_late_in_the_others_partitions(pen: Pen, service: Service) -> None:
    first = Service(msgspec.structs.replace(service.settings, partitions="0,1"))
    second = Service(msgspec.structs.replace(service.settings, partitions="2,3"))
    await pen.write(*(submitted(number) for number in range(30)), *(in_next(number, number) for number in range(100, 130)))
    async with first.running() as speaker, second.running():
        for responses, version in ((30, None), (60, next_version())):
            if version is not None:
                await pen.publish(version)

            async def everybody(wanted: int = responses) -> bool:
                found = await speaker.totals.state(SURVEY)
                return found is not None and found[1].responses == wanted

            await until(everybody)


async def test_an_event_of_a_kind_that_a_newer_version_writes_waits_for_it(
    pen: Pen, service: Service, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pen.scrawl(encode(submitted(1)).replace(b"submitted.v1", b"submitted.v2"), number=1)
    await pen.write(submitted(2))
    async with service.running() as analysis:
        await there(analysis, SURVEY, 1)
        await until(lambda: pen.all_acknowledged())  # the two may be in different partitions
        assert [await count(database, table) for table in ("waiting", "parked")] == [1, 0]
    read = worker.CompiledSurveys.read

    def newer_reads(compiled: Any, entry: Any) -> Any:
        return read(compiled, entry._replace(data=entry.data.replace(b"submitted.v2", b"submitted.v1")))

    monkeypatch.setattr(worker.CompiledSurveys, "read", newer_reads)
    async with service.running() as analysis:
        await there(analysis, SURVEY, 2)


async def test_a_crash_amid_refused_answers_loses_none_that_was_parked(
    pen: Pen, service: Service, database: Any, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database takes no NUL, so its batch is recorded one by one; whatever moment the worker dies at, parked rows are there."""
    refused = msgspec.structs.replace(submitted(3), language="\0")
    record, dies = recordings.record_in_turn, iter([True, False, True, True, False, True] * 5)

    async def recording(lease: PartitionLease, batch: Batch) -> Changes:
        changes = await record(lease, batch)
        if next(dies, False):
            raise ConnectionResetError
        return changes

    for number in (1, 2):
        await pen.scrawl(b"{}", number=number)
    await pen.write(refused)
    await pen.scrawl(b"{}", number=4)
    await pen.write(*(submitted(number) for number in range(10, 40)))
    await pen.scrawl(b"{}", number=5)
    monkeypatch.setattr(recordings, "record_in_turn", recording)
    async with service.running() as analysis:
        await there(analysis, SURVEY, 30)
        await until(lambda: pen.all_acknowledged())
        assert await count(database, "parked") == 5
        assert await count(database, "responses") == 30
        assert await recorded(intake, [3]) == {False}
        assert await recorded(intake, range(10, 40)) == {True}


async def test_an_answer_that_waited_and_is_refused_then_is_counted_as_parked(
    pen: Pen, service: Service, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pen.publish(newer())
    await pen.write(msgspec.structs.replace(to_newer(1), language="\0"), to_newer(2))
    with monkeypatch.context() as patch:
        older(patch)
        async with service.running():
            await until(lambda: gauge("waiting") == 2)
    async with service.running() as analysis:
        await there(analysis, NEWER, 1)
        await until(lambda: gauge("parked") == 1)
        assert sum(worker.parked for worker in analysis.workers) == 1, "it is in the log and in the metrics"
    assert (await count(database, "waiting"), await count(database, "parked")) == (0, 1)


async def test_no_more_is_parked_than_the_budget_allows(pen: Pen, service: Service, database: Any) -> None:
    for number in range(120):
        await pen.scrawl(b"{}", number=number)
    await pen.write(*(to_newer(number) for number in range(200, 260)))  # what waits spends nothing
    async with service.running() as analysis:
        await until(analysis.failed.done)
        assert "could not be read" in str(analysis.failed.exception())
    assert 0 < await count(database, "parked") <= PARTITIONS * (PARKING_BUDGET[0] + 1)


async def test_parked_events_have_a_way_back(
    pen: Pen, service: Service, database: Any, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, began = worker.CompiledSurveys.read, today()

    def faulty(compiled: Any, entry: Any) -> Any:
        if b"scrawled" not in entry.data and entry.subject.endswith((id_of(1), id_of(2), id_of(3))):
            raise worker.UnreadableEvent("a fault of this version")
        return read(compiled, entry)

    with monkeypatch.context() as older:
        older.setattr(worker.CompiledSurveys, "read", faulty)
        await pen.write(*(submitted(number) for number in range(10)))
        bad = await pen.scrawl(b"scrawled", number=20)
        async with service.running() as analysis:
            await there(analysis, SURVEY, 7)
            await until(lambda: gauge("parked") == 4)
            assert await recorded(intake, (1, 2, 3)) == {False}
            assert await asked(service, what="retry") == {"events": 4, "recorded": 0, "again": 0, "waiting": 0, "parked": 4}
            await until(lambda: gauge("parked") == 4)
        await pen.write(withdrawn(3))  # nothing of it may stay
    async with service.running() as analysis:
        await until(lambda: gauge("parked") == 3)  # right after a start
        found = await asked(service, what="parked")
        assert (found["parked"], found["waiting"]) == (3, 0)
        assert {(each["survey"], each["state"]) for each in found["events"]} == {(SURVEY, "parked")}
        assert {each["since"] for each in found["events"]} <= {began, today()}, "a day, and no time that would say when somebody answered"
        assert not any(id_of(1) in str(each) for each in found["events"])
        assert await asked(service, what="retry") == {"events": 3, "recorded": 2, "again": 0, "waiting": 0, "parked": 1}
        await there(analysis, SURVEY, 9)
        await equal(service, SURVEY, 9)
        await until(lambda: gauge("parked") == 1)
        assert await recorded(intake, (1, 2)) == {True}
        assert (await asked(service, what="drop", count=2))["type"].endswith("list-changed")
        assert await asked(service, what="drop", events=[bad], count=1) == {"dropped": 1}
        await until(lambda: gauge("parked") == 0)
        assert await intake.last(id_of(20)) is None
    assert await pen.messages() == 10, "nine answers and one withdrawal"


async def test_answers_that_were_never_read_go_with_those_of_their_survey(pen: Pen, service: Service, database: Any) -> None:
    await pen.write(*(submitted(number) for number in range(10)), *(in_next(number, number) for number in range(20, 25)))
    await pen.scrawl(b"{}", number=30)
    await pen.write(to_newer(40))
    for event, subject in (
        (SurveyClosed(SURVEY), subjects.closing(SURVEY)),
        (RetentionSet(SURVEY, "2020-01-01"), subjects.retention(SURVEY)),
    ):
        await pen._js.publish(subject, encode(event))
    await pen._js.publish(subjects.retention(NEWER), encode(RetentionSet(NEWER, "2020-01-01")))  # nobody has closed that one
    async with service.running():

        async def only_one_left() -> bool:
            return await pen.messages() == 1

        await until(only_one_left)
        assert [await count(database, table) for table in ("waiting", "parked")] == [1, 0]


async def test_a_worker_that_lost_its_partition_while_idle_notices_without_events(
    pen: Pen, service: Service, database: Any, database_urls: Any
) -> None:
    """After a restart of the database another worker may have the lock; here that is a connection which had queued for it."""
    async with service.running() as analysis:
        first = analysis.partitions[0]
        await until(lambda: all(partition.certain for partition in analysis.partitions))
        other = await asyncpg.connect(database_urls.owner)
        queued = asyncio.ensure_future(other.execute("select pg_advisory_lock($1, 0)", LOCKS))

        async def waits() -> bool:
            return await database.fetchval("select exists (select from pg_locks where locktype = 'advisory' and not granted)")

        await until(waits)
        await database.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted")
        await queued
        begun = time.monotonic()
        await until(lambda: not first.held)
        assert time.monotonic() - begun < 10
        assert not first.certain
        await other.close()
        await until(lambda: all(partition.certain for partition in analysis.partitions))
