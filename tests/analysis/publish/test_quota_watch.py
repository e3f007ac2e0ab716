"""The worker says that a quota is full, once, to everybody, and nothing else of it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from proto import subjects
from proto.events import QuotasFilled, read_control
from proto.instrument import Quota, Rule
from services.analysis.disclosure.quota_limits import threshold
from tests.analysis.conftest import Pen, Service, submitted, until, withdrawn
from tests.builders.bundled import SURVEY, questionnaire

LIMIT = 20
EVERYBODY = Quota("everybody", Rule(q="A01", op="answered"), LIMIT, {"en": "Enough."})
NOBODY = Quota("nobody", Rule(all=(EVERYBODY.when, Rule(not_=EVERYBODY.when))), LIMIT, {"en": "Enough."})


async def _said(client: Any) -> QuotasFilled:
    message = await client.jetstream().get_last_msg(subjects.CONTROL, subjects.quotas(SURVEY))
    event = read_control(message.data or b"")
    assert isinstance(event, QuotasFilled)
    return event


async def test_a_quota_is_full_once_enough_are_counted_and_stays_so(pen: Pen, service: Service, provisioner: Any) -> None:
    def version(number: str, limit: int) -> Any:
        given = (msgspec.structs.replace(EVERYBODY, limit=limit), NOBODY)
        return msgspec.structs.replace(questionnaire(), version=number, quotas=given)

    first, second = version("9.0.0", LIMIT), version("9.1.0", 2 * LIMIT)
    enough = threshold(service.settings.record_key(), SURVEY, EVERYBODY)
    await pen.publish(first)
    async with service.running() as analysis:
        registry = analysis.compiled.registry
        await until(lambda: analysis.totals.ready(SURVEY) and registry.current(SURVEY) == first)
        await pen.write(*(submitted(number) for number in range(enough - 1)))
        await until(lambda: analysis.totals.own(SURVEY) == enough - 1)
        await asyncio.sleep(2.5)
        assert registry.full_quotas(first) == frozenset(), "one too few"
        await pen.write(*(submitted(number) for number in range(enough - 1, enough + 2 * first.policy.batch)))
        await until(lambda: registry.full_quotas(first) == frozenset({"everybody"}))
        assert await _said(provisioner) == QuotasFilled(SURVEY, {"everybody": LIMIT})
        await pen.write(*(withdrawn(number) for number in range(enough)))
        await until(lambda: analysis.totals.own(SURVEY) == 2 * first.policy.batch)
        await asyncio.sleep(2.5)
        assert registry.full_quotas(first) == frozenset({"everybody"}), "whoever leaves is not told of"
        await pen.publish(second)
        await until(lambda: registry.current(SURVEY) == second)
        assert registry.full_quotas(second) == frozenset(), "more are wanted now"
        await pen.write(*(submitted(number) for number in range(100, 100 + 2 * LIMIT)))
        await until(lambda: registry.full_quotas(second) == frozenset({"everybody"}))
        assert await _said(provisioner) == QuotasFilled(SURVEY, {"everybody": 2 * LIMIT})
    async with service.running() as analysis:
        await until(lambda: analysis.compiled.registry.full_quotas(second) == frozenset({"everybody"}))
