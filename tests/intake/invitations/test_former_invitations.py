"""Codes that release 0.1.0 made and that were sent out go on working: each allows one response, whatever of it was used before."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from proto import blind, codes, invitation, receipt
from proto.blind import PublicKey, SecretKey
from services.intake.invitations.invitations import _Key  # pyright: ignore[reportPrivateUsage]
from tests.intake.invitations.test_invitation_pages import Desk, answer, begin, enter, finish, ticket_of
from tests.intake.invited import SURVEY, answers


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def former(desk: Desk, count: int, used: int) -> list[str]:
    """Codes as 0.1.0 kept them: the names of all, and of the first few, which it exchanged, the name with a mark."""
    made = [codes.make(invitation.FORMER) for _ in range(count)]
    names = [invitation.name(SURVEY, code) for code in made]
    await desk.intake.invitations.invite(SURVEY, {})
    store = desk.intake.invitations._store  # pyright: ignore[reportPrivateUsage]
    await store.write(SURVEY, "codes", b"".join(sorted(names)), 0)
    await store.write(SURVEY, "used", b"".join(name + secrets.token_bytes(16) for name in sorted(names[:used])), 0)
    desk.intake.invitations._books.clear()  # pyright: ignore[reportPrivateUsage]
    return [codes.grouped(code) for code in made]


async def former_ticket(desk: Desk) -> invitation.Ticket:
    """Of a token that a browser drew, as 0.1.0 did."""
    kept = await desk.intake.invitations._store.read(SURVEY, "key")  # pyright: ignore[reportPrivateUsage]
    numbers = msgspec.json.decode(kept.data, type=_Key)
    key = SecretKey(int.from_bytes(numbers.p), int.from_bytes(numbers.q), 65537)
    token = secrets.token_bytes(invitation.TOKEN)
    request = blind.blind(key.public, token)
    return invitation.Ticket(token, blind.finalize(key.public, token, blind.sign(key, request.blinded), request.inverse))


async def test_a_former_code_gives_the_same_ticket_again_and_one_response(desk: Desk) -> None:
    async with desk.client:
        [code, _] = await former(desk, 2, 0)
        first, second = await enter(desk, code.lower()), await enter(desk, code)
        assert ticket_of(first) == ticket_of(second)
        await answer(first)
        assert "Thank you" in first.page.text
        await answer(second, "2")
        assert second.status == 410
    assert len(desk.journal.events) == 1


async def test_a_former_code_that_was_exchanged_before_is_used_and_new_ones_work_beside_it(desk: Desk) -> None:
    async with desk.client:
        [used, free] = await former(desk, 2, 1)
        [new] = await desk.codes(1)
        refused = await enter(desk, used)
        assert refused.status == 409
        assert "used already" in refused.page.text
        for code in (free, new):
            await answer(visitor := await enter(desk, code))
            assert visitor.status == 200
        assert await desk.intake.invitations.invite(SURVEY, {}) == 3
    assert len(desk.journal.events) == 2


async def test_a_former_ticket_that_is_still_out_allows_its_one_response(desk: Desk) -> None:
    async with desk.client:
        await former(desk, 1, 1)
        ticket = await former_ticket(desk)
        for key, status in ((receipt.make(), 201), (receipt.make(), 410)):
            assert await send(desk, ticket, key) == status
    assert len(desk.journal.events) == 1


async def test_a_former_ticket_with_which_an_answer_was_sent_before_allows_no_second_one(desk: Desk) -> None:
    """The journal has the response under the receipt that came of the ticket; the list of spent tickets has never heard of it."""
    async with desk.client:
        await former(desk, 1, 1)
        ticket = await former_ticket(desk)
        old = invitation.former_receipt(ticket.token)
        assert await send(desk, ticket, old) == 201
        spent = desk.intake.invitations.spent
        store = desk.intake.invitations._store  # pyright: ignore[reportPrivateUsage]
        await spent.read(SURVEY)
        kept = await store.read(SURVEY, "spent")
        await store.write(SURVEY, "spent", b"", kept.seq)
        spent.forget(SURVEY)
        assert await send(desk, ticket, receipt.make()) == 410
        assert await send(desk, ticket, old) == 200, "whose answer got lost may repeat it"
        assert isinstance(await desk.intake.invitations.key(SURVEY), PublicKey)
    assert len(desk.journal.events) == 1


async def send(desk: Desk, ticket: invitation.Ticket, key: str) -> int:
    headers = {"Platea-Invitation": ticket.text, "Idempotency-Key": key}
    return (await desk.client.post(f"/api/v1/surveys/{SURVEY}/responses", json=answers(), headers=headers)).status_code


async def test_a_page_that_was_open_while_the_release_came_is_sent(desk: Desk) -> None:
    """It has the receipt of its ticket in it."""
    async with desk.client:
        [code] = await former(desk, 1, 0)
        await begin(visitor := await enter(desk, code))
        token = invitation.decoded(ticket_of(visitor).partition(".")[0])
        visitor.page.control("receipt").value = invitation.former_receipt(token)
        await finish(visitor)
        assert "Thank you" in visitor.page.text
    [written] = desk.journal.events.values()
    assert written.event.id == receipt.response_id(invitation.former_receipt(token))
