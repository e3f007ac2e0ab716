"""Saved answers are sent once, whoever opens them, and the receipt belongs to whoever sends, not to whoever began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from nats.aio.client import Client

from proto import codes, invitation, subjects
from proto import receipt as receipts
from proto.events import encode
from proto.registry import published
from services.intake.app import create_app
from services.intake.context import Intake
from services.intake.drafts import draft_claims, drafts
from services.intake.form.pages.words import words
from services.intake.streams.journal import MAX_IN_TRANSIT
from tests.clock import Clock
from tests.conftest import NatsUrls
from tests.intake import invited
from tests.intake.serving import Api, journal, served
from tests.pages.desk import MemoryDrafts, MemoryJournal, open_desk
from tests.pages.visitor import Visitor
from tests.pages.walking import begin
from tests.proto.test_bounds import texts

SMALL = texts(number=1, max_chars=100)
SURVEY = SMALL.id
HOME = f"/s/{SURVEY}"
CONTINUED = words("en")("continued")
ALREADY = words("en")("already_title")


@pytest.fixture
def events() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(events: MemoryJournal, clock: Clock) -> Intake:
    return replace(open_desk(events, [SMALL]), clock=clock)


@pytest.fixture
def kept(desk: Intake) -> MemoryDrafts:
    return cast("MemoryDrafts", desk.draft_store)


@pytest.fixture
async def client(desk: Intake) -> AsyncIterator[AsyncTestClient[Any]]:
    async with AsyncTestClient(create_app(desk)) as client:
        yield client


async def save(somebody: Visitor) -> str:
    await somebody.press("later")
    [link] = [link for link in somebody.page.links if "/continue?" in link and "#" in link]
    return link.partition("#")[2]


async def go_on(somebody: Visitor, code: str, receipt: str = "") -> None:
    page = await somebody.get(f"{HOME}/continue?lang=en")
    page.fill("code", code)
    await somebody.press("continue")
    if receipt:
        assert somebody.status == 422
        somebody.page.fill("receipt", receipt)
        await somebody.press("continue")


async def to_review(somebody: Visitor, number: int) -> str:
    somebody.page.fill("q.T0", f"Answer {number}")
    await somebody.press("next")
    assert somebody.place == "review"
    return somebody.page.control("receipt").value


async def test_whoever_begins_and_passes_on_the_code_holds_no_receipt_of_what_is_sent(client: AsyncTestClient[Any]) -> None:
    attacker, victim = Visitor(client, "en"), Visitor(client, "en")
    fixed = (await begin(attacker, SURVEY, "en")).control("receipt").value
    code = await save(attacker)
    await go_on(victim, code)
    assert CONTINUED in victim.page.text
    mine = await to_review(victim, 1)
    assert CONTINUED in victim.page.text
    await victim.press("send")
    assert victim.status == 200
    assert (await client.get(f"/api/v1/receipts/{mine}")).json()["status"] == "accepted"
    for stolen in (fixed, code, drafts.code_of(fixed)):
        assert (await client.get(f"/api/v1/receipts/{stolen}")).status_code == 404
    await go_on(attacker, code)
    assert attacker.status == 404


@pytest.mark.parametrize("first", ["who began", "who continued"])
async def test_the_second_of_two_devices_is_told_that_it_was_sent(client: AsyncTestClient[Any], events: MemoryJournal, first: str) -> None:
    one, other = Visitor(client, "en"), Visitor(client, "en")
    await begin(one, SURVEY, "en")
    code = await save(one)
    await one.press("resume")
    assert CONTINUED not in one.page.text, "on the page where it was begun nothing is continued"
    await go_on(other, code)
    await to_review(one, 1)
    await to_review(other, 2)
    order = (one, other) if first == "who began" else (other, one)
    for somebody, status in zip(order, (200, 409), strict=True):
        page = somebody.page
        for _ in range(2):  # and again, as after a lost answer
            await somebody.send(*page.press("send"))
            assert somebody.status == status, somebody.page.text
    assert ALREADY in order[1].page.text
    assert len(events.events) == 1


async def test_a_claim_whose_response_never_came_is_taken_over_after_a_while(
    client: AsyncTestClient[Any], events: MemoryJournal, clock: Clock
) -> None:
    one, other = Visitor(client, "en"), Visitor(client, "en")
    await begin(one, SURVEY, "en")
    code = await save(one)
    await go_on(one, code)
    await to_review(one, 1)
    await go_on(other, code)
    await to_review(other, 2)
    events.busy = True
    mine, theirs = one.page, other.page
    await one.send(*mine.press("send"))
    assert one.status == 503
    events.busy = False
    await other.send(*theirs.press("send"))
    assert (other.status, int(other.received["Retry-After"])) == (503, draft_claims.RETRY_AFTER), "the first may still arrive"
    clock.now += MAX_IN_TRANSIT
    await other.send(*theirs.press("send"))
    assert other.status == 200
    await one.send(*mine.press("send"))
    assert one.status == 409
    assert len(events.events) == 1


async def test_saved_answers_that_were_sent_and_withdrawn_are_not_sent_again(client: AsyncTestClient[Any], events: MemoryJournal) -> None:
    one, other = Visitor(client, "en"), Visitor(client, "en")
    await begin(one, SURVEY, "en")
    code = await save(one)
    await go_on(one, code)
    await go_on(other, code)
    await to_review(other, 2)
    mine = await to_review(one, 1)
    await one.press("send")
    assert (await client.delete(f"/api/v1/receipts/{mine}")).status_code == 202
    await other.press("send")
    assert other.status == 409


async def test_a_full_store_and_a_store_that_is_away_keep_nobody_from_sending_once(
    client: AsyncTestClient[Any], events: MemoryJournal, kept: MemoryDrafts
) -> None:
    one, other = Visitor(client, "en"), Visitor(client, "en")
    await begin(one, SURVEY, "en")
    code = await save(one)
    await go_on(one, code)
    await to_review(one, 1)
    review = one.page
    kept.away = True
    await one.send(*review.press("send"))
    assert (one.status, events.events) == (503, {}), "another page may be ahead"
    kept.away, kept.full = False, True
    await one.send(*review.press("send"))
    assert one.status == 200
    await go_on(other, code)
    assert other.status == 404
    kept.away = True
    await begin(other, SURVEY, "en")
    await to_review(other, 3)
    await other.press("send")
    assert other.status == 200, "nothing of it was ever saved"


async def test_changes_that_were_saved_open_with_the_receipt_alone(client: AsyncTestClient[Any], events: MemoryJournal) -> None:
    one, other = Visitor(client, "en"), Visitor(client, "en")
    await begin(one, SURVEY, "en")
    mine = await to_review(one, 1)
    await one.press("send")
    await one.press("show")
    await one.press("change")
    code = await save(one)
    await go_on(other, code, receipts.make())
    assert (other.status, other.page.has("sheet")) == (422, False)
    await go_on(other, code, f"Receipt: {mine.lower()}")
    assert (other.status, other.place, other.page.control("receipt").value) == (200, "review", mine)
    await other.press("send")
    assert other.status == 200
    assert len(events.events) == 1


async def test_a_draft_of_an_earlier_release_opens_and_its_receipt_is_not_used(
    client: AsyncTestClient[Any], desk: Intake, kept: MemoryDrafts
) -> None:
    one, old = Visitor(client, "en"), receipts.make()
    code = drafts.code_of(old)
    lock = drafts.lock_of(code, SURVEY, await desk.draft_keys.get_or_create(SURVEY))
    content = {"sheet": {"version": "1.0.0", "answers": {"T0": "Begun"}, "seen": ["T0"]}, "place": "S0", "receipt": old, "language": "en"}
    kept.sealed[lock.id] = drafts.seal(lock, msgspec.convert(content, drafts.Draft), bytes(drafts.NONCE)) or b""
    await go_on(one, codes.grouped(code))
    assert (one.status, one.page.control("q.T0").value) == (200, "Begun")
    assert one.page.control("receipt").value != old


async def test_whoever_gives_away_a_begun_invitation_holds_no_receipt_of_what_is_sent() -> None:
    journal = MemoryJournal()
    desk = open_desk(journal, [invited.instrument()])
    [code] = await invited.invite_to(desk, invited.SURVEY, 1)
    async with AsyncTestClient(create_app(desk)) as client:
        attacker, victim = Visitor(client, "en"), Visitor(client, "en")
        (await attacker.get(f"/s/{invited.SURVEY}?lang=en")).fill("code", code)
        (await attacker.press("next")).fill("consent", "yes")
        (await attacker.press("next")).fill("q.A1", "1")
        fixed = attacker.page.control("receipt").value
        saved = await save(attacker)
        (await victim.get(f"/s/{invited.SURVEY}/continue?lang=en")).fill("code", saved)
        page = await victim.press("continue")
        assert CONTINUED in page.text
        await victim.press("next")
        mine = victim.page.control("receipt").value
        await victim.press("send")
        assert victim.status == 200, victim.page.text
        assert (await client.get(f"/api/v1/receipts/{mine}")).status_code == 200
        ticket = msgspec.json.decode(page.control("sheet").value)["ticket"]
        derived = invitation.former_receipt(invitation.decoded(ticket.partition(".")[0]))
        for known in (fixed, saved, code, derived):
            assert (await client.get(f"/api/v1/receipts/{known}")).status_code == 404
        await attacker.press("resume")
        await attacker.press("next")
        await attacker.press("send")
        assert attacker.status == 410
    assert len(journal.events) == 1


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await provisioner.jetstream().publish(subjects.survey(SURVEY, SMALL.version), encode(published(SMALL)))
    async with served(nats_urls) as api:
        yield api


async def test_of_many_devices_that_send_at_once_one_does(api: Api, provisioner: Client, nats_urls: NatsUrls) -> None:
    begun = Visitor(api.http, "en")  # pyright: ignore[reportArgumentType]  it speaks the same
    await begin(begun, SURVEY, "en")
    code = await save(begun)
    await begun.press("resume")
    await to_review(begun, 0)
    people = [begun]
    for number in range(5):
        somebody = Visitor(api.http, "en")  # pyright: ignore[reportArgumentType]
        await go_on(somebody, code)
        await to_review(somebody, number)
        people.append(somebody)
    pages = [somebody.page.press("send") for somebody in people]
    statuses: list[int] = []
    for _ in range(10):  # who hears "busy" tries again, as browsers do
        for somebody, page in zip(people, pages, strict=True):
            assert somebody.place == "review" or somebody.status == 200, page
        await asyncio.gather(*(somebody.send(*page) for somebody, page in zip(people, pages, strict=True)))
        statuses = sorted(somebody.status for somebody in people)
        if 503 not in statuses:
            break
    assert statuses == [200] + [409] * 5
    assert len(await journal(api.urls)) == 1
    state = (await provisioner.jetstream().stream_info(subjects.DRAFTS)).state
    assert state.messages == 1
    info = await provisioner.jetstream().get_msg(subjects.DRAFTS, state.last_seq)
    assert len(info.data or b"") == drafts.SIZES[0] + drafts.NONCE + 16, "a claim looks like any draft"
