"""A guarantee over a real journal and store: what is spent stays spent, over restarts, versions, closing, reopening and a lost store."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from proto import instrument as i
from proto import subjects
from proto.answers import Reader
from proto.events import ResponseSubmitted, ResponseWithdrawn, SurveyClosed
from proto.instrument import Instrument
from proto.snapshot import Snapshot
from services.analysis.main import Analysis
from tests.analysis.conftest import Pen, Service, id_of, judged, until
from tests.analysis.ingest.test_retention import say
from tests.analysis.publish.test_publishing import published
from tests.builders import small_survey, versions

ID = "promised"
POLICY = i.Policy(name="differential-privacy", epsilon=4.0, delta=1e-6, clock=0)
SECOND = replace(small_survey.survey(), id=ID, version="2.0.0", policy=POLICY)
FIRST = replace(SECOND, version="1.0.0", questions=SECOND.questions[:5])


def _submitted(survey: Instrument, number: int) -> ResponseSubmitted:
    said = msgspec.Raw(versions.answered(Reader(survey), Random(number)))
    return ResponseSubmitted(id_of(number), ID, survey.version, said, "sha256:x", "en")


async def _shown(provisioner: Any, editions: int) -> Snapshot:
    """The figures, once there are so many editions."""

    async def there() -> bool:
        found = await published(provisioner, ID)
        return found is not None and found.policy.guarantee is not None and found.policy.guarantee.editions == editions

    await until(there, 60)
    found = await published(provisioner, ID)
    assert found is not None
    return found


async def _grow(pen: Pen, analysis: Analysis, survey: Instrument, start: int, end: int) -> None:
    await pen.write(*(_submitted(survey, number) for number in range(start, end)))
    await until(lambda: analysis.totals.own(ID) == end, 60)


async def _say(pen: Pen, *, closed: bool) -> None:
    await say(pen, SurveyClosed(ID, closed), subjects.closing(ID))


async def test_what_is_spent_stays_spent_whatever_comes_between(pen: Pen, service: Service, provisioner: Any, database: Any) -> None:
    await pen.publish(FIRST)
    async with service.running() as analysis:
        await _grow(pen, analysis, FIRST, 0, 39)
        await judged(analysis, ID)
        assert await published(provisioner, ID) is None, "the first edition is of forty"
        await _grow(pen, analysis, FIRST, 39, 40)
        first = await _shown(provisioner, 1)
        assert first.responses == 40
        await _grow(pen, analysis, FIRST, 40, 79)
        await judged(analysis, ID)
        assert await published(provisioner, ID) == first, "the second of eighty"
    async with service.running() as analysis:
        await until(lambda: analysis.publisher.edition(ID) is not None, 60)
        released = analysis.publisher.edition(ID)
        assert released is not None
        assert released.public == first, "a restart draws nothing anew"
        await pen.publish(SECOND)
        await until(lambda: analysis.totals.ready(ID) and analysis.compiled.registry.current(ID) == SECOND, 60)
        await judged(analysis, ID)
        assert await published(provisioner, ID) == first, "a version makes no edition"
        await _grow(pen, analysis, SECOND, 79, 80)
        second = await _shown(provisioner, 2)
        assert (second.responses, second.version) == (80, "2.0.0")
        assert first.policy.guarantee is not None
        assert second.policy.guarantee is not None
        assert 0 < first.policy.guarantee.spent < second.policy.guarantee.spent < 4
        assert (second.policy.noise or 0) > (first.policy.noise or 0), "more questions have more noise, not more of the budget"
        await pen.write(*(ResponseWithdrawn(id_of(number), ID) for number in range(30)))
        await until(lambda: analysis.totals.own(ID) == 50, 60)
        await _say(pen, closed=True)
        third = await _shown(provisioner, 3)
        assert third.responses == 50, "who withdrew leaves the figures with the close"
        for closed in (False, True):
            await _say(pen, closed=closed)
            await until(lambda closed=closed: (ID in analysis.compiled.registry.closed) == closed, 60)
        await asyncio.sleep(5)
        assert await published(provisioner, ID) == third, "closing again is no new chance"
        await _say(pen, closed=False)
        await until(lambda: ID not in analysis.compiled.registry.closed, 60)
    await database.execute("delete from released where survey = $1", ID)
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(ID), 60)
        await pen.write(*(_submitted(SECOND, number) for number in range(80, 129)))
        await until(lambda: analysis.totals.own(ID) == 99, 60)
        await judged(analysis, ID)
        assert await published(provisioner, ID) == third, "whatever the store forgot, nothing is drawn anew"
        await pen.write(_submitted(SECOND, 129))
        fourth = await _shown(provisioner, 4)
        assert fourth.responses == 100
