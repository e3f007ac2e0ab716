"""The closing edition, from the journal to what is published: once, of what came since, and never again by opening and closing."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import msgspec
import pytest

from proto import instrument as i
from proto import subjects
from proto.events import SurveyClosed
from services.analysis.disclosure.parameters import OPEN
from services.analysis.main import Analysis
from services.analysis.publish import publisher
from tests.analysis.conftest import SURVEY, Pen, Service, ask, judged, submitted, until
from tests.analysis.ingest.test_retention import say
from tests.analysis.publish.test_publishing import published, wait
from tests.builders.bundled import questionnaire

CLOSING = 0.5
"""Seconds from the close to its edition."""


class Organised:
    """A survey that people come to, that is closed and opened, and what is shown of it."""

    def __init__(self, pen: Pen, analysis: Analysis, service: Service, provisioner: Any) -> None:
        self._pen, self.analysis, self._service, self._provisioner = pen, analysis, service, provisioner
        self.people = self.editions = self.singles = self.tables = 0
        """How many there are, and of how many the last edition and its tables are."""

    async def come(self, people: int) -> None:
        """Until there are so many. All but the last are counted first: of them, any number might be published."""
        for end in (people - 1, people):
            await self._pen.write(*(submitted(number) for number in range(self.people, end)))
            await until(lambda end=end: self.analysis.totals.own(SURVEY) == end)
            self.people = end

    async def grows(self) -> None:
        """Until there is an edition more by growth."""
        await self.come(self.singles + self.wait)
        tables = self.people if self.people >= OPEN.table_factor * self.tables else self.tables
        await self.shows(self.editions + 1, self.people, tables)

    @property
    def wait(self) -> int:
        return wait(self.singles, self.editions)

    async def shows(self, editions: int, singles: int, tables: int) -> None:
        """Waits until this is shown."""

        async def holds() -> bool:
            snapshot = await published(self._provisioner)
            table = await ask(self._service, what="table", row="A04", column="A05")
            return snapshot is not None and (snapshot.revision, snapshot.responses, table["responses"]) == (editions, singles, tables)

        await until(holds)
        self.editions, self.singles, self.tables = editions, singles, tables

    async def stands(self) -> None:
        """Nothing moves."""
        before = await published(self._provisioner)
        await asyncio.sleep(CLOSING)
        await judged(self.analysis)
        assert await published(self._provisioner) == before
        await self.shows(self.editions, self.singles, self.tables)

    async def closes(self, *, closed: bool = True) -> None:
        await say(self._pen, SurveyClosed(SURVEY, closed), subjects.closing(SURVEY))
        await until(lambda: (SURVEY in self.analysis.compiled.registry.closed) is closed)

    async def opens(self) -> None:
        await self.closes(closed=False)
        await judged(self.analysis)


async def test_a_closed_survey_moves_once_more_where_a_batch_came_and_its_tables_where_it_grew_by_half(
    pen: Pen, service: Service, provisioner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "CLOSING", CLOSING)
    first = OPEN.table_batch
    await pen.publish(msgspec.structs.replace(questionnaire(), version="9.0.0", policy=i.Policy(minimum=first)))
    async with service.running() as analysis:
        survey = Organised(pen, analysis, service, provisioner)
        await until(lambda: analysis.totals.ready(SURVEY))
        await survey.come(first)
        await survey.shows(1, first, first)
        while survey.tables == first or survey.wait == OPEN.batch:
            await survey.grows()

        await survey.come(survey.singles + OPEN.batch - 1)
        await survey.closes()
        await survey.stands()  # fewer than a batch came: the last figures say of how many they are

        await survey.opens()
        await survey.come(survey.singles + OPEN.batch)
        await survey.stands()
        await survey.closes()
        await survey.shows(survey.editions + 1, survey.people, survey.tables)
        await survey.opens()
        await survey.closes()
        await survey.stands()  # opening and closing again is no new chance

        await survey.opens()
        half = max(math.ceil(OPEN.closing_factor * survey.tables), survey.tables + OPEN.table_batch)
        while survey.people + OPEN.batch < half or survey.wait == OPEN.batch:
            await survey.grows()
        await survey.come(survey.singles + OPEN.batch)
        assert survey.people < OPEN.table_factor * survey.tables
        await survey.stands()
        await survey.closes()
        await survey.shows(survey.editions + 1, survey.people, survey.people)
        await survey.opens()
        await survey.closes()
        await survey.stands()
    async with service.running() as analysis:
        await until(lambda: analysis.publisher.edition(SURVEY) is not None)
        survey.analysis = analysis
        await survey.stands()  # nor is a restart
