"""Answers that a link brings along: of questions that allow it, such as the form would take, changed as any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient

from proto.answers import Reader
from proto.authoring.faults import Faults
from proto.authoring.question_checks import Fitness
from proto.events import ResponseSubmitted
from proto.instrument import AnyQuestion, ConstantSum, Matrix, Privacy, Ranking, ShortText
from services.intake.app import create_app
from services.intake.form import prefill
from tests.builders.every_type import INSTRUMENT, QUESTIONS, any_answers, good_answers
from tests.log_lines import LogLines
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Visitor

TODAY = "2026-11-22"
ALLOWED = {"Q1", "Q2", "Q5", "Q6", "Q7", "Q8"}


def _allowing(question: AnyQuestion) -> AnyQuestion:
    return msgspec.structs.replace(question, prefill=question.id in ALLOWED)


SURVEY = msgspec.structs.replace(INSTRUMENT, questions=tuple(map(_allowing, QUESTIONS)))
READER = Reader(SURVEY)
HOME = f"/s/{SURVEY.id}"


@given(good_answers())
def test_what_a_link_says_is_what_the_form_begins_with(given_answers: dict[str, Any]) -> None:
    fitting = {id: value for id, value in given_answers.items() if id in ALLOWED}
    assert prefill.answers(READER, prefill.written(given_answers | {"Q9": "a text"}), TODAY) == fitting


@given(any_answers)
def test_nothing_comes_in_that_the_form_would_refuse(given_answers: dict[str, Any]) -> None:
    brought = prefill.answers(READER, urlencode(given_answers, doseq=True), TODAY)
    assert brought.keys() <= ALLOWED
    for id, value in brought.items():
        struct, refused = READER.convert({id: value})
        assert not refused
        assert [fault for fault in READER.check(struct, TODAY) if fault.pointer == f"/answers/{id}"] == []


@given(st.text(max_size=200))
def test_any_address_opens_the_form(text: str) -> None:
    assert prefill.answers(READER, text, TODAY).keys() <= ALLOWED


def test_a_questionnaire_that_allows_nothing_takes_nothing() -> None:
    assert prefill.answers(Reader(INSTRUMENT), "Q1=yes&Q5=12&Q7=2026-11", TODAY) == {}


@pytest.mark.parametrize(
    ("text", "taken"), [("Q5=101", {}), ("Q5=12abc", {}), ("Q7=2026-13", {}), ("Q2=a,none", {}), ("Q2=a&Q2=b", {"Q2": ["a", "b"]})]
)
def test_a_link_is_read_by_the_rules_of_the_answers(text: str, taken: dict[str, Any]) -> None:
    assert prefill.answers(READER, text, TODAY) == taken


def test_no_link_may_bring_texts_or_what_names_somebody() -> None:
    faults = Faults("")
    named = [msgspec.structs.replace(q, prefill=True, privacy=Privacy("identifying")) for q in QUESTIONS if q.id == "Q1"]
    for place, question in enumerate([*named, *(msgspec.structs.replace(q, prefill=True) for q in QUESTIONS)]):
        Fitness({}, faults).question(question, ("questions", place))
    told = [fault.message for fault in faults.found if fault.path.endswith("/prefill")]
    refused = [q.id for q in QUESTIONS if isinstance(q, Matrix | Ranking | ConstantSum | ShortText) or q.id == "Q10"]
    assert told == [
        "Q1 identifies somebody, and links are kept and passed on",
        *(f"a link cannot bring the answer to {id}" for id in refused),
    ]


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
async def visitor(journal: MemoryJournal) -> AsyncIterator[Visitor]:
    invited = msgspec.structs.replace(SURVEY, id="invited", participation="invited")
    async with AsyncTestClient(create_app(open_desk(journal, [SURVEY, invited]))) as client:
        yield Visitor(client, "en")


async def test_a_link_fills_in_what_can_be_changed_and_leaves_no_trace(visitor: Visitor, journal: MemoryJournal, logged: LogLines) -> None:
    page = await visitor.get(f"{HOME}?lang=en&Q1=yes&Q5=37&Q8=2024-02-29&Q9=secret&Q6=bad")
    assert (visitor.status, visitor.received["cache-control"]) == (200, "no-store")
    assert not [name for name in visitor.received if name in ("location", "set-cookie", "link")]
    assert "secret" not in page.html
    assert parse_qs(page.control("brought").value) == {"Q1": ["yes"], "Q5": ["37"], "Q8": ["2024-02-29"]}
    french = await visitor.send(f"{HOME}?lang=fr", page.press("next")[1].replace("go=next", "go=stay"))
    assert french.language == "fr"
    await visitor.press("next")
    assert visitor.status == 422, "nothing is agreed to by a link"
    visitor.page.fill("consent", "yes")
    page = await visitor.press("next")
    assert (page.control("q.Q1", "yes").on, page.control("q.Q5").value, page.control("q.Q8.day").value) == (True, "37", "29")
    page.fill("q.Q5", "38")
    page.fill("q.Q1", "dk")
    await visitor.press("next")
    assert visitor.place == "review", visitor.page.text
    await visitor.press("send")
    [written] = journal.events.values()
    assert isinstance(written.event, ResponseSubmitted)
    assert msgspec.json.decode(written.event.answers) == {"Q1": "dk", "Q5": 38, "Q8": "2024-02-29"}
    assert not [word for word in ("2024-02-29", "Q5", "secret") if word in logged.text]


async def test_going_back_or_going_on_elsewhere_keeps_what_was_answered(visitor: Visitor) -> None:
    await visitor.get(f"{HOME}?lang=en")
    visitor.page.fill("consent", "yes")
    page = await visitor.press("next")
    page.fill("q.Q5", "1")
    start = await visitor.press("back")
    assert not start.has("brought")
    address, body = start.press("next")
    page = await visitor.send(address, f"{body}&{urlencode({'brought': 'Q5=37'})}")
    assert page.control("q.Q5").value == "1"


async def test_a_mistyped_invitation_keeps_what_the_link_brought(visitor: Visitor) -> None:
    page = await visitor.get("/s/invited?lang=en&Q5=37")
    assert page.control("brought").value == "Q5=37"
    page.fill("code", "0000")
    await visitor.press("next")
    assert (visitor.status, visitor.page.control("brought").value) == (422, "Q5=37")
