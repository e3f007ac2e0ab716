"""`max: today` means the respondent's today, wherever that is: form, page script and API take the latest date that is today on Earth."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import Literal

import pytest
from litestar.testing import AsyncTestClient

from proto.instrument import Date, Instrument, Privacy, Section
from services.intake.app import create_app
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Visitor
from tests.pages.walking import begin

CASES = [
    ("2026-11-29T23:51", "2026-11-30", True),  # nine minutes to one in Warsaw
    ("2026-11-29T23:51", "2026-12-01", False),
    ("2026-11-29T10:00", "2026-11-30", True),  # midnight in Kiritimati
    ("2026-11-29T09:59", "2026-11-30", False),
    ("2026-11-30T12:00", "2026-12", True),
    ("2026-11-30T09:00", "2026-12", False),
]


def walked(precision: Literal["month", "day"]) -> Instrument:
    date = Date(
        id="D", var="d", section="A", text={"en": "Last walk"}, privacy=Privacy("insensitive"), precision=precision, min="2000-01", stats=()
    )
    return Instrument(
        id="walks", version="1.0.0", source_language="en", languages=("en",), title={"en": "Walks"}, sections=(Section("A", {"en": "A"}),),
        questions=(date,),
    )  # fmt: skip


@pytest.mark.parametrize(("now", "given", "taken"), CASES)
async def test_nobodys_own_today_is_refused(now: str, given: str, taken: bool) -> None:
    journal = MemoryJournal()
    moment = datetime.datetime.fromisoformat(now).replace(tzinfo=datetime.UTC).timestamp()
    desk = replace(open_desk(journal, [walked("month" if len(given) == 7 else "day")]), clock=lambda: moment)
    async with AsyncTestClient(create_app(desk)) as client:
        visitor = Visitor(client, "en")
        page = await begin(visitor, "walks", "en")
        for part, text in zip(("year", "month", "day"), given.split("-"), strict=False):
            page.fill(f"q.D.{part}", text)
        await visitor.press("next")
        assert visitor.status == (200 if taken else 422)
        sent = await client.post("/api/v1/surveys/walks/responses", content=json.dumps({"answers": {"D": given}, "consent": True}),
                                 headers={"Content-Type": "application/json"})  # fmt: skip
        assert sent.status_code == (201 if taken else 422)


def test_retention_goes_by_the_date_of_the_server() -> None:
    moment = datetime.datetime(2026, 11, 29, 23, 51, tzinfo=datetime.UTC).timestamp()
    desk = replace(open_desk(MemoryJournal(), []), clock=lambda: moment)
    assert (desk.today(), desk.latest_today()) == ("2026-11-29", "2026-11-30")
