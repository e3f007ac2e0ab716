"""One code allows one response, whatever gets lost; without one, a page says so."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.js.api import RawStreamMsg

from proto import blind, invitation, receipt, subjects
from proto.blind import PublicKey
from proto.events import ResponseSubmitted, RetentionSet, SurveyClosed, encode
from proto.problem import Problem
from services.intake.invitations.invitation_store import InvitationStore, Part
from services.intake.invitations.invitations import Invitations
from services.intake.invitations.sorted_names import NAME, SortedNames
from services.intake.invitations.spent_tickets import SPENT
from services.intake.streams.cas_store import Record
from services.runtime import nats_client
from tests.conftest import NatsUrls
from tests.intake.invited import API, SURVEY, Guest, answers, bare, guests, invite, key_in, known, make_known, open_invited, submit
from tests.intake.serving import ORGANISER, Api, journal, open_survey, served
from tests.log_lines import LogLines

STREAMS = ("RESPONSES", "CONTROL", "INVITATIONS", "DRAFTS", "ACTS", "USES")


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await open_invited(provisioner)
    async with served(nats_urls) as api:
        yield api


def problem(answer: object) -> str:
    return answer.json()["type"].removeprefix("/problems/")  # type: ignore[attr-defined]


async def test_a_code_becomes_a_ticket_and_a_ticket_one_response(api: Api) -> None:
    [guest] = await guests(api.http, 1)
    assert (await guest.exchange()).status_code == 200
    answer = await guest.answer()
    assert answer.status_code == 201
    assert answer.json()["receipt"] == guest.receipt
    assert (await guest.answer()).status_code == 200
    other = await guest.answer(1)
    assert (other.status_code, problem(other)) == (409, "receipt-in-use")
    second = await guest.answer(1, receipt.make())
    assert (second.status_code, problem(second)) == (410, "invitation-spent")
    [event] = await journal(api.urls)
    assert isinstance(event, ResponseSubmitted)
    assert event.id == receipt.response_id(guest.receipt)


async def test_the_receipt_of_an_invited_response_is_the_senders_own_and_works_like_any_other(api: Api) -> None:
    [guest] = await guests(api.http, 1)
    await guest.exchange()
    made = await submit(api.http, guest.ticket)
    mine = made.json()["receipt"]
    assert made.status_code == 201
    for derived in (invitation.former_receipt(guest.request.token), guest.receipt):
        assert (await api.receipt(derived)).status_code == 404, "no ticket and no code leads to a receipt"
    changed = await api.receipt(mine, "PUT", json=answers(1))
    assert changed.status_code == 200
    assert (await api.receipt(mine, "DELETE")).status_code == 202
    for key in (mine, receipt.make()):
        again = await guest.answer(2, key)
        assert (again.status_code, problem(again)) == (410, "invitation-spent")


async def test_the_same_code_gives_the_same_ticket_on_every_device_and_intake_until_a_response_is_sent(api: Api) -> None:
    [guest] = await guests(api.http, 1)
    async with served(api.urls) as other:
        devices = [guest, *(Guest(each.http, guest.code, guest.key) for each in (api, other, other))]
        for device in devices:
            assert (await device.exchange()).status_code == 200
        assert len({device.ticket for device in devices}) == 1
        outcomes = Counter([answer.status_code for answer in await asyncio.gather(*(device.answer() for device in devices))])
        for _ in range(20):  # who hears "busy" tries again
            if 503 not in outcomes:
                break
            outcomes = Counter([answer.status_code for answer in await asyncio.gather(*(device.answer() for device in devices))])
    assert outcomes in ({201: 1, 410: 3}, {200: 1, 410: 3})
    assert len(await journal(api.urls)) == 1


async def test_an_exchange_changes_nothing_that_is_kept(api: Api, provisioner: Client) -> None:
    """So nobody can find out afterwards who looked at the questions, when, or after whom."""
    everybody = await guests(api.http, 5)
    js = provisioner.jetstream(timeout=5)
    before = [(await js.stream_info(stream)).state for stream in STREAMS]
    for guest in everybody:
        assert (await guest.exchange()).status_code == 200
    assert [(await js.stream_info(stream)).state for stream in STREAMS] == before


async def test_a_code_whose_number_is_another_than_the_organiser_named_is_not_signed(api: Api) -> None:
    """Else one code would give as many tickets as somebody has chance for."""
    [guest, other] = await guests(api.http, 2)
    drawn = blind.blind(guest.key, b"a ticket of my own").blinded
    for number in (other.request.blinded, drawn, (1).to_bytes(256), bytes(256)):
        body = {"name": invitation.name(SURVEY, bare(guest.code)).hex(), "blinded": invitation.encoded(number)}
        answer = await api.http.post(f"{API}/tickets", json=body)
        assert (answer.status_code, problem(answer)) == (404, "invitation-unknown")
    assert (await guest.exchange()).status_code == 200


async def test_a_name_that_is_known_keeps_its_number(api: Api) -> None:
    [guest] = await guests(api.http, 1)
    await make_known(api.http, [known(guest.code, guest.key) | {"mark": "0" * 32}])
    assert (await guest.exchange()).status_code == 200


async def test_without_an_invitation_nothing_is_taken(api: Api) -> None:
    [guest] = await guests(api.http, 1)
    await guest.exchange()
    token, _, signature = guest.ticket.partition(".")
    forged = [
        "",
        "x",
        ".",
        token,
        f"{token}.",
        f".{signature}",
        f"{token}.{signature[:-4]}",
        f"{token[:-2]}AA.{signature}",
        f"{token}.{'A' * len(signature)}",
        f"{signature}.{token}",
        "%C3.%A9",
        "A" * 5000,
        f"{token}!.{signature}",
    ]
    for ticket in forged:
        answer = await submit(api.http, ticket)
        assert (answer.status_code, problem(answer)) == (403, "invitation-needed"), ticket
    assert await journal(api.urls) == []


async def test_a_ticket_of_another_survey_does_not_do(api: Api) -> None:
    client = await nats_client.connect(api.urls.intake, "test")
    invitations = Invitations(InvitationStore(client))
    code = bare(invitation.make_code())
    for survey in ("here", "there"):
        assert await invitations.invite(survey, {}) == 0
        key = await invitations.key(survey)
        assert isinstance(key, PublicKey)
        mark = invitation.mark(invitation.ticket_request(survey, code, key).blinded)
        assert await invitations.invite(survey, {invitation.name(survey, code): mark}) == 1
    ticket = await invitations.exchange_plainly("here", code)
    assert isinstance(ticket, invitation.Ticket)
    assert await invitations.check("here", ticket.text) == ticket
    for survey in ("there", "nowhere"):
        refused = await invitations.check(survey, ticket.text)
        assert isinstance(refused, Problem)
        assert refused.code == "invitation-needed"
    await client.close()


async def test_an_unknown_code_is_told_and_a_code_is_read_however_it_is_typed(api: Api) -> None:
    [guest] = await guests(api.http, 1)
    unknown = await Guest(api.http, invitation.make_code(), guest.key).exchange()
    assert (unknown.status_code, problem(unknown)) == (404, "invitation-unknown")
    swapped = guest.code[:5] + ("0" if guest.code[5] != "0" else "1") + guest.code[6:]
    assert invitation.read_code(swapped) is None
    written = guest.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert (await Guest(api.http, f" {written} ", guest.key).exchange()).status_code == 200


async def test_whoever_tries_many_codes_has_to_wait(api: Api) -> None:
    [guest] = await guests(api.http, 1)
    statuses = Counter([(await Guest(api.http, invitation.make_code(), guest.key).exchange()).status_code for _ in range(130)])
    assert statuses[429] > 0
    assert statuses[404] + statuses[429] == 130


@pytest.mark.parametrize("blinded", ["", "!", "AA", "A" * 342, "_" * 342])
async def test_what_is_no_number_for_the_key_is_refused_and_uses_nothing_up(api: Api, blinded: str) -> None:
    [guest] = await guests(api.http, 1)
    answer = await api.http.post(f"{API}/tickets", json={"name": known(guest.code, guest.key)["name"], "blinded": blinded})
    assert answer.status_code in (404, 422)
    assert (await guest.exchange()).status_code == 200


async def test_a_survey_for_everybody_has_no_invitations(api: Api, provisioner: Client) -> None:
    await open_survey(provisioner)
    await asyncio.sleep(0.7)
    for method, path in (("GET", "tickets"), ("POST", "tickets"), ("POST", "invitations")):
        answer = await api.organise(method, f"/api/v1/surveys/ai-security/{path}", {} if method == "POST" else None)
        assert (answer.status_code, problem(answer)) == (409, "not-by-invitation")


async def test_only_organisers_invite_and_more_can_be_invited_later(api: Api) -> None:
    await invite(api.http, 3)
    code = {"name": "0" * 32, "mark": "2" * 32}
    answer = await api.http.post(f"{API}/invitations", json={"codes": [code]})
    assert answer.status_code == 401
    for _ in range(2):
        answer = await api.organise("POST", f"{API}/invitations", {"codes": [code, code | {"name": "1" * 32}]})
        assert (answer.status_code, answer.json()["codes"]) == (200, 5)
    for bad in ({}, {"names": []}, {"codes": [{"name": "0" * 32}]}, {"codes": [code | {"mark": "zz"}]}, {"codes": [code], "more": 1}):
        assert (await api.organise("POST", f"{API}/invitations", bad)).status_code == 422


async def test_the_key_is_the_one_whose_fingerprint_the_organiser_gets(api: Api) -> None:
    missing = await api.http.get(f"{API}/tickets")
    assert missing.status_code == 404
    told = (await api.organise("POST", f"{API}/invitations", {"codes": []})).json()
    assert told["codes"] == 0
    key = key_in((await api.http.get(f"{API}/tickets")).json())
    assert told["key"] == invitation.fingerprint(key.n.to_bytes(key.size))
    assert key.n.bit_length() == invitation.SIGNED_BITS


async def test_two_intakes_invited_at_once_share_one_key_and_lose_no_code(api: Api) -> None:
    async with served(api.urls) as other:
        lists = await asyncio.gather(*(invite(each.http, 20) for each in (api, other, api, other)))
        keys = [(await each.http.get(f"{API}/tickets")).json() for each in (api, other)]
        assert keys[0] == keys[1]
        everybody = [Guest(random.choice((api, other)).http, code, key_in(keys[0])) for codes in lists for code in codes]
        statuses = await asyncio.gather(*(guest.exchange() for guest in everybody))
    assert {answer.status_code for answer in statuses} == {200}


async def test_a_list_that_another_intakes_came_before_is_known_whole(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first writing comes too late: between reading and writing, another list was written. The second has to hold all of both."""
    read, earlier = InvitationStore.read, list[str]()
    async with served(api.urls) as other:
        await invite(api.http, 1)

        async def read_and_be_late(self: InvitationStore, survey: str, part: Part) -> Record:
            whole = await read(self, survey, part)
            if part == "marks" and whole.seq:
                monkeypatch.undo()
                earlier.extend(await invite(other.http, 20))
            return whole

        monkeypatch.setattr(InvitationStore, "read", read_and_be_late)
        later = await invite(api.http, 20)
        key = key_in((await api.http.get(f"{API}/tickets")).json())
        statuses = Counter(
            [(await Guest(each.http, code, key).exchange()).status_code for each in (api, other) for code in earlier + later]
        )
    assert statuses == {200: 80}


