"""Of all who claim a ticket at once, on whichever intake, one has it, whatever gets lost between intake and the stream."""

from __future__ import annotations

import asyncio
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.invitations.invitation_store import InvitationStore, Part
from services.intake.invitations.sorted_names import NAME, SortedNames
from services.intake.invitations.spent_tickets import SPENT, SpentTickets
from services.intake.streams.cas_store import Record, StreamOutOfReach
from tests.pages.desk import MemoryInvitations

SURVEY = "s"


class Faulty(MemoryInvitations):
    """Where `faults` says so, a writing gets lost, or only its answer does."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__()
        self.faults = faults

    async def write(self, survey: str, part: Part, data: bytes, after: int) -> int:
        fault = self.faults.pop() if self.faults else ""
        await asyncio.sleep(0)
        if fault == "lost":
            raise StreamOutOfReach
        seq = await super().write(survey, part, data, after)
        if fault == "answer lost":
            raise StreamOutOfReach
        return seq

    async def read(self, survey: str, part: Part) -> Record:
        await asyncio.sleep(0)
        return await super().read(survey, part)


def value(number: int) -> bytes:
    return number.to_bytes(NAME)


claims = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.integers(0, 2)), min_size=1, max_size=25)
"""Ticket, response and intake of each who claims, in the order in which they come."""


@given(claims, st.lists(st.sampled_from(["", "lost", "answer lost"]), max_size=8))
@settings(max_examples=60, deadline=None)
def test_one_response_has_a_ticket_and_everybody_hears_which(order: list[tuple[int, int, int]], faults: list[str]) -> None:
    store = Faulty(faults)
    intakes = [SpentTickets(cast("InvitationStore", store)) for _ in range(3)]

    async def all_at_once() -> list[bytes | None]:
        return list(await asyncio.gather(*(intakes[at].change(SURVEY, value(ticket), None, value(id)) for ticket, id, at in order)))

    heard = asyncio.run(all_at_once())
    kept = dict(SortedNames(NAME, store.kept[SURVEY, "spent"].data))
    assert kept.keys() == {value(ticket) for ticket, _, _ in order}
    assert heard == [kept[value(ticket)] for ticket, _, _ in order]
    for ticket, has in kept.items():
        assert has in {value(id) for name, id, _ in order if value(name) == ticket}


@given(claims, st.lists(st.sampled_from(["", "lost", "answer lost"]), max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_claim_is_settled_or_taken_over_only_from_what_stands(order: list[tuple[int, int, int]], faults: list[str]) -> None:
    store = Faulty(faults)
    intakes = [SpentTickets(cast("InvitationStore", store)) for _ in range(3)]

    async def one(ticket: int, id: int, at: int) -> bytes | None:
        """Claims, and settles where the claim is its own."""
        standing = await intakes[at].change(SURVEY, value(ticket), None, value(id))
        return standing if standing != value(id) else await intakes[at].change(SURVEY, value(ticket), value(id), SPENT)

    async def all_at_once() -> list[bytes | None]:
        heard = list(await asyncio.gather(*(one(*each) for each in order)))
        for intake in intakes:  # of what is spent nobody takes anything over
            for ticket, _, _ in order:
                assert await intake.change(SURVEY, value(ticket), value(9), value(8)) == SPENT
        return heard

    heard = asyncio.run(all_at_once())
    assert set(dict(SortedNames(NAME, store.kept[SURVEY, "spent"].data)).values()) == {SPENT}
    assert all(standing is not None for standing in heard)


async def test_a_claim_that_was_taken_over_elsewhere_is_no_longer_its_makers() -> None:
    store = cast("InvitationStore", MemoryInvitations())
    one, other = SpentTickets(store), SpentTickets(store)
    assert await one.change(SURVEY, value(1), None, value(2)) == value(2)
    assert await other.change(SURVEY, value(1), value(2), value(3)) == value(3)
    assert await one.change(SURVEY, value(1), None, value(2)) == value(3)
