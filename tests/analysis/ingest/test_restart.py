"""Starting again: from a checkpoint, from the stored responses, from the journal alone, with another version, after another worker."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from deploy.mending.mending import settle
from proto import subjects
from proto.instrument import Instrument
from services.analysis.ingest import journal_identity, worker
from services.analysis.ingest import partition as partitions
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.main import Analysis
from services.analysis.state.state import State
from tests.analysis.conftest import SURVEY, Pen, Service, ask, replaced, submitted, until, withdrawn
from tests.builders.bundled import questionnaire
from tests.conftest import DatabaseUrls, NatsUrls

EVERYTHING = "truncate surveys, responses, positions, checkpoints, retractions, erasures, parked, waiting, released"


async def _state(analysis: Analysis) -> State:
    found = await analysis.totals.state(SURVEY)
    assert found is not None
    return found[1]


async def _crowd(pen: Pen, service: Service) -> State:
    await pen.write(*(submitted(number) for number in range(200)))
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 200)
        await pen.write(withdrawn(3), withdrawn(4), replaced(5, 300))
        await until(lambda: analysis.totals.own(SURVEY) == 198)
        await until(lambda: pen.all_acknowledged())
        return await _state(analysis)


async def test_a_restart_goes_on_from_the_checkpoint(pen: Pen, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await _crowd(pen, service)

    async def counting_again(*_: Any) -> None:
        raise AssertionError("the checkpoint was there")

    monkeypatch.setattr(partitions.Partition, "_from_responses", counting_again)
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY))
        assert await _state(analysis) == before


async def test_without_checkpoints_the_stored_responses_are_counted_again(pen: Pen, service: Service, database: Any) -> None:
    before = await _crowd(pen, service)
    await database.execute("truncate checkpoints")
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY))
        assert await _state(analysis) == before


async def test_an_empty_store_is_filled_again_from_the_journal(pen: Pen, service: Service, database: Any) -> None:
    before = await _crowd(pen, service)
    await database.execute(EVERYTHING)
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 198)
        await until(lambda: pen.all_acknowledged())
        assert await _state(analysis) == before
        assert await database.fetchval("select count(*) from responses where status = 'withdrawn'") == 2


async def test_a_store_from_a_backup_catches_up(pen: Pen, service: Service, database: Any) -> None:
    before = await _crowd(pen, service)
    await database.execute("delete from responses where seq > 100; update positions set seq = 100; truncate checkpoints")
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 198)
        assert await _state(analysis) == before


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doubts are settled within a blink."""
    monkeypatch.setattr(journal_identity, "BETWEEN", 0.05)
    monkeypatch.setattr(worker, "MENDING", 0.2)


@pytest.mark.usefixtures("quick")
async def test_a_journal_that_ends_before_the_store_is_waited_for_until_it_is_mended(
    pen: Pen, service: Service, database: Any, nats_urls: NatsUrls, database_urls: DatabaseUrls
) -> None:
    before = await _crowd(pen, service)
    await database.execute("update positions set seq = 1000 where partition = 0")
    async with service.running() as analysis:
        await until(lambda: all("the store holds events up to 1000" in each.doubt for each in analysis.workers))
        assert not analysis.failed.done()
        assert not any(partition.held for partition in analysis.partitions)
        report = await settle(nats_urls.provisioner, database_urls.owner)
        assert report.mended
        await until(lambda: analysis.totals.own(SURVEY) == 198)
        assert await _state(analysis) == before
        assert min(await pen.write(submitted(500))) > 1000
        await until(lambda: analysis.totals.own(SURVEY) == 199)


@pytest.mark.usefixtures("quick")
async def test_what_a_server_that_lags_says_of_the_journal_is_not_believed_at_once(
    pen: Pen, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _crowd(pen, service)
    right, stale = JournalConsumer.standing, iter([True] * 2)

    async def standing(journal: JournalConsumer) -> tuple[str | None, int]:
        id, last = await right(journal)
        return id, last - 1 if next(stale, False) else last

    monkeypatch.setattr(JournalConsumer, "standing", standing)
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 198)
        assert not any(each.doubt for each in analysis.workers)
    assert next(stale, None) is None


async def test_events_that_were_delivered_to_nobody_are_not_passed_over(pen: Pen, service: Service, provisioner: Any) -> None:
    """A worker that dies with events in hand leaves them pending; acknowledging later ones would lose them."""
    await pen.write(*(submitted(number) for number in range(50)))
    for partition in range(4):
        taken = await provisioner.jetstream().pull_subscribe_bind(subjects.durable(partition), subjects.RESPONSES)
        assert await taken.fetch(5, timeout=5)
        await taken.unsubscribe()
    await pen.write(*(submitted(number) for number in range(50, 60)))
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 60)


