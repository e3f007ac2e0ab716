"""Accepting is a pure step with laws; whatever else a body holds is refused with its places, and nothing is stored."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from proto import events
from proto.answers import Reader
from proto.events import ResponseReplaced
from proto.problem import Problem
from services.intake.submission.validation import Accepted, accept, accept_as
from services.intake.surveys.catalogue import CatalogueEntry
from tests.builders.bundled import questionnaire
from tests.conftest import NatsUrls
from tests.intake.serving import PATH, body, journal, open_survey, served

TODAY = "2026-11-22"
RECEIPT, ID = "a-receipt", "0" * 32
SURVEY = CatalogueEntry(questionnaire().id, {questionnaire().version: Reader(questionnaire())})
_numbers = st.integers(0, 300)


def accepted(sent: Any) -> Accepted:
    found = accept(SURVEY, json.dumps(sent).encode(), RECEIPT, ID, TODAY, organiser=False)
    assert isinstance(found, Accepted), found
    return found


@given(_numbers, st.randoms())
def test_the_order_of_answers_changes_neither_event_nor_digest(number: int, random: Any) -> None:
    sent = body(number)
    items = list(sent["answers"].items())
    random.shuffle(items)
    assert accepted(sent) == accepted(sent | {"answers": dict(items)})


@given(_numbers)
def test_the_digest_is_that_of_the_stored_answers(number: int) -> None:
    event = accepted(body(number)).event
    assert event.digest == events.digest(event.survey, event.version, bytes(event.answers))
    assert json.loads(bytes(event.answers)) == body(number)["answers"]


@given(_numbers, _numbers)
def test_other_answers_have_another_digest(one: int, other: int) -> None:
    same = body(one)["answers"] == body(other)["answers"]
    assert (accepted(body(one)).event.digest == accepted(body(other)).event.digest) == same


@given(_numbers)
def test_a_change_reads_like_a_submission(number: int) -> None:
    sent = json.dumps(body(number)).encode()
    event = accept_as(ResponseReplaced, SURVEY, sent, ID, TODAY, organiser=False)
    assert isinstance(event, ResponseReplaced)
    assert (event.answers, event.digest) == (accepted(body(number)).event.answers, accepted(body(number)).event.digest)


def test_the_receipt_is_not_in_the_event() -> None:
    assert RECEIPT.encode() not in events.encode(accepted(body(0)).event)


def damaged(sent: dict[str, Any], random: Random) -> bytes:
    """The body with one to three things wrong, somewhere."""
    wrong: list[Any] = [None, True, -1, 1e308, 10**30, "", "nope", "\0", "\ud800", [], {}, [[]], {"": ""}, "x" * 4000, ["a"] * 600]
    changed = copy.deepcopy(sent)
    for _ in range(random.randint(1, 3)):
        place: Any = changed
        while True:
            name = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
            inner = place[name]
            if isinstance(inner, dict | list) and inner and random.random() < 0.8:
                place = inner
                continue
            break
        match random.randrange(4):
            case 0:
                place[name] = copy.deepcopy(random.choice(wrong))
            case 1 if isinstance(place, dict):
                place[random.choice(["Z1", "__proto__", "", "a/b~c", "answers"])] = copy.deepcopy(random.choice(wrong))
            case 2 if isinstance(place, list):
                place.append(inner)
            case _:
                del place[name]
    text = json.dumps(changed).encode()
    match random.randrange(12):
        case 0:
            return text[: random.randrange(len(text))]
        case 1:
            at = random.randrange(len(text))
            return text[:at] + bytes([random.randrange(256)]) + text[at + 1 :]
        case _:
            return text


@given(_numbers, st.integers(0, 2**32))
def test_a_damaged_body_is_refused_with_places_or_still_fits(number: int, seed: int) -> None:
    try:
        found = accept(SURVEY, damaged(body(number), Random(seed)), RECEIPT, ID, TODAY, organiser=False)
    except Problem as problem:
        found = problem
    assert not isinstance(found, Problem) or found.code == "malformed-json"
    if isinstance(found, list):
        assert found
        assert all(fault.pointer == "" or fault.pointer.startswith("/") for fault in found)
        assert all(fault.code and fault.detail for fault in found)


@pytest.mark.parametrize("seed", [1, 2])
async def test_damaged_bodies_get_a_problem_and_only_accepted_ones_are_stored(nats_urls: NatsUrls, provisioner: Client, seed: int) -> None:
    await open_survey(provisioner)
    random = Random(seed)
    kept = 0
    async with served(nats_urls) as api:
        for number in range(150):
            content = damaged(body(number), random)
            answer = await api.http.post(PATH, content=content, headers={"Content-Type": "application/json"})
            if answer.status_code == 201:
                kept += 1
                continue
            assert answer.status_code in (400, 422), answer.text
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert answer.status_code == 400 or all({"pointer", "code", "detail"} == set(fault) for fault in problem["errors"])
    assert len(await journal(nats_urls)) == kept
    assert kept < 100