async def test_two_hundred_invitations_in_any_order_on_three_intakes_are_two_hundred_responses(api: Api) -> None:
    async with served(api.urls) as second, served(api.urls) as third:
        everybody = await guests(api.http, 200)
        random.shuffle(everybody)
        outcomes: Counter[tuple[str, int]] = Counter()
        gate = asyncio.Semaphore(16)

        async def come(guest: Guest, number: int) -> None:
            async with gate:
                guest.http = random.choice((api, second, third)).http
                outcomes["exchange", (await guest.exchange()).status_code] += 1
                guest.http = random.choice((api, second, third)).http
                outcomes["again", (await guest.exchange()).status_code] += 1
                outcomes["answer", (await guest.answer(number)).status_code] += 1
                guest.http = random.choice((api, second, third)).http
                outcomes["second", (await guest.answer(number, receipt.make())).status_code] += 1
                outcomes["repeated", (await guest.answer(number)).status_code] += 1

        await asyncio.gather(*(come(guest, number) for number, guest in enumerate(everybody)))
    assert outcomes == dict.fromkeys((("exchange", 200), ("again", 200), ("answer", 201), ("second", 410), ("repeated", 200)), 200)
    events = await journal(api.urls)
    assert len(events) == len({event.id for event in events}) == 200
    assert {event.id for event in events} == {receipt.response_id(guest.receipt) for guest in everybody}


