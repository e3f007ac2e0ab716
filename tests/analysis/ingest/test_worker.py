"""From the journal to the figures, on a real NATS and a real PostgreSQL."""

from __future__ import annotations

from typing import Any

from tests.analysis.conftest import SURVEY, Pen, Service, ask, replaced, submitted, until, withdrawn


async def test_every_response_is_recorded_and_counted(pen: Pen, service: Service, database: Any) -> None:
    await pen.write(*(submitted(number) for number in range(300)))
    async with service.running() as analysis:
        await until(lambda: analysis.totals.own(SURVEY) == 300)
        assert await database.fetchval("select count(*) from responses where status = 'recorded'") == 300
        report = await ask(service, what="recount")
        assert report["responses"] == 300
        assert report["compared"] > 1000
        assert report["differences"] == []


async def test_changes_and_withdrawals_reach_figures_store_and_journal(pen: Pen, service: Service, database: Any, provisioner: Any) -> None:
    js = provisioner.jetstream()
    async with service.running() as analysis:
        first = await pen.write(*(submitted(number) for number in range(40)))
        await until(lambda: analysis.totals.own(SURVEY) == 40)
        await pen.write(replaced(0, 100), replaced(1, 101), withdrawn(2), withdrawn(3), withdrawn(77))
        await pen.write(submitted(77))
        await until(lambda: analysis.totals.own(SURVEY) == 38)
        report = await ask(service, what="recount")
        assert (report["responses"], report["differences"]) == (38, [])
        assert await database.fetchval("select count(*) from responses where status = 'withdrawn' and answers is null") == 3

        async def forgotten() -> bool:
            left = await database.fetchval("select (select count(*) from retractions) + (select count(*) from erasures)")
            return left == 0

        await until(forgotten)
        state = (await js.stream_info("RESPONSES")).state
        assert state.messages == 36 + 2 + 3
        for seq in first[:4]:
            assert not await _there(js, seq)


async def _there(js: Any, seq: int) -> bool:
    try:
        await js.get_msg("RESPONSES", seq)
    except Exception:
        return False
    return True