async def test_reading_again_does_not_forget_what_is_recorded(pen: Pen, service: Service, provisioner: Any) -> None:
    """Intake tells "recorded" from the floor of the consumer, also when that was made anew."""
    js = provisioner.jetstream(timeout=10)
    await _crowd(pen, service)
    before = [(await js.consumer_info(subjects.RESPONSES, subjects.durable(partition))).ack_floor.stream_seq for partition in range(4)]
    for partition in range(4):
        await js.delete_consumer(subjects.RESPONSES, subjects.durable(partition))
    async with service.running() as analysis:
        await until(lambda: all(partition.held for partition in analysis.partitions))
        await until(lambda: pen.all_acknowledged())
    after = [(await js.consumer_info(subjects.RESPONSES, subjects.durable(partition))).ack_floor.stream_seq for partition in range(4)]
    assert after == before


async def test_a_corrupt_event_is_parked_and_the_others_go_on(pen: Pen, service: Service, database: Any) -> None:
    await pen.scrawl(b"\xff not json", number=1)
    await pen.scrawl(b'{"type":"response.submitted.v1","id":"short"}', number=2)
    await pen.scrawl(msgspec.json.encode(submitted(3)), number=4)
    await pen.scrawl(msgspec.json.encode(msgspec.structs.replace(submitted(5), answers=msgspec.Raw(b'{"A01":"nowhere"}'))), number=5)
    await pen.write(*(submitted(number) for number in range(10, 30)))
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 20)
        await until(lambda: pen.all_acknowledged())
    reasons = [row["reason"] for row in await database.fetch("select reason from parked order by seq")]
    assert len(reasons) == 4
    assert not any("nowhere" in reason for reason in reasons), "no answer is quoted"


async def test_too_many_corrupt_events_stop_the_worker(pen: Pen, service: Service) -> None:
    for number in range(120):
        await pen.scrawl(b"{}", number=number)
    async with service.running() as analysis:
        await until(analysis.failed.done)
        assert "could not be read" in str(analysis.failed.exception())


async def test_a_new_version_counts_the_responses_to_the_old_one_too(pen: Pen, service: Service) -> None:
    await pen.write(*(submitted(number) for number in range(120)))
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 120)
        await pen.publish(_newer(questionnaire()))
        await pen.write(withdrawn(0), withdrawn(1))
        newer = [
            msgspec.structs.replace(submitted(number), version="9.0.0", answers=_without(submitted(number))) for number in range(120, 150)
        ]
        await pen.write(*newer)
        await until(lambda: analysis.totals.own(SURVEY) == 148 and analysis.totals.ready(SURVEY))
        found = await analysis.totals.state(SURVEY)
        assert found is not None
        assert found[0].codebook.instrument.version == "9.0.0"
        report = await ask(service, what="recount")
        assert (report["responses"], report["differences"]) == (148, [])


def _newer(old: Instrument) -> Instrument:
    """Without A09's first option, with a text question less."""
    questions = tuple(q for q in old.questions if q.id != "H02")
    soft = tuple(check for check in old.soft_checks if "H02" not in str(check))
    kept = tuple(msgspec.structs.replace(q, show_if=None) if q.show_if and "H02" in str(q.show_if) else q for q in questions)
    return msgspec.structs.replace(old, version="9.0.0", questions=kept, soft_checks=soft)


def _without(event: Any) -> msgspec.Raw:
    said = msgspec.json.decode(event.answers)
    said.pop("H02", None)
    return msgspec.Raw(msgspec.json.encode(said, order="sorted"))


async def test_two_workers_share_the_journal_and_one_takes_over(pen: Pen, service: Service, database: Any) -> None:
    first = Service(msgspec.structs.replace(service.settings, partitions="0,1"))
    second = Service(msgspec.structs.replace(service.settings, partitions="2,3"))
    await pen.write(*(submitted(number) for number in range(100)))
    async with first.running() as speaker:
        async with second.running():

            async def everybody() -> bool:
                found = await speaker.totals.state(SURVEY)
                return found is not None and found[1].responses == 100

            await until(everybody)
            async with second.running() as waiting:  # the same partitions once more: it waits
                await pen.write(*(submitted(number) for number in range(100, 140)))
                assert not any(partition.held for partition in waiting.partitions)
        async with second.running() as heir:
            await until(lambda: all(partition.held for partition in heir.partitions))
            await pen.write(*(submitted(number) for number in range(140, 160)))

            async def all_of_them() -> bool:
                found = await speaker.totals.state(SURVEY)
                return found is not None and found[1].responses == 160

            await until(all_of_them)
    assert await database.fetchval("select count(*) from responses") == 160
