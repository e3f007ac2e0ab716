"""The life of a response over the API: submitting, looking up, changing, withdrawing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import nats
import pytest
from nats.aio.client import Client

from proto import events, instrument, receipt, subjects
from proto.bounds import body_limit
from proto.events import ResponseReplaced, ResponseSubmitted, ResponseWithdrawn
from proto.registry import published
from services.intake.flood.guess_limiter import GuessLimiter
from services.runtime import withheld
from tests.builders import weighted_survey
from tests.builders.bundled import population, questionnaire
from tests.conftest import NatsUrls
from tests.intake.serving import PATH, Api, body, journal, key, open_survey, served


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await open_survey(provisioner)
    async with served(nats_urls) as api:
        yield api


async def test_an_accepted_response_is_in_the_journal_and_its_receipt_is_not(api: Api) -> None:
    answer = await api.submit(0)
    assert answer.status_code == 201
    told = answer.json()
    assert set(told) == {"receipt", "status", "survey", "version", "digest"}
    assert told["status"] == "accepted"
    assert answer.headers["location"] == f"/api/v1/receipts/{told['receipt']}"
    assert answer.headers["cache-control"] == "no-store"
    [event] = await journal(api.urls)
    assert isinstance(event, ResponseSubmitted)
    assert event.id == receipt.response_id(told["receipt"])
    assert event.digest == told["digest"]
    assert told["receipt"].encode() not in events.encode(event)


async def test_the_same_receipt_twenty_times_and_eight_at_once_counts_once(api: Api) -> None:
    mine = key()
    answers = [answer for _ in range(5) for answer in await asyncio.gather(*(api.submit(1, mine) for _ in range(8)))]
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 39}
    assert len({answer.json()["digest"] for answer in answers}) == 1
    assert len(await journal(api.urls)) == 1


async def test_a_repeat_after_a_restart_counts_once(api: Api) -> None:
    mine = key()
    first = await api.submit(2, mine)
    async with served(api.urls) as restarted:
        again = await asyncio.gather(*(restarted.submit(2, mine) for _ in range(8)))
    assert {answer.status_code for answer in again} == {200}
    assert {answer.json()["digest"] for answer in again} == {first.json()["digest"]}
    assert len(await journal(api.urls)) == 1


async def test_two_intakes_at_once_take_a_receipt_once(api: Api) -> None:
    async with served(api.urls) as other:
        for _ in range(5):
            mine = key()
            answers = await asyncio.gather(*(each.submit(3, mine) for each in (api, other) for _ in range(3)))
            assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 200, 201]
    assert len(await journal(api.urls)) == 5


async def test_one_repeat_among_many_new_ones_spoils_nothing(api: Api) -> None:
    """A known receipt makes the journal refuse the whole batch; the others are then written one by one."""
    async with served(api.urls) as other:
        mine = key()
        await other.submit(4, mine)
    answers = await asyncio.gather(*(api.submit(n, mine if n == 4 else None) for n in range(40)))
    assert Counter(answer.status_code for answer in answers) == {201: 39, 200: 1}
    assert len(await journal(api.urls)) == 40


async def test_a_receipt_with_other_answers_is_refused_and_put_is_offered(api: Api) -> None:
    mine = key()
    await api.submit(5, mine)
    refused = await api.submit(6, mine)
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/receipt-in-use"
    assert len(await journal(api.urls)) == 1


async def test_the_same_receipt_in_two_surveys_is_refused_in_the_second(api: Api, provisioner: Client) -> None:
    """Else the store, which knows a response by its id alone, would keep only one of two accepted responses."""
    other = questionnaire("social-cohesion")
    mine = key()
    await api.submit(7, mine)
    ack = await provisioner.jetstream().publish(subjects.survey(other.id, other.version), events.encode(published(other)))
    assert ack.seq
    for _ in range(50):
        if (await api.http.get(f"/api/v1/surveys/{other.id}")).status_code == 200:
            break
        await asyncio.sleep(0.05)
    content = population(other.id, 1).body(0)
    sent = await api.http.post(
        f"/api/v1/surveys/{other.id}/responses", content=content, headers={"Content-Type": "application/json", "Idempotency-Key": mine}
    )
    assert sent.status_code == 409, sent.text


async def test_a_withdrawn_receipt_stays_withdrawn(api: Api) -> None:
    mine = key()
    await api.submit(8, mine)
    for _ in range(3):
        gone = await api.receipt(mine, "DELETE")
        assert (gone.status_code, gone.json()["status"]) == (202, "withdrawn")
    assert (await api.receipt(mine)).json()["status"] == "withdrawn"
    assert (await api.submit(8, mine)).status_code == 410
    assert (await api.submit(9, mine)).status_code == 410
    assert (await api.receipt(mine, "PUT", json=body(9))).status_code == 410
    assert [type(event) for event in await journal(api.urls)] == [ResponseSubmitted, ResponseWithdrawn]


async def test_put_changes_the_answers_and_keeps_the_receipt(api: Api) -> None:
    mine = key()
    first = (await api.submit(10, mine)).json()
    changed = await api.receipt(mine, "PUT", json=body(11))
    assert changed.status_code == 200
    assert changed.json()["digest"] != first["digest"]
    assert (await api.receipt(mine)).json()["digest"] == changed.json()["digest"]
    again = await api.receipt(mine, "PUT", json=body(11))
    assert again.json()["digest"] == changed.json()["digest"]
    assert (await api.submit(10, mine)).status_code == 409
    assert (await api.submit(11, mine)).status_code == 200
    assert [type(event) for event in await journal(api.urls)] == [ResponseSubmitted, ResponseReplaced]


async def test_with_the_receipt_in_a_header_everything_goes_without_an_address_that_holds_it(api: Api) -> None:
    mine = key()
    await api.submit(10, mine)
    held = {"Platea-Receipt": mine}
    assert (await api.http.get("/api/v1/receipt", headers=held)).json() == (await api.receipt(mine)).json()
    changed = await api.http.put("/api/v1/receipt", headers=held, json=body(12))
    assert (changed.status_code, (await api.receipt(mine)).json()["digest"]) == (200, changed.json()["digest"])
    gone = await api.http.delete("/api/v1/receipt", headers=held)
    assert (gone.status_code, gone.json()["status"]) == (202, "withdrawn")
    assert (await api.receipt(mine)).json()["status"] == "withdrawn"
    for headers in ({}, {"Platea-Receipt": " "}, {"Platea-Receipt": "x" * 201}):
        refused = await api.http.get("/api/v1/receipt", headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (400, "/problems/receipt-unfit")


async def test_change_and_withdrawal_at_once_end_withdrawn(api: Api) -> None:
    mine = key()
    await api.submit(12, mine)
    changes = (api.receipt(mine, "PUT", json=body(n)) for n in range(13, 19))
    answers = await asyncio.gather(*changes, api.receipt(mine, "DELETE"))
    assert answers[-1].status_code == 202
    assert {answer.status_code for answer in answers[:-1]} <= {200, 410, 503}
    assert isinstance((await journal(api.urls))[-1], ResponseWithdrawn)


async def test_recorded_is_what_analysis_has_acknowledged(api: Api, provisioner: Client) -> None:
    mine = key()
    await api.submit(20, mine)
    assert (await api.receipt(mine)).json()["status"] == "accepted"
    js = provisioner.jetstream()
    message = await js.get_last_msg(subjects.RESPONSES, subjects.journalled(receipt.response_id(mine)), direct=True)
    partition = subjects.partition_of(message.subject or "")
    await _acknowledge(api, partition)
    await asyncio.sleep(0.25)
    assert (await api.receipt(mine)).json()["status"] == "accepted", "what was acknowledged past is not known yet"
    await _withhold(api, partition, f"{message.seq}")
    await asyncio.sleep(0.25)
    assert (await api.receipt(mine)).json()["status"] == "accepted", "analysis could not read it"
    await _withhold(api, partition, "")
    await asyncio.sleep(0.25)
    assert (await api.receipt(mine)).json()["status"] == "recorded"
    assert (await api.submit(20, mine)).json()["status"] == "recorded"


async def _withhold(api: Api, partition: int, written: str) -> None:
    client = await nats.connect(api.urls.analysis, inbox_prefix="_INBOX.analysis")
    js = client.jetstream()
    info = await js.consumer_info(subjects.RESPONSES, subjects.durable(partition))
    await js.add_consumer(subjects.RESPONSES, replace(info.config, metadata={withheld.KEY: written}))
    await client.close()


async def _acknowledge(api: Api, partition: int) -> None:
    client = await nats.connect(api.urls.analysis, inbox_prefix="_INBOX.analysis")
    durable = subjects.durable(partition)
    pull = await client.jetstream().pull_subscribe_bind(durable, subjects.RESPONSES)
    for message in await pull.fetch(10, timeout=2):
        await message.ack_sync()
    await client.close()


async def test_unknown_and_unfit_receipts_are_unknown(api: Api) -> None:
    for name in (key(), "short", "%00", "a" * 500, "..%2F..%2Fetc", "é" * 30):
        for method in ("GET", "DELETE"):
            assert (await api.receipt(name, method)).status_code == 404
        assert (await api.receipt(name, "PUT", json=body(0))).status_code == 404


async def test_asking_for_many_unknown_receipts_is_slowed_down(api: Api) -> None:
    first = await asyncio.gather(*(api.receipt(key()) for _ in range(150)))
    assert {answer.status_code for answer in first} == {404}
    late = await api.receipt(key())
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 0


def test_slowing_down_ends_after_a_while_and_concerns_one_address() -> None:
    throttle = GuessLimiter(burst=10, rate=1)
    for _ in range(10):
        assert not throttle.blocked("a", 0)
        throttle.record_failure("a", 0)
    assert throttle.blocked("a", 0)
    assert not throttle.blocked("b", 0)
    assert not throttle.blocked("a", 1.1)


async def test_a_receipt_of_ours_may_be_typed_carelessly(api: Api) -> None:
    told = (await api.submit(21)).json()["receipt"]
    for typed in (told.lower(), told.replace("-", ""), told.replace("-", " ").lower()):
        assert (await api.receipt(typed)).status_code == 200


async def test_a_closed_survey_takes_nothing_new_and_gives_back_what_it_has(api: Api) -> None:
    mine, late = key(), key()
    await api.submit(22, mine)
    assert (await api.organise("POST", "/api/v1/surveys/ai-security/close")).status_code == 200
    assert (await api.submit(23, late)).status_code == 403
    assert (await api.submit(24)).status_code == 403
    assert (await api.submit(22, mine)).status_code == 200, "a repeat whose first answer got lost"
    assert (await api.receipt(mine, "PUT", json=body(25))).status_code == 403
    assert (await api.receipt(mine, "DELETE")).status_code == 202
    assert len(await journal(api.urls)) == 2


@pytest.mark.parametrize("unfit", ["short", "a" * 64, "x" * 200, "with space and more than 22", "semi;colon;semi;colon;semi"])
async def test_a_receipt_that_could_be_guessed_is_refused(api: Api, unfit: str) -> None:
    refused = await api.submit(0, unfit)
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/receipt-unfit")


async def test_what_is_no_json_or_too_much_of_it_is_refused(api: Api) -> None:
    post = api.http.post
    headers = {"Content-Type": "application/json"}
    assert (await post(PATH, content=b"a=b")).status_code == 415
    assert (await post(PATH, content=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})).status_code == 415
    assert (await post(PATH, content=b"{", headers=headers)).status_code == 400
    assert (await post(PATH, content=b"", headers=headers)).status_code == 400
    assert (await post(PATH, content=b"\xff\xfe", headers=headers)).status_code == 400
    assert (await post(PATH, content=b"[" * 100_000, headers=headers)).status_code == 400
    assert (await post(PATH, content=b'{"answers":' * 9_000, headers=headers)).status_code == 400
    assert (await post(PATH, content=b" " * (body_limit(questionnaire()) + 1), headers=headers)).status_code == 413

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 20_000

    assert (await post(PATH, content=parts(), headers=headers)).status_code == 413
    assert (await post("/api/v1/surveys/nothing-here/responses", json=body(0))).status_code == 404
    assert (await post("/api/v1/surveys/../responses", json=body(0))).status_code in (404, 405)
    refused = await api.http.get(PATH)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert await journal(api.urls) == []


async def test_all_faults_are_named_at_once_with_their_places(api: Api) -> None:
    sent = body(0)
    sent["answers"] |= {"Z99": 1, "A01": "atlantis"}
    refused = await api.http.post(PATH, json=sent | {"consent": False, "version": "9.9.9", "language": "tlh", "extra": 1})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    found = {(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]}
    assert {("/answers/Z99", "unknown-question"), ("/answers/A01", "unknown-code"), ("/consent", "consent-required")} <= found
    assert {("/version", "unknown-version"), ("/language", "unknown-language"), ("/extra", "unknown-member")} <= found


async def test_only_an_organiser_says_what_a_response_weighs(api: Api) -> None:
    weight = msgspec.structs.replace(weighted_survey.weight(), section=questionnaire().questions[-1].section)
    panel = msgspec.structs.replace(questionnaire(), version="9.0.0", margins=(), questions=(*questionnaire().questions, weight))
    assert (await api.organise("POST", "/api/v1/surveys", instrument.encode(panel))).status_code == 201
    (listed,) = (one for one in (await api.http.get("/api/v1/surveys")).json() if one["version"] == "9.0.0")
    assert listed["questions"] == len(questionnaire().asked), "nobody is asked it"
    heavy = body(1) | {"version": "9.0.0", "answers": body(1)["answers"] | {"Weight": weight.options[-1].code}}
    refused = await api.http.post(PATH, json=heavy)
    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/answers/Weight"]
    taken = await api.organise("POST", PATH, heavy)
    assert taken.status_code == 201
    receipt, light = taken.json()["receipt"], heavy | {"answers": body(1)["answers"] | {"Weight": weight.options[0].code}}
    assert (await api.receipt(receipt, "PUT", json=light)).status_code == 422
    other = heavy | {"answers": body(2)["answers"] | {"Weight": weight.options[-1].code}}
    assert (await api.receipt(receipt, "PUT", json=other)).status_code == 200, "whoever corrects answers keeps the weight"
    changed = await api.organise("PUT", f"/api/v1/receipts/{receipt}", light)
    assert changed.status_code == 200
    assert changed.json()["digest"] != taken.json()["digest"]