async def test_neither_code_nor_ticket_is_in_any_message_or_log(api: Api, logged: LogLines, provisioner: Client) -> None:
    [guest] = await guests(api.http, 1)
    await guest.exchange()
    mine = (await guest.answer()).json()["receipt"]
    js = provisioner.jetstream(timeout=5)
    stored: list[bytes] = []
    for stream in ("RESPONSES", "CONTROL", "INVITATIONS"):
        state = (await js.stream_info(stream)).state
        for seq in range(max(state.first_seq, 1), state.last_seq + 1):
            try:
                message = await js.get_msg(stream, seq)
            except Exception:  # erased
                continue
            stored.append((message.data or b"") + repr(message.headers).encode())
    metrics = (await api.http.get("/metrics")).content
    text = b"".join(stored) + metrics + logged.text.encode()
    token, _, signature = guest.ticket.partition(".")
    secrets = [guest.code, guest.code.replace("-", ""), token, signature, mine, ORGANISER]
    raw = [guest.request.token, invitation.decoded(signature), guest.request.blinded]
    for secret in [*(value.encode() for value in secrets), *raw, *(value.hex().encode() for value in raw)]:
        assert secret not in text


async def test_what_an_organiser_imports_needs_no_invitation(api: Api) -> None:
    """Answers that came on paper. Whoever may make codes gains nothing by it."""
    key = receipt.make()
    for status in (201, 200):
        headers = {"Authorization": f"Bearer {ORGANISER}", "Idempotency-Key": key}
        assert (await api.http.post(f"{API}/responses", json=answers(), headers=headers)).status_code == status


