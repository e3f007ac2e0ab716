"""A survey closes on its date, at every intake alike, and the control stream says so once: on a real NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client

from proto import instrument as instruments
from proto import schedule, subjects
from proto.events import SurveyClosed, read_control
from proto.instrument import Closing
from proto.registry import GRACE, after_grace
from tests.builders.bundled import questionnaire
from tests.clock import Clock
from tests.conftest import NatsUrls
from tests.intake.serving import SURVEY, Api, key, open_survey, served

CLOSES = Closing("2026-12-31 18:00", "Europe/Brussels", 60)
PATH = f"/api/v1/surveys/{SURVEY}"


@pytest.fixture
def clock() -> Clock:
    return Clock(schedule.end(CLOSES) - 60)


@pytest.fixture
async def apis(nats_urls: NatsUrls, provisioner: Client, clock: Clock) -> AsyncIterator[tuple[Api, Api]]:
    await open_survey(provisioner)
    async with served(nats_urls, clock) as one, served(nats_urls, clock) as other:
        yield one, other


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.05)


def _version(version: str, **changes: Any) -> bytes:
    return instruments.encode(msgspec.structs.replace(questionnaire(), version=version, **changes))


async def _order(api: Api, method: str, path: str, content: Any = None) -> dict[str, Any]:
    """What an organiser's request is answered; each may be repeated, and is while the server is busy."""
    async with asyncio.timeout(60):
        while (answer := await api.organise(method, path, content)).status_code == 503:
            await asyncio.sleep(0.2)
    assert answer.is_success, answer.text
    return answer.json()


async def _said(client: Client) -> SurveyClosed:
    """What the control stream says last about the closing."""
    message = await client.jetstream().get_last_msg(subjects.CONTROL, subjects.closing(SURVEY))
    event = read_control(message.data or b"")
    assert isinstance(event, SurveyClosed)
    return event


async def _state(api: Api) -> str:
    [listed] = (await api.http.get("/api/v1/surveys?closed=true")).json()
    return listed["state"]


async def test_on_its_date_a_survey_closes_everywhere_and_answers_are_deleted_days_after(
    apis: tuple[Api, Api], clock: Clock, provisioner: Client
) -> None:
    one, other = apis
    assert (await _order(one, "POST", "/api/v1/surveys", _version("7.0.0", closes=CLOSES)))["state"] == "ending"
    assert (await _order(one, "PUT", f"{PATH}/retention", {"on": "2026-12-31"}))["open"] is True
    receipt = key()
    assert (await one.submit(1, receipt)).status_code == 201, "whoever has begun may send"

    async def knows() -> bool:
        return await _state(other) == "ending"

    await until(knows)
    clock.now += 60
    for api in apis:
        refused = await api.submit(2)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/survey-closed")
        assert (await api.submit(1, receipt)).status_code == 200, "what arrived in time is found again"
        assert (await api.http.get("/api/v1/surveys")).json() == []

    async def told() -> bool:
        return not any([(await api.organise("GET", f"{PATH}/retention")).json()["open"] for api in apis])

    await until(told)
    assert await _said(provisioner) == SurveyClosed(SURVEY, on="2026-12-31")
    for api in apis:
        kept = (await api.organise("GET", f"{PATH}/retention")).json()
        assert kept["deleted_from"] == after_grace("2026-12-31")
        assert kept["over"] is False
    clock.now += GRACE * 86_400
    assert (await one.organise("GET", f"{PATH}/retention")).json()["over"] is True


async def test_reopening_takes_the_closing_back_until_a_version_names_another(
    apis: tuple[Api, Api], clock: Clock, provisioner: Client
) -> None:
    one, other = apis
    await _order(one, "POST", "/api/v1/surveys", _version("7.0.0", closes=CLOSES))
    clock.now += 3600

    async def closed() -> bool:
        return not (await other.organise("GET", f"{PATH}/retention")).json()["open"]

    await until(closed)
    opened = await _order(other, "POST", f"{PATH}/reopen")
    assert (opened["open"], opened["state"]) == (True, "open")

    async def open_here() -> bool:
        return await _state(one) == "open"

    await until(open_here)
    clock.now += 86_400
    assert (await one.submit(1)).status_code == 201
    assert await _said(provisioner) == SurveyClosed(SURVEY, closed=False, on="2026-12-31", lifts=schedule.closing(CLOSES))
    again = Closing("2027-01-01 20:00", "Europe/Brussels", 0)
    assert (await _order(one, "POST", "/api/v1/surveys", _version("7.1.0", closes=again)))["open"] is True
    clock.now = schedule.end(again)
    assert (await one.submit(2)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"closes": Closing("2026-12-31 18:00", "Europe/Atlantis")}, "/closes/zone"),
        ({"closes": Closing("tomorrow", "Europe/Brussels")}, "/closes/at"),
        ({"closes": Closing("2026-12-31 18:00", "Europe/Brussels", 1_000_000)}, "/closes/grace_minutes"),
    ],
)
async def test_a_date_that_no_clock_shows_is_refused(apis: tuple[Api, Api], changes: dict[str, Any], pointer: str) -> None:
    refused = await apis[0].organise("POST", "/api/v1/surveys", _version("7.0.0", **changes))
    assert (refused.status_code, [fault["pointer"] for fault in refused.json()["errors"]]) == (422, [pointer])
