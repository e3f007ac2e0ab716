"""Continuing later as somebody with a browser without scripts meets it: the real intake on a real NATS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import msgspec
import nats
import pytest
from nats.aio.client import Client

from deploy.stack.nats_server import NatsServer
from proto import codes, events, subjects
from proto import receipt as receipts
from proto.registry import published
from services.intake.drafts import drafts, saved_drafts
from services.intake.surveys import retention
from tests.builders.bundled import questionnaire
from tests.conftest import NatsUrls
from tests.ended import end_at_once
from tests.intake.serving import SURVEY, Api, journal, open_survey, served
from tests.log_lines import LogLines
from tests.pages.visitor import Page, Visitor
from tests.pages.walking import begin, respondent, walk

HOME = f"/s/{SURVEY}"
TEXT = "Nothing of this may ever be read by a thief: zebra crossing 4711"


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await open_survey(provisioner)
    async with served(nats_urls) as api:
        yield api


def visitor(api: Api, language: str = "fr") -> Visitor:
    return Visitor(api.http, language)  # pyright: ignore[reportArgumentType]  it speaks the same


def code_on(page: Page) -> str:
    found = re.search(r"([0-9A-Z]{4}-){6}[0-9A-Z]{4}", page.text)
    assert found, page.text
    return found[0]


async def save(somebody: Visitor) -> str:
    return code_on(await somebody.press("later"))


async def enter(somebody: Visitor, code: str, go: str = "continue", language: str = "") -> Page:
    page = await somebody.get(f"{HOME}/continue" + (f"?lang={language}" if language else ""))
    page.fill("code", code)
    return await somebody.press(go)


async def stored(provisioner: Client) -> int:
    return (await provisioner.jetstream().stream_info(subjects.DRAFTS)).state.messages


async def test_answers_go_on_elsewhere_on_the_very_page_with_everything_typed(api: Api, provisioner: Client) -> None:
    first, second = visitor(api), visitor(api, "de")
    await begin(first)
    first.page.fill("q.A01", "DE")
    first.page.fill("q.A09", "police")
    first.page.fill("q.A09", "none")  # which does not go together
    code = await save(first)
    assert "no-store" in first.received["Cache-Control"]
    assert f"{HOME}/continue?lang=fr#{code}" in first.page.links
    assert "platea.test" in first.page.text
    receipt = first.page.control("receipt").value
    page = await enter(second, f"Code: {code.lower().replace('-', ' ')}")
    assert (second.status, second.place, page.language) == (200, "A", "de"), "in the language of whoever reads it"
    assert page.control("q.A01").value == "DE"
    assert [c.value for c in page.controls if c.name == "q.A09" and c.on] == ["police", "none"]
    assert receipts.acceptable(page.control("receipt").value)
    assert page.control("receipt").value != receipt, "whoever began does not hold what somebody else sends"
    assert page.alerts == 0
    assert (await enter(second, code, language="en")).language == "en"


async def test_saving_again_keeps_the_code_and_replaces_what_was_saved(api: Api, provisioner: Client) -> None:
    first, second = visitor(api), visitor(api)
    await begin(first)
    code = await save(first)
    await enter(second, code)
    second.page.fill("q.A01", "ES")
    assert await save(second) == code
    assert await stored(provisioner) == 1
    page = await enter(visitor(api), code)
    assert page.control("q.A01").value == "ES"


async def test_going_on_at_once_saving_in_another_language_and_loading_again_change_nothing(api: Api, provisioner: Client) -> None:
    first = visitor(api)
    await begin(first)
    first.page.fill("q.A01", "FR")
    pressed = first.page.press("later")
    code = code_on(await first.send(*pressed))
    assert code_on(await first.send(*pressed)) == code
    address, body = first.page.press("save")
    page = await first.send(address.partition("?")[0] + "?lang=es", body)
    assert (page.language, code_on(page)) == ("es", code)
    page = await first.press("resume")
    assert (first.status, first.place, page.control("q.A01").value) == (200, "A", "FR")
    assert await stored(provisioner) == 1


@pytest.mark.parametrize("uses", [0, 1])
async def test_sending_deletes_the_saved_copy_and_is_one_response(api: Api, provisioner: Client, uses: int) -> None:
    first, second = visitor(api), visitor(api)
    await begin(first)
    code = await save(first)
    await enter(second, code)
    review = await walk(second, questionnaire(), respondent(questionnaire(), uses))
    assert await save(second) == code
    page = await enter(second, code)
    assert second.place == "review"
    for _ in range(2):
        await second.send(*review.press("send"))
        assert second.status == 200
    assert page.control("receipt").value != review.control("receipt").value
    assert await stored(provisioner) == 1, "the claim alone, which looks like a draft"
    await second.send(*page.press("send"))
    assert (second.status, "These answers were sent already" in second.page.text) == (409, False)
    assert "Ces réponses ont déjà été envoyées" in second.page.text
    assert len(await journal(api.urls)) == 1
    await enter(first, code)
    assert first.status == 404


async def test_whoever_saved_may_delete_with_the_code_or_right_away(api: Api, provisioner: Client) -> None:
    for elsewhere in (True, False):
        first = visitor(api, "en")
        await begin(first, language="en")
        code = await save(first)
        page = await enter(first, code, "delete") if elsewhere else await first.press("delete")
        assert (first.status, "The saved copy is deleted." in page.text) == (200, True)
        assert await stored(provisioner) == 0
        assert (await enter(first, code)).text
        assert first.status == 404


async def test_a_new_version_does_not_disturb_who_saved_under_the_old_one(api: Api, provisioner: Client) -> None:
    first = visitor(api)
    await begin(first)
    first.page.fill("q.A01", "FR")
    code = await save(first)
    newer = msgspec.structs.replace(questionnaire(), version="9.0.0")
    await provisioner.jetstream().publish(subjects.survey(SURVEY, "9.0.0"), events.encode(published(newer)))
    second = visitor(api)
    while '"9.0.0"' not in (await api.http.get(f"/api/v1/surveys/{SURVEY}")).text:
        await asyncio.sleep(0.05)
    page = await enter(second, code)
    assert (second.place, page.control("q.A01").value) == ("A", "FR")
    assert f'"{questionnaire().version}"' in page.control("sheet").value
    await walk(second, questionnaire(), respondent(questionnaire(), 0))
    await second.press("send")
    [event] = await journal(api.urls)
    assert getattr(event, "version", "") == questionnaire().version


async def test_wrong_codes_of_every_kind_get_one_answer(api: Api, provisioner: Client) -> None:
    tampered = await save_and_tamper(api, provisioner)
    other = codes.make(drafts.LETTERS)
    told: set[str] = set()
    for wrong in (codes.grouped(other), tampered, receipts.make()):  # never given out, of a changed draft, a receipt
        page = await enter(visitor(api, "en"), wrong)
        told.add(page.text.replace(wrong, ""))
    assert len(told) == 1
    assert "No saved answers belong to this code." in told.pop()


async def save_and_tamper(api: Api, provisioner: Client) -> str:
    """The code of a draft that somebody changed in the stream, or put there from another one."""
    somebody, other = visitor(api), visitor(api)
    await begin(somebody)
    await begin(other)
    code, foreign = await save(somebody), await save(other)
    js = provisioner.jetstream()
    sealed = await js.get_last_msg(subjects.DRAFTS, subjects.draft(drafts.name_of(codes.bare(foreign), SURVEY)))
    client = await nats.connect(api.urls.intake, inbox_prefix="_INBOX.intake")
    await client.jetstream().publish(subjects.draft(drafts.name_of(codes.bare(code), SURVEY)), sealed.data or b"", msg_ttl=60)
    await client.close()
    return code


async def test_a_typing_mistake_is_told_at_once_and_counts_as_no_attempt(api: Api) -> None:
    first = visitor(api, "en")
    await begin(first, language="en")
    code = await save(first)
    swapped = code[1] + code[0] + code[2:] if code[0] != code[1] else ("7" if code[0] != "7" else "8") + code[1:]
    for _ in range(40):
        page = await enter(first, swapped)
        assert (first.status, page.alerts) == (422, 1)
    assert "There is a typing mistake in this code." in page.text
    assert page.control("code").value == swapped
    page = await enter(first, " ")
    assert (first.status, "Enter your code." in page.text) == (422, True)
    await enter(first, code)
    assert first.status == 200


async def test_guessing_is_slowed_down_and_a_right_code_still_works(api: Api) -> None:
    first = visitor(api, "en")
    await begin(first, language="en")
    code = await save(first)
    seen: list[int] = []
    guesser = visitor(api, "en")
    await guesser.get(f"{HOME}/continue")
    for _ in range(60):
        guesser.page = guesser.page if guesser.page.has("code") else await guesser.get(f"{HOME}/continue")
        guesser.page.fill("code", codes.grouped(codes.make(drafts.LETTERS)))
        await guesser.press("continue")
        seen.append(guesser.status)
        if guesser.status == 429:
            break
    assert seen[0] == 404
    assert seen[-1] == 429
    await enter(first, code)
    assert first.status == 200


async def test_a_flood_of_saves_is_held_back_and_the_page_keeps_everything(api: Api) -> None:
    flooding = visitor(api, "en")
    await begin(flooding, language="en")
    flooding.page.fill("q.A01", "FR")
    pressed = flooding.page.press("later")
    for _ in range(int(saved_drafts.BURST) + 100):
        page = await flooding.send(*pressed)
        if flooding.status != 200:
            break
    assert flooding.status == 429
    assert "Your answers cannot be saved for later just now." in page.text
    assert int(flooding.received["Retry-After"]) > 0
    page = await flooding.press("resume")
    assert (flooding.status, page.control("q.A01").value) == (200, "FR")


async def test_without_room_the_page_keeps_everything_and_sending_works(api: Api, provisioner: Client) -> None:
    first = visitor(api, "en")
    await begin(first, language="en")
    await provisioner.jetstream().delete_stream(subjects.DRAFTS)
    page = await first.press("later")
    assert (first.status, "They are still in this page." in page.text) == (503, True)
    await first.press("again")
    assert first.status == 503
    await first.press("resume")
    await walk(first, questionnaire(), respondent(questionnaire(), 0), "en")
    await first.press("send")
    assert first.status == 200
    await enter(first, codes.make(drafts.LETTERS))
    assert first.status == 503


async def test_answers_too_long_to_be_saved_stay_in_the_page(api: Api) -> None:
    first = visitor(api, "en")
    numbers = ",".join(["1e15"] * 80_000)  # written out they are four times as long
    sheet = f'{{"version":"{questionnaire().version}","answers":{{"A01":[{numbers}]}}}}'
    page = await first.send(f"{HOME}/later?lang=en", f"go=save&place=A&receipt={receipts.make()}&sheet={sheet}")
    assert first.status == 413
    assert "They are still in this page." in page.text
    await first.send(f"{HOME}/later?lang=en", f"go=save&place=A&receipt={receipts.make()}&sheet={sheet * 2}")
    assert first.status == 413


@pytest.mark.parametrize(
    "fields", ["go=resume", "go=save&sheet=%5B%5D&receipt=" + "aB3" * 10, "go=save&sheet=%7B%22version%22:%220.1.0%22%7D&receipt=x"]
)
async def test_a_damaged_page_is_refused(api: Api, fields: str) -> None:
    somebody = visitor(api)
    await somebody.send(f"{HOME}/later?lang=en", fields)
    assert somebody.status == 400


async def test_what_was_saved_in_a_survey_that_closed_can_still_be_deleted(api: Api, provisioner: Client) -> None:
    first = visitor(api, "en")
    await begin(first, language="en")
    code = await save(first)
    await api.organise("POST", f"/api/v1/surveys/{SURVEY}/close")
    await enter(first, code)
    assert first.status == 403
    await enter(first, code, "delete")
    assert (first.status, await stored(provisioner)) == (200, 0)


async def test_what_was_saved_goes_with_the_answers_for_whoever_has_the_code_too(
    api: Api, provisioner: Client, nats_server: NatsServer, nats_urls: NatsUrls
) -> None:
    first, js = visitor(api, "en"), provisioner.jetstream()
    await begin(first, language="en")
    code = await save(first)
    sealed = (await js.get_last_msg(subjects.DRAFTS, subjects.draft(drafts.name_of(codes.bare(code), SURVEY)))).data or b""
    half = (await js.get_last_msg(subjects.SEALS, subjects.seal(SURVEY))).data or b""
    async with served(nats_urls) as other:
        elsewhere = visitor(other, "en")
        await enter(elsewhere, code)
        assert (elsewhere.status, elsewhere.place) == (200, first.place)
        await api.organise("POST", f"/api/v1/surveys/{SURVEY}/close")
        await enter(first, code)
        assert first.status == 403, "closed, and perhaps opened again"
        await end_at_once(provisioner, SURVEY)
        async with asyncio.timeout(60):
            while (await js.stream_info(subjects.SEALS)).state.messages:
                await asyncio.sleep(0.05)
        await asyncio.sleep(2 * retention.CHECK_SECONDS)  # each intake forgets for itself
        for somebody in (first, elsewhere):
            await enter(somebody, code)
            assert somebody.status == 404
    assert drafts.unseal(drafts.lock_of(codes.bare(code), SURVEY, half), sealed) is not None, "with the half it would open"
    assert not [path for path in nats_server.folder.rglob("*") if path.is_file() and half in path.read_bytes()], "and it is nowhere"


async def test_a_thief_of_the_whole_server_reads_nothing_of_a_draft(
    api: Api, nats_server: NatsServer, provisioner: Client, logged: LogLines
) -> None:
    first = visitor(api, "en")
    page = await begin(first, language="en")
    sheet = msgspec.json.decode(page.control("sheet").value)
    sheet["answers"] = {"H01": TEXT}
    page.control("sheet").value = msgspec.json.encode(sheet).decode()
    page.fill("q.A01", "LU")
    receipt = page.control("receipt").value
    code = await save(first)
    await enter(visitor(api), code)
    half = (await provisioner.jetstream().get_last_msg(subjects.SEALS, subjects.seal(SURVEY))).data or b""
    lock = drafts.lock_of(codes.bare(code), SURVEY, half)
    message = await provisioner.jetstream().get_last_msg(subjects.DRAFTS, subjects.draft(lock.id))
    assert message.headers is None or set(message.headers) <= {"Nats-TTL", "Nats-Expected-Stream"}
    disk = b"".join(path.read_bytes() for path in nats_server.folder.parent.rglob("*") if path.is_file())
    assert message.data
    assert message.data in disk, "else this test looks in the wrong place"
    said = logged.text.encode()
    for secret in (TEXT, "zebra crossing", receipt, codes.bare(receipt), code, codes.bare(code), lock.key.hex()):
        assert secret.encode() not in disk, secret
        assert secret.encode() not in said, secret
    assert lock.key not in disk
    assert receipts.response_id(receipt).encode() not in disk
    assert receipts.response_id(receipt).encode() not in said