async def test_what_is_kept_is_written_anew_by_the_clock_and_stays_what_it_is(api: Api, provisioner: Client) -> None:
    [guest] = await guests(api.http, 1)
    await guest.exchange()
    await guest.answer()
    js = provisioner.jetstream(timeout=5)
    before = await settled(provisioner)
    client = await nats_client.connect(api.urls.intake, "test")
    await Invitations(InvitationStore(client)).rewrite([SURVEY, "unknown"])
    await client.close()
    after = await js.get_last_msg("INVITATIONS", f"platea.invitations.{SURVEY}.spent")
    assert after.data == before.data == invitation.spent_name(guest.request.token) + SPENT
    assert (after.seq or 0) > (before.seq or 0)
    assert (await js.stream_info("INVITATIONS")).state.messages == 3
    assert (await guest.exchange()).status_code == 200
    assert (await guest.answer(0, receipt.make())).status_code == 410


async def settled(client: Client) -> RawStreamMsg:
    """The list of spent tickets, once no response is on its way."""
    js = client.jetstream(timeout=5)
    async with asyncio.timeout(20):
        while True:
            message = await js.get_last_msg("INVITATIONS", f"platea.invitations.{SURVEY}.spent")
            if all(value == SPENT for _, value in SortedNames(NAME, message.data or b"")):
                return message
            await asyncio.sleep(0.05)


async def test_one_code_leaves_one_writing_of_each_kind_and_no_former_one(api: Api, provisioner: Client) -> None:
    for guest in await guests(api.http, 12):
        await guest.exchange()
        assert (await guest.answer()).status_code == 201
    await invite(api.http, 2)
    await settled(provisioner)
    async with asyncio.timeout(20):  # what a writing leaves behind is erased after it
        while (await provisioner.jetstream(timeout=5).stream_info("INVITATIONS")).state.messages != 3:
            await asyncio.sleep(0.05)


async def test_nothing_is_kept_of_the_invitations_once_the_answers_are_deleted(api: Api, provisioner: Client) -> None:
    [guest, other] = await guests(api.http, 2)
    await guest.exchange()
    js = provisioner.jetstream(timeout=5)
    for subject, event in (
        (subjects.closing(SURVEY), SurveyClosed(SURVEY)),
        (subjects.retention(SURVEY), RetentionSet(SURVEY, "2020-01-01")),
    ):
        await js.publish(subject, encode(event))
    async with asyncio.timeout(10):
        while (await js.stream_info("INVITATIONS")).state.messages:
            await asyncio.sleep(0.05)
    assert problem(await other.exchange()) == "survey-closed"
    again = await api.organise("POST", f"{API}/invitations", {"codes": [{"name": "00" * invitation.NAME, "mark": "00" * invitation.NAME}]})
    assert problem(again) == "survey-closed", "nobody is invited to it any more"
    assert (await js.stream_info("INVITATIONS")).state.messages == 0
