"""When the time of a survey is over its answers go, everywhere, and its figures stay to the last digit."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from proto import events, subjects
from proto.events import ControlEvent, RetentionSet, SurveyClosed
from services.analysis.ingest import retention
from services.analysis.main import Analysis
from services.analysis.state.state import State
from services.analysis.store import Store
from tests.analysis.conftest import SURVEY, Pen, Service, ask, replaced, submitted, until, withdrawn


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


TODAY = today()


async def say(pen: Pen, event: ControlEvent, subject: str) -> None:
    await pen._js.publish(subject, events.encode(event))


async def over(pen: Pen, day: str = TODAY) -> None:
    """The survey is closed and its day has come."""
    await say(pen, SurveyClosed(SURVEY), subjects.closing(SURVEY))
    await say(pen, RetentionSet(SURVEY, day), subjects.retention(SURVEY))


async def write(pen: Pen) -> None:
    """Forty people answer, three change their answers, four withdraw."""
    await pen.write(*(submitted(n) for n in range(40)))
    await pen.write(*(replaced(n, n + 100) for n in range(3)), *(withdrawn(n) for n in range(30, 34)))


async def exact(service: Service, analysis: Analysis, responses: int) -> dict[str, Any]:
    """The figures, once they are there and of so many responses."""

    async def there() -> bool:
        return analysis.totals.ready(SURVEY) and (await figures(service)).get("responses") == responses

    await until(there)
    return await figures(service)


async def figures(service: Service) -> dict[str, Any]:
    found = await ask(service, what="exact")
    return {name: found[name] for name in ("responses", "questions", "breakdowns") if name in found}


async def answers(database: Any) -> int:
    return await database.fetchval("select count(*) from responses where status = 'recorded'") + await database.fetchval(
        "select count(*) from retractions"
    )


async def test_answers_go_from_store_and_journal_and_figures_stay(pen: Pen, service: Service, database: Any) -> None:
    async def nothing() -> bool:
        return await answers(database) == 0 and not await database.fetchval("select count(*) from erasures")

    async with service.running() as analysis:
        await write(pen)
        before = await exact(service, analysis, 36)
        assert (await ask(service, what="recount"))["differences"] == []
        await over(pen)
        await until(nothing)
        assert await pen.messages() == 4, "what is left in the journal are withdrawals, which say nothing"
        assert await figures(service) == before
        told = await ask(service, what="recount")
        assert TODAY <= told["deleted"] <= today(), "midnight may come in between"
        assert (told["responses"], told["differences"]) == (36, [])
    async with service.running() as analysis:
        assert await exact(service, analysis, 36) == before, "a restart starts from the checkpoint"
        await pen.write(withdrawn(7), submitted(50))  # both were under way
        after = await exact(service, analysis, 37)
        await until(nothing)
        assert (await figures(service))["questions"] == after["questions"]
    async with service.running() as analysis:
        assert await exact(service, analysis, 37) == after


async def test_cut_off_between_two_parts_nothing_is_lost_and_the_rest_goes_next(
    pen: Pen, service: Service, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PART", 3)
    whole, calls = Store.delete_answers, 0

    async def dying(self: Store, *order: Any) -> int:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise OSError
        return await whole(self, *order)

    monkeypatch.setattr(Store, "delete_answers", dying)
    async with service.running(checkpoint=3600) as analysis:
        await write(pen)
        before = await exact(service, analysis, 36)
        await over(pen)
        await until(lambda: calls > 4)
        left = await answers(database)
        assert 0 < left < 36
    monkeypatch.setattr(Store, "delete_answers", whole)
    async with service.running() as analysis:
        assert await exact(service, analysis, 36) == before

        async def nothing() -> bool:
            return await answers(database) == 0

        await until(nothing)
        assert await figures(service) == before
    async with service.running() as analysis:
        assert await exact(service, analysis, 36) == before


async def test_what_was_erased_and_not_noted_before_a_kill_holds_up_no_other_erasure(pen: Pen, service: Service, database: Any) -> None:
    async def noted() -> bool:
        return not await database.fetchval("select count(*) from erasures")

    async with service.running() as analysis:
        [first, *_] = await pen.write(*(submitted(n) for n in range(20)))
        await pen.write(withdrawn(0))
        await exact(service, analysis, 19)
        await until(noted)
    await database.execute("insert into erasures (seq) values ($1)", first)
    async with service.running() as analysis:
        await pen.write(withdrawn(1))
        await exact(service, analysis, 18)
        await until(noted)
        assert await pen.messages() == 20, "18 answers and two withdrawals"


async def test_nothing_goes_while_the_survey_is_open_or_its_day_is_to_come(pen: Pen, service: Service, database: Any) -> None:
    monday = (datetime.date.fromisoformat(TODAY) + datetime.timedelta(days=3)).isoformat()
    async with service.running() as analysis:
        await write(pen)
        await exact(service, analysis, 36)
        await say(pen, RetentionSet(SURVEY, TODAY), subjects.retention(SURVEY))
        await until(lambda: analysis.compiled.registry.retention.get(SURVEY) == TODAY)
        assert not analysis.compiled.registry.over(SURVEY, TODAY), "an open survey keeps its answers"
        await over(pen, monday)
        await until(lambda: analysis.compiled.registry.retention.get(SURVEY) == monday)
        assert not analysis.compiled.registry.over(SURVEY, TODAY)
        assert analysis.compiled.registry.over(SURVEY, monday)
        assert await answers(database) >= 36


async def test_figures_of_deleted_answers_are_read_from_a_checkpoint_that_names_the_columns_alone(
    pen: Pen, service: Service, database: Any
) -> None:
    """As releases of Platea wrote them that counted by the same columns, whatever else they may have counted differently."""

    async def nothing() -> bool:
        return await answers(database) == 0

    async with service.running() as analysis:
        await write(pen)
        before = await exact(service, analysis, 36)
        await over(pen)
        await until(nothing)
    for row in await database.fetch("select partition, codebook, state from checkpoints where survey = $1", SURVEY):
        columns = row["codebook"].partition(".")[0]
        earlier = State.load(row["state"], row["codebook"]).dump(columns)
        text = "update checkpoints set codebook = $1, state = $2 where survey = $3 and partition = $4"
        await database.execute(text, columns, earlier, SURVEY, row["partition"])
    async with service.running() as analysis:
        after = await exact(service, analysis, 36)
    assert after["questions"] == before["questions"]


async def test_a_checkpoint_that_cannot_be_read_is_never_replaced_by_a_count_of_nothing(pen: Pen, service: Service, database: Any) -> None:
    async def nothing() -> bool:
        return await answers(database) == 0

    async with service.running() as analysis:
        await write(pen)
        await exact(service, analysis, 36)
        await over(pen)
        await until(nothing)
    published = await database.fetchval("select state from released where survey = $1", SURVEY)
    await database.execute("update checkpoints set codebook = 'another' where survey = $1", SURVEY)
    before = await database.fetch("select partition, seq, state from checkpoints where survey = $1 order by partition", SURVEY)
    async with service.running(checkpoint=0.1) as analysis:
        await until(lambda: any(partition._lost for partition in analysis.partitions))
        assert "questions" not in await ask(service, what="exact")
    assert await database.fetch("select partition, seq, state from checkpoints where survey = $1 order by partition", SURVEY) == before
    assert await database.fetchval("select state from released where survey = $1", SURVEY) == published
