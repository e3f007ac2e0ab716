"""The receipt's pages without scripts: shown, scanned, typed, checked by hand, followed in another language."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import segno
from litestar.testing import AsyncTestClient

from deploy.cli.respondents import Population
from proto import receipt as receipts
from proto.answers import Reader
from proto.events import ResponseSubmitted, RetentionSet, SurveyClosed
from proto.instrument import ShortText
from services.intake.app import create_app
from services.intake.form.pages import qr
from tests.pages.desk import MemoryJournal, bundled, open_desk
from tests.pages.visitor import Visitor

SURVEY = "ai-security"
LOOKUP = f"/s/{SURVEY}/receipt?lang=en"
ACTION3 = {instrument.id: instrument for instrument in bundled()}[SURVEY]
WORDS = '\u202eright to left\u202c\u00a0\u2028👩🏽‍🚒 naïve <b>&amp;</b> "\\\t\x1f\x7f</textarea>\n\n  end '


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
async def visitor(journal: MemoryJournal) -> AsyncIterator[Visitor]:
    async with AsyncTestClient(create_app(open_desk(journal))) as client:
        yield Visitor(client)


async def submit(visitor: Visitor, number: int = 1, **answers: Any) -> str:
    given = msgspec.json.decode(Population(ACTION3, 7, "2026-11-22").body(number))
    answer = await visitor.client.post(f"/api/v1/surveys/{SURVEY}/responses", json=given | {"answers": given["answers"] | answers})
    assert answer.status_code == 201, answer.text
    return answer.json()["receipt"]


async def look_up(visitor: Visitor, code: str) -> None:
    page = await visitor.get(LOOKUP)
    page.fill("receipt", code)
    await visitor.press("show")


async def test_the_receipt_stands_on_its_page_in_groups_and_in_no_address(visitor: Visitor) -> None:
    code = await submit(visitor)
    await look_up(visitor, code.lower().replace("-", " "))
    assert visitor.status == 200
    assert visitor.received["Cache-Control"] == "no-store"
    page = visitor.page
    assert code in page.text
    assert [code[i : i + 4] for i in range(0, 34, 5)] == re.findall(r"<span>([0-9A-Z]{4})</span>", page.html)
    addresses = re.findall(r'(?:href|src|action|formaction)="([^"]*)"', page.html)
    assert addresses
    assert not any(code[:9] in address for address in addresses)


async def test_the_qr_code_holds_the_receipt_and_nothing_else(visitor: Visitor) -> None:
    code = await submit(visitor)
    await look_up(visitor, code)
    drawn = qr.code_of(code)
    assert f'd="{drawn.path}"' in visitor.page.html
    assert 'role="img" aria-label="The receipt as a QR code"' in visitor.page.html
    dark = {(int(x) + step, int(y)) for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn.path) for step in range(int(length))}
    made = segno.make(code, error="m", micro=False, boost_error=False)
    expected = {(x + 4, y + 4) for y, row in enumerate(made.matrix) for x, module in enumerate(row) if module}
    assert dark == expected
    assert (made.mode, drawn.size) == ("alphanumeric", 33)


async def test_a_typed_mistake_comes_back_filled_in_and_says_which(visitor: Visitor) -> None:
    code = await submit(visitor)
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    for typed, told in (
        (wrong, "There is a typing mistake in this receipt."),
        (wrong.replace("-", ""), "There is a typing mistake in this receipt."),
        (code[1:], "A receipt has 28 characters. This one has 27."),
        ("ABC", "A receipt has 28 characters. This one has 3."),
        ("né\u202e\0", "A receipt has 28 characters."),
        ("  ", "Enter your receipt."),
    ):
        await look_up(visitor, typed)
        assert visitor.status == 422
        assert visitor.page.alerts == 1
        assert visitor.page.title.startswith("Error: ")
        assert told in visitor.page.text
        assert visitor.page.control("receipt").value.split() == typed.split()


async def test_the_text_behind_the_fingerprint_is_shown_and_saved_to_the_byte(visitor: Visitor, journal: MemoryJournal) -> None:
    """`sha256sum` of the saved file is the fingerprint, and so is that of what is copied from the page."""
    code = await submit(visitor, H01=WORDS, H03="deny")
    await look_up(visitor, code)
    await visitor.press("check")
    [written] = journal.events.values()
    assert isinstance(written.event, ResponseSubmitted)
    shown = re.search(r'<textarea [^>]*id="text"[^>]*>(.*?)</textarea>', visitor.page.html, re.DOTALL)
    assert shown is not None
    copied = html.unescape(shown[1])
    assert not set(copied) & {"\n", "\r", "\0"}, "nothing that a browser or an editor would change"
    assert "sha256:" + hashlib.sha256(copied.encode()).hexdigest() == written.event.digest
    assert written.event.digest in visitor.page.text
    assert WORDS in visitor.page.text, "the answers as people read them"
    address, sent = visitor.page.press("text")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    saved = await visitor.client.post(address, content=sent, headers=visitor.headers | kind)
    assert saved.headers["Content-Disposition"] == 'attachment; filename="ai-security-answers.json"'
    assert saved.headers["Cache-Control"] == "no-store"
    assert saved.content == copied.encode()
    assert msgspec.json.decode(saved.content)["answers"]["H01"] == WORDS


async def test_look_again_is_there_until_the_answers_are_recorded(visitor: Visitor, journal: MemoryJournal) -> None:
    await look_up(visitor, await submit(visitor))
    assert "Refresh" in visitor.page.text
    journal.floor = journal.seq
    await visitor.press("show")
    assert "Recorded" in visitor.page.text
    assert "Refresh" not in visitor.page.text


@pytest.mark.parametrize("go", ["show", "check", "withdraw"])
async def test_another_language_keeps_the_receipt(visitor: Visitor, journal: MemoryJournal, go: str) -> None:
    code = await submit(visitor)
    await look_up(visitor, code)
    await visitor.press(go)
    _, sent = visitor.page.press(next(c.value for c in visitor.page.controls if c.action.endswith("lang=de")))
    page = await visitor.send(f"/s/{SURVEY}/receipt?lang=de", sent)
    assert (visitor.status, page.language) == (200, "de")
    assert page.control("receipt").value == code
    assert journal.seq == 1


async def test_after_a_withdrawal_nothing_is_left_to_check_or_change(visitor: Visitor) -> None:
    code = await submit(visitor)
    await look_up(visitor, code)
    await visitor.press("withdraw")
    await visitor.press("withdraw.yes")
    for go in ("check", "text", "change", "withdraw", "withdraw.yes"):
        page = await visitor.send(f"/s/{SURVEY}/receipt?lang=en", f"receipt={code}&go={go}")
        assert visitor.status == 200
        assert "Withdrawn" in page.text
        assert not page.has("q.A01")


@pytest.mark.slow
@pytest.mark.parametrize("go", ["show", "check", "text", "change", "withdraw", "withdraw.yes"])
async def test_once_the_answers_are_deleted_the_page_says_since_when_and_offers_nothing(journal: MemoryJournal, go: str) -> None:
    desk = open_desk(journal)
    async with AsyncTestClient(create_app(desk)) as client:
        visitor = Visitor(client)
        code, withdrawn = await submit(visitor), await submit(visitor, 2)
        await client.delete(f"/api/v1/receipts/{withdrawn}")
        desk.registry.apply(SurveyClosed(SURVEY))
        desk.registry.apply(RetentionSet(SURVEY, "2026-10-05"))
        await look_up(visitor, code)
        assert (visitor.status, "Recorded" in visitor.page.text or "Accepted" in visitor.page.text) == (200, True), "it is still there"
        del journal.events[receipts.response_id(code)]
        page = await visitor.send(f"/s/{SURVEY}/receipt?lang=en", f"receipt={code}&go={go}")
        assert visitor.status == 410
        assert visitor.received["Cache-Control"] == "no-store"
        assert "ended on 5 October 2026" in page.text
        assert "There is nothing left to change or withdraw." in page.text
        assert f'href="/live/{SURVEY}"' in page.html
        assert not re.search(r'name="go" value="(?!stay)|class="qr"', page.html)
        await look_up(visitor, withdrawn)
        assert (visitor.status, "Withdrawn" in visitor.page.text) == (200, True)
        await look_up(visitor, code[:-1] + ("2" if code[-1] != "2" else "3"))
        assert visitor.status == 422, "a typing mistake is still one"
        told = await client.get(f"/api/v1/receipts/{code}?survey={SURVEY}")
        assert (told.status_code, told.json()["on"]) == (410, "2026-10-05")
        assert (await client.get(f"/api/v1/receipts/{code}")).status_code == 404, "in any survey it is unknown"
        assert (await client.get(f"/api/v1/receipts/{code}?survey=security-by-design")).status_code == 404
        assert (await client.get(f"/api/v1/receipts/{code}?survey=*")).json()["type"] == "/problems/survey-unknown"


async def test_deleted_while_it_was_being_changed_the_page_says_so(journal: MemoryJournal) -> None:
    desk = open_desk(journal)
    async with AsyncTestClient(create_app(desk)) as client:
        visitor = Visitor(client)
        await look_up(visitor, await submit(visitor))
        await visitor.press("change")
        desk.registry.apply(SurveyClosed(SURVEY))
        desk.registry.apply(RetentionSet(SURVEY, "2026-10-05"))
        journal.events.clear()
        await visitor.press("send")
        assert visitor.status == 410
        assert "ended on 5 October 2026" in visitor.page.text


async def test_the_receipts_made_first_have_all_of_it(visitor: Visitor) -> None:
    code = "7N3KQ-XW2FD-M0VRA-8TZ6C-YH5JB9"
    given = msgspec.json.decode(Population(ACTION3, 7, "2026-11-22").body(2))
    await visitor.client.post(f"/api/v1/surveys/{SURVEY}/responses", json=given, headers={"Idempotency-Key": code})
    await look_up(visitor, code.lower().replace("-", ""))
    assert visitor.status == 200
    await visitor.press("withdraw")
    await visitor.press("withdraw.yes")
    assert "Withdrawn" in visitor.page.text
    assert receipts.mistake(code) is None


async def test_the_status_can_be_asked_without_writing_the_receipt_into_an_address(visitor: Visitor) -> None:
    code = await submit(visitor)

    async def ask(**asked: str) -> tuple[int, dict[str, Any]]:
        answer = await visitor.client.post("/api/v1/receipts/status", json=asked)
        assert answer.headers.get("cache-control") == "no-store" or answer.status_code >= 400
        return answer.status_code, answer.json()

    told = (await visitor.client.get(f"/api/v1/receipts/{code}")).json()
    assert told["status"] in ("accepted", "recorded")
    assert await ask(receipt=code) == (200, told)
    assert await ask(receipt=f"Receipt: {code.lower()}", survey=SURVEY) == (200, told)
    assert (await ask(receipt=code, survey="security-by-design"))[0] == 404
    assert (await ask(receipt=code, survey="nowhere"))[1]["type"] == "/problems/survey-unknown"
    assert (await ask(receipt=code[:-1] + ("2" if code[-1] != "2" else "3")))[1]["type"] == "/problems/receipt-mistyped"
    assert (await ask(receipt=code, more="1"))[0] == 422
    assert (
        await visitor.client.post("/api/v1/receipts/status", content=b"{", headers={"Content-Type": "application/json"})
    ).status_code == 400
    assert (await visitor.client.get("/api/v1/receipts/status")).status_code == 405


@pytest.mark.parametrize("around", ["Receipt: {}", "\u201c{}\u201d", "\u200b{}\u200f", "Dear all, mine is {} - please keep it."])
async def test_a_receipt_is_found_among_what_was_pasted_with_it(visitor: Visitor, around: str) -> None:
    code = await submit(visitor)
    await look_up(visitor, around.format(code))
    assert visitor.status == 200
    assert visitor.page.control("receipt").value == code


async def test_a_copy_tells_what_was_asked_in_words_and_nothing_of_the_receipt(visitor: Visitor) -> None:
    answers = msgspec.json.decode(Population(ACTION3, 7, "2026-11-22").body(1))["answers"] | {"H01": WORDS, "H03": "deny"}
    code = await submit(visitor, H01=WORDS, H03="deny")
    await look_up(visitor, code)
    page = await visitor.press("copy")
    assert (visitor.status, visitor.received["Cache-Control"]) == (200, "no-store")
    assert WORDS in page.text
    assert ACTION3.version in page.text
    reader = Reader(ACTION3)
    told = re.findall(r"<dt>([^<]*)</dt><dd>", page.html.split("<section", 1)[1])
    converted, _ = reader.convert(answers)
    apart = [item for item in ACTION3.asked if not (isinstance(item, ShortText) and item.specifies)]
    asked = [item for item in apart if item.id not in reader.shown or reader.shown[item.id](converted)]
    assert [html.unescape(text) for text in told] == [item.text["en"] for item in asked]
    assert len(asked) < len(apart), "hidden questions are left out"
    assert not [group for group in code.split("-") if group in page.html], "whoever finds the paper or the saved page cannot withdraw"
    assert not [control for control in page.controls if control.tag != "button"]
    await look_up(visitor, code)
    await visitor.press("withdraw")
    await visitor.press("withdraw.yes")
    gone = await visitor.send(f"/s/{SURVEY}/receipt?lang=en", f"receipt={code}&go=copy")
    assert WORDS not in gone.text
