"""After a loss or a restored copy, mending brings what journal or store has into both, where it counts once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client

from deploy.mending import mending
from deploy.mending.mending import MendingReport, examine, settle
from deploy.provisioning.migrate import progress
from deploy.provisioning.provision import PARTITIONS
from deploy.provisioning.streams import create_consumers, create_streams, own_metadata
from proto import events, subjects
from proto.events import ResponseEvent, ResponseWithdrawn
from services.analysis.store import LOCKS
from services.runtime import stream_settings
from tests.analysis.conftest import SURVEY, Pen, Service, answers, ask, id_of, replaced, submitted, until, withdrawn
from tests.builders.bundled import questionnaire
from tests.conftest import DatabaseUrls, NatsUrls


@dataclass
class Two:
    """The two homes of the answers of one installation."""

    client: Client
    pen: Pen
    service: Service
    database: Any
    nats_url: str
    database_url: str

    async def settle(self) -> MendingReport:
        return await settle(self.nats_url, self.database_url)

    async def recorded(self, count: int) -> None:
        """Lets analysis record what is in the journal; its figures equal a recount, and everything is erased that has to be."""
        async with self.service.running() as analysis:
            await until(lambda: analysis.totals.own(SURVEY) == count)
            await until(self.pen.all_acknowledged)
            assert (await ask(self.service, what="recount"))["differences"] == []
            await until(self._all_erased)

    async def _all_erased(self) -> bool:
        return not await self.database.fetchval("select count(*) from erasures")

    async def journal(self) -> dict[str, tuple[int, ResponseEvent]]:
        """The one event about each response that the journal holds."""
        js = self.client.jetstream()
        info = await js.stream_info(subjects.RESPONSES, subjects_filter="platea.journal.>")
        found: dict[str, tuple[int, ResponseEvent]] = {}
        for subject, count in (info.state.subjects or {}).items():
            assert count == 1, "what is out of date is erased"
            message = await js.get_last_msg(subjects.RESPONSES, subject)
            event = events.read_response(message.data or b"")
            found[event.id] = message.seq or 0, event
        return found

    async def agree(self, wanted: dict[int, int | None]) -> None:
        """Both homes say of each respondent whose answers stand, None being withdrawn, under the same number."""
        journal = await self.journal()
        rows = {row["id"].hex: row for row in await self.database.fetch("select id, seq, status from responses")}
        assert {id: seq for id, (seq, _) in journal.items()} == {id: row["seq"] for id, row in rows.items()}
        assert journal.keys() == {id_of(number) for number in wanted}
        for number, said in wanted.items():
            _, event = journal[id_of(number)]
            assert isinstance(event, ResponseWithdrawn) == (said is None) == (rows[id_of(number)]["status"] == "withdrawn")
            assert isinstance(event, ResponseWithdrawn) or said is None or bytes(event.answers) == answers(said)

    async def lose_the_journal(self) -> None:
        """As a restored or damaged NATS does: the stream is gone and provisioning makes another."""
        await self.client.jetstream(timeout=10).delete_stream(subjects.RESPONSES)
        await self.make_a_journal()

    async def make_a_journal(self) -> None:
        js = self.client.jetstream(timeout=10)
        highest, positions = await progress(self.database_url)
        await create_streams(js, PARTITIONS, 1, highest)
        await create_consumers(js, PARTITIONS, positions)

    async def bring_back(self, copied: list[ResponseEvent]) -> None:
        """An older copy of the journal, which holds just these."""
        js = self.client.jetstream(timeout=10)
        metadata = (await js.stream_info(subjects.RESPONSES)).config.metadata
        await js.delete_stream(subjects.RESPONSES)
        config = stream_settings.responses_stream(PARTITIONS)
        config.metadata = metadata
        await js.add_stream(config)
        await create_consumers(js, PARTITIONS, {})
        await self.write_in_order(*copied)

    async def write_in_order(self, *written: ResponseEvent) -> None:
        for event in written:
            await self.pen.write(event)


@pytest.fixture
async def two(provisioner: Client, pen: Pen, service: Service, database: Any, nats_urls: NatsUrls, database_urls: DatabaseUrls) -> Two:
    return Two(provisioner, pen, service, database, nats_urls.provisioner, database_urls.owner)


EARLY: list[ResponseEvent] = [submitted(number) for number in range(12)]
LATE: list[ResponseEvent] = [*(submitted(number) for number in range(12, 20)), withdrawn(0), replaced(1, 41), replaced(2, 42)]
BEFORE: dict[int, int | None] = {number: number for number in range(20)} | {0: None, 1: 41, 2: 42}


async def both_have_it(two: Two) -> None:
    await two.write_in_order(*EARLY, *LATE)
    await two.recorded(19)
    assert not (await two.settle()).mended
    await two.agree(BEFORE)


async def test_a_journal_that_is_lost_altogether_is_filled_from_the_store(two: Two) -> None:
    await both_have_it(two)
    await two.lose_the_journal()
    assert (await examine(two.nats_url, two.database_url)).from_store == 19
    report = await two.settle()
    assert (report.from_store, report.withdrawn, report.from_journal) == (19, 1, 0)
    await two.recorded(19)
    await two.agree(BEFORE)
    await two.pen.write(withdrawn(5), replaced(6, 46))
    await two.recorded(18)
    await two.agree(BEFORE | {5: None, 6: 46})


async def test_an_older_copy_that_intake_went_on_writing_to_is_merged_with_the_store(two: Two) -> None:
    await both_have_it(two)
    await two.bring_back(EARLY)
    # Numbers that the store knows for something else are given again, and the store's position is passed.
    await two.write_in_order(replaced(2, 52), withdrawn(3), submitted(12, 12), *(submitted(number) for number in range(30, 50)))
    report = await two.settle()
    assert report.mended
    assert report.ended > report.highest
    assert not (await two.settle()).mended
    after = BEFORE | {2: 52, 3: None} | {number: number for number in range(30, 50)}
    await two.recorded(len([said for said in after.values() if said is not None]))
    await two.agree(after)
    assert not (await two.settle()).mended


async def test_mending_that_is_killed_again_and_again_goes_on_where_it_was(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is appended, after a part, before the journal has its new name, before the store knows of it."""
    await both_have_it(two)
    await two.bring_back(EARLY)
    await two.write_in_order(*(submitted(number) for number in range(30, 45)))
    append = mending.Appender.append

    async def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    async def half(appender: mending.Appender, wanted: Any) -> None:
        await append(appender, wanted[: len(wanted) // 2])
        raise KeyboardInterrupt

    steps = ((mending.Appender, "raise_end", killed), (mending.Appender, "append", half), (mending, "_rename", killed))
    for place, name, instead in (*steps, (mending, "_finish", killed)):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, instead)
            with pytest.raises(KeyboardInterrupt):
                await two.settle()
    async with two.service.running() as analysis:
        await until(lambda: all("is not finished" in worker.doubt for worker in analysis.workers))
    assert (await two.settle()).mended
    after = BEFORE | {number: number for number in range(30, 45)}
    await two.recorded(len(after) - 1)
    await two.agree(after)


async def test_events_that_nats_dropped_in_the_middle_come_back_from_the_store(two: Two) -> None:
    await both_have_it(two)
    js = two.client.jetstream()
    for seq in (4, 5, 6, 7, 23):  # among them the last
        await js.delete_msg(subjects.RESPONSES, seq)
    report = await two.settle()
    assert report.from_store == 5
    await two.recorded(19)
    await two.agree(BEFORE)


async def test_what_neither_home_has_is_told(two: Two) -> None:
    await both_have_it(two)
    await two.write_in_order(*(submitted(number) for number in range(60, 66)))
    js = two.client.jetstream()
    for seq in (5, 25, 26):  # one that the store has, two that nobody had recorded
        await js.delete_msg(subjects.RESPONSES, seq)
    report = await two.settle()
    assert (report.from_store, report.nowhere) == (1, 2)
    assert "2 numbers are in neither" in report.sentence()


async def test_what_waits_for_a_version_of_its_survey_goes_on_waiting_or_is_told_to_be_gone(two: Two) -> None:
    await both_have_it(two)
    later, *lost = (msgspec.structs.replace(replaced(number, 50 + number), version="9.0.0") for number in (7, 8))
    new = msgspec.structs.replace(submitted(70), version="9.0.0")
    await two.write_in_order(later, *lost, new)
    await two.recorded(19)
    assert await two.database.fetchval("select count(*) from waiting") == 3
    js = two.client.jetstream()
    for seq in (8, 12, 25):  # what the first of them has changed, what somebody else said, and the second of them
        await js.delete_msg(subjects.RESPONSES, seq)
    report = await two.settle()
    assert (report.from_store, report.from_journal, report.nowhere) == (1, 0, 1)
    assert [row["seq"] for row in await two.database.fetch("select seq from waiting order by seq")] == [24, 26]
    assert not (await settle(two.nats_url, two.database_url, whole=True)).mended
    await two.pen.publish(msgspec.structs.replace(questionnaire(), version="9.0.0"))
    await two.recorded(20)
    await two.agree(BEFORE | {7: 57, 70: 70})


async def test_an_older_store_is_no_reason_to_mend(two: Two) -> None:
    await both_have_it(two)
    await two.database.execute("delete from responses where seq > 15; update positions set seq = least(seq, 15); truncate checkpoints")
    assert not (await two.settle()).mended


async def test_an_installation_from_before_takes_to_its_journal_silently(two: Two) -> None:
    js = two.client.jetstream()
    config = (await js.stream_info(subjects.RESPONSES)).config
    config.metadata = {}
    await js.update_stream(config)
    await two.write_in_order(*EARLY)
    await two.recorded(12)
    await create_streams(js, PARTITIONS, 1, 12)
    assert not (await two.settle()).mended
    id = own_metadata((await js.stream_info(subjects.RESPONSES)).config)[subjects.JOURNAL_ID]
    assert await two.database.fetchval("select id from journals where settled") == id
    await create_streams(js, PARTITIONS, 1, 12)
    assert own_metadata((await js.stream_info(subjects.RESPONSES)).config)[subjects.JOURNAL_ID] == id


async def test_the_store_of_another_installation_is_not_mixed_in_unasked(two: Two) -> None:
    await both_have_it(two)
    await two.database.execute("update journals set id = 'another'; update responses set id = gen_random_uuid()")
    report = await two.settle()
    assert not report.together
    assert "--strangers" in report.sentence()
    assert len(await two.journal()) == 20, "nothing was touched"
    assert (await settle(two.nats_url, two.database_url, even_strangers=True)).mended


async def test_while_analysis_is_at_work_it_is_mended_too_and_goes_on_recording(two: Two) -> None:
    await both_have_it(two)
    async with two.service.running() as analysis:
        await until(lambda: all(partition.held for partition in analysis.partitions))
        await two.client.jetstream().delete_msg(subjects.RESPONSES, 5)
        report = await two.settle()
        assert report.together
        assert report.from_store == 1
        await two.pen.write(submitted(70))
        await until(lambda: analysis.totals.own(SURVEY) == 20)
    await two.recorded(20)
    await two.agree(BEFORE | {70: 70})


async def test_while_somebody_else_has_the_store_nothing_is_mended(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "LETTING_GO", 0.2)
    await both_have_it(two)
    await two.client.jetstream().delete_msg(subjects.RESPONSES, 5)
    await two.database.execute("select pg_advisory_lock($1, 0)", LOCKS)
    report = await two.settle()
    assert not report.together
    assert "does not let go of the store" in report.sentence()
    await two.database.execute("select pg_advisory_unlock($1, 0)", LOCKS)
    assert (await two.settle()).from_store == 1


async def test_a_journal_that_is_gone_is_told_to_be_so_and_analysis_waits_for_another(two: Two) -> None:
    await both_have_it(two)
    async with two.service.running() as analysis:
        await until(lambda: all(partition.held for partition in analysis.partitions))
        await two.client.jetstream().delete_stream(subjects.RESPONSES)
        await until(lambda: all("journal is gone" in worker.doubt for worker in analysis.workers), seconds=30)
        for compare in (two.settle, lambda: examine(two.nats_url, two.database_url)):
            with pytest.raises(mending.NoJournal):
                await compare()
        await two.make_a_journal()
        assert (await two.settle()).from_store == 19
    await two.recorded(19)
    await two.agree(BEFORE)
