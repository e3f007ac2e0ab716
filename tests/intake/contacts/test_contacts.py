"""Who wants the results leaves an address that nobody can join to an answer, and can take it back; the organiser gets the list once."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import nats
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from deploy.stack.nats_server import NatsServer
from proto import subjects
from services.intake.contacts import contacts
from services.intake.contacts.contact_book import BURST, ContactBook, ContactsBusy
from services.intake.contacts.contacts import Contact
from services.intake.streams.cas_store import CasStore
from services.runtime import nats_client
from tests.conftest import NatsUrls
from tests.intake.serving import SURVEY, Api, open_survey, served

PAGE = f"/s/{SURVEY}/contact"
LIST = f"/api/v1/surveys/{SURVEY}/contacts"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await open_survey(provisioner)
    async with served(nats_urls) as api:
        yield api


async def leave(api: Api, address: str, **fields: str) -> httpx.Response:
    return await api.http.post(PAGE, data={"address": address, "agree": "yes", "go": "add", **fields}, headers=FORM)


async def listed(api: Api) -> list[dict[str, Any]]:
    answer = await api.organise("GET", LIST)
    assert answer.status_code == 200
    return answer.json()


async def stored(urls: NatsUrls) -> list[bytes]:
    """Every message that the stream still gives out."""
    client = await nats.connect(urls.provisioner, inbox_prefix="_INBOX.provisioner")
    js = client.jetstream()
    state = (await js.stream_info(subjects.CONTACTS)).state
    found: list[bytes] = []
    for seq in range(max(state.first_seq, 1), state.last_seq + 1):
        with contextlib.suppress(NotFoundError):
            found.append((await js.get_msg(subjects.CONTACTS, seq)).data or b"")
    await client.close()
    return found


@pytest.mark.parametrize(
    "address",
    ["a@example.eu", " First.Last+survey@city-hall.example.eu ", "o'neill@example.ie", "čaj@example.cz", "info@münchen.de", "x@EXAMPLE.EU"],
)
def test_an_address_that_may_exist_is_taken(address: str) -> None:
    fit = contacts.fit(address)
    assert fit is not None
    assert contacts.fit(fit) == fit


@pytest.mark.parametrize(
    "text",
    ["", "@", "a", "a@", "@example.eu", "a@example", "a b@example.eu", "a@exa mple.eu", "a@@example.eu", "a..b@example.eu", ".a@example.eu",
     "a@-x.eu", "a@x..eu", "a@1.2.3.4", "a" * 65 + "@example.eu", "a@" + "x" * 64 + ".eu",
     "a@b.eu\nBcc: c@d.eu", "a\0@example.eu", "a@" + "x." * 200 + "eu"],
)  # fmt: skip
def test_what_cannot_be_an_address_is_sent_back(text: str) -> None:
    assert contacts.fit(text) is None


@given(st.text())
def test_no_text_is_a_surprise(text: str) -> None:
    fit = contacts.fit(text)
    assert fit is None or (contacts.fit(fit) == fit and not re.search(r"\s", fit))


@given(st.permutations(["a@x.eu", "b@x.eu", "C@x.eu", "d@y.eu"]))
def test_the_order_of_the_list_does_not_say_who_came_first(order: list[str]) -> None:
    known: list[Contact] = []
    for address in order:
        known = contacts.added(contacts.read(contacts.write(known)), Contact(address, "v"))
    assert [each.address for each in contacts.read(contacts.write(known))] == ["a@x.eu", "b@x.eu", "C@x.eu", "d@y.eu"]


async def test_an_address_is_left_once_listed_for_the_organiser_and_deleted_for_good(api: Api, nats_server: NatsServer) -> None:
    for address in ("zoe@example.eu", "anna@example.eu", "ANNA@example.eu"):
        answer = await leave(api, address, interview="yes")
        assert answer.status_code == 200
        assert "Noted" in answer.text
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "set-cookie" not in answer.headers
    found = await listed(api)
    assert [each["address"] for each in found] == ["ANNA@example.eu", "zoe@example.eu"]
    assert all(set(each) == {"address", "agreed", "interview"} for each in found), "nothing that a response holds"
    assert len(await stored(api.urls)) == 1
    assert (await api.organise("DELETE", LIST)).status_code == 204
    assert await listed(api) == []
    assert await stored(api.urls) == [b"[]"]
    kept = b"".join(path.read_bytes() for path in Path(nats_server.folder).rglob("*") if path.is_file())
    assert b"zoe@example" not in kept, "overwritten on disk"


async def test_the_stored_list_says_nothing_of_the_order_or_time_of_its_addresses(api: Api) -> None:
    await leave(api, "zoe@example.eu")
    await leave(api, "anna@example.eu")
    (whole,) = await stored(api.urls)
    assert whole == contacts.write(contacts.read(whole))
    assert not re.search(rb"20\d\d-|\d{9}", whole)


async def test_who_leaves_an_address_can_take_it_back_and_nobody_learns_whether_it_was_there(api: Api) -> None:
    await leave(api, "anna@example.eu")
    there = await leave(api, "Anna@example.eu", go="remove")
    assert there.status_code == 200
    assert await listed(api) == []
    assert (await leave(api, "never@example.eu", go="remove")).text == there.text
    assert (await leave(api, "anna@example.eu")).text == (await leave(api, "anna@example.eu")).text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"address": ""}, "Enter an e-mail address, or"),
        ({"address": "<b>@x"}, "in the form name@example.org"),
        ({"agree": ""}, "Tick the box"),
    ],
)
async def test_a_faulty_page_comes_back_filled_in(api: Api, fields: dict[str, str], told: str) -> None:
    answer = await api.http.post(PAGE, data={"address": "anna@example.eu", "agree": "yes", "go": "add"} | fields, headers=FORM)
    assert answer.status_code == 422
    assert told in answer.text
    assert "<b>" not in answer.text
    assert fields.get("address") != "" or 'value=""' in answer.text
    assert await listed(api) == []


async def test_the_trap_and_another_site_leave_no_address(api: Api) -> None:
    assert (await leave(api, "robot@example.eu", subject="hello")).status_code == 503
    elsewhere = await api.http.post(PAGE, data={"address": "a@example.eu", "agree": "yes"}, headers=FORM | {"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert await listed(api) == []


async def test_only_an_organiser_of_the_survey_reads_the_list(api: Api) -> None:
    assert (await api.http.get(LIST)).status_code == 401
    assert (await api.http.delete(LIST)).status_code == 401
    assert (await api.http.get(LIST, headers={"Authorization": "Bearer platea_x"})).status_code == 403
    assert (await api.organise("GET", "/api/v1/surveys/unknown/contacts")).status_code == 404


async def test_deleting_keeps_what_arrived_since_the_list_was_fetched(api: Api) -> None:
    await leave(api, "anna@example.eu")
    version = (await api.organise("GET", LIST)).headers["etag"]
    await leave(api, "zoe@example.eu")
    headers = {"If-Match": version, "Authorization": (await organiser(api))}
    assert (await api.http.delete(LIST, headers=headers)).status_code == 412
    assert len(await listed(api)) == 2
    headers["If-Match"] = (await api.organise("GET", LIST)).headers["etag"]
    assert (await api.http.delete(LIST, headers=headers)).status_code == 204
    assert await listed(api) == []


async def organiser(api: Api) -> str:
    from tests.intake.serving import ORGANISER

    return f"Bearer {ORGANISER}"


async def test_two_intakes_at_once_lose_no_address_and_leave_no_former_writing(nats_urls: NatsUrls) -> None:
    clients = [await nats_client.connect(nats_urls.intake, "intake") for _ in range(2)]
    books = [ContactBook(CasStore(client, subjects.CONTACTS), subjects.contacts, lambda: 0.0) for client in clients]
    await asyncio.gather(*(books[n % 2].add("square", Contact(f"a{n}@example.eu", "v")) for n in range(20)))
    assert len(msgspec.json.decode(await books[0].read("square"))) == 20
    await books[1].rewrite(["square", "nobody-left-one"])
    assert len(await stored(nats_urls)) == 1
    for client in clients:
        await client.close()


async def test_a_flood_of_addresses_is_slowed_down(nats_urls: NatsUrls) -> None:
    client = await nats_client.connect(nats_urls.intake, "intake")
    book = ContactBook(CasStore(client, subjects.CONTACTS), subjects.contacts, lambda: 0.0)
    same = Contact("a@example.eu", "v")
    for _ in range(int(BURST)):
        await book.add("square", same)
    with pytest.raises(ContactsBusy):
        await book.add("square", same)
    await client.close()
