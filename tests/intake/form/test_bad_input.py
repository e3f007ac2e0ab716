"""What nobody fills in by accident: the page comes back filled in, or says clearly what is wrong; never a 500, never a lost answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient

from proto.answers import Reader
from proto.instrument import Instrument
from services.intake.app import create_app
from services.intake.form.flow import REVIEW, START, FormFlow, FormState
from services.intake.form.pages import compose, questions
from services.intake.form.pages.words import words
from tests.pages.desk import MemoryJournal, bundled, open_desk
from tests.pages.visitor import Page, Visitor
from tests.pages.walking import TODAY, begin, fill_in, respondent, walk
from tests.proto.test_bounds import texts

ACTION3: Instrument = next(instrument for instrument in bundled() if instrument.id == "ai-security")
WALK = FormFlow(Reader(ACTION3))
PAPER = compose.survey_in(ACTION3, "en")
RTL = "\u202eשלום, \u2066مرحبا\u2069\u202c"
EMOJI = "👩🏽\u200d🚒 👍🏿 🏴\U000e0067\U000e0062\U000e007f"
ZALGO = "e" + "\u0301" * 200


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
async def visitor(journal: MemoryJournal) -> AsyncIterator[Visitor]:
    async with AsyncTestClient(create_app(open_desk(journal))) as client:
        yield Visitor(client, "fr")


async def to_h(visitor: Visitor) -> Page:
    await begin(visitor)
    answers = {id: value for id, value in respondent(ACTION3, 3).items() if id[0] != "H"}
    for _ in range(16):
        if visitor.place == "H":
            break
        fill_in(visitor.page, ACTION3, answers, ",")
        await visitor.press("next")
    return visitor.page


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", [RTL, EMOJI, ZALGO, "\x07\x1b[31m\x7f\u0085", "\ufeff\u200b\u2028x\u2029", "<!--</textarea><script>", "{{ 7*7 }}{%"]
)
async def test_any_text_comes_back_as_it_was_written(visitor: Visitor, text: str) -> None:
    page = await to_h(visitor)
    page.fill("q.H01", f"a {text} z")
    page = await visitor.press("next")
    page.fill("q.H03", "deny")
    page = await visitor.press("next")
    assert visitor.place == REVIEW
    assert f"a {text} z" in page.text
    assert 'class="text" dir="auto"' in page.html, "its direction is its own"
    page = await visitor.press("change.H01")
    assert page.control("q.H01").value == f"a {text} z"


async def test_a_character_that_cannot_be_stored_is_named_in_the_readers_language(visitor: Visitor) -> None:
    page = await to_h(visitor)
    page.fill("q.H01", "before \0 after")
    page = await visitor.press("next")
    assert visitor.status == 422
    assert words("fr")("bad_character") in page.text


async def test_a_text_far_beyond_every_limit_is_shortened_by_its_writer_and_not_by_us(visitor: Visitor) -> None:
    page = await to_h(visitor)
    page.fill("q.H01", "ñ" * 15_000)
    page = await visitor.press("next")
    assert visitor.status == 422
    assert page.control("q.H01").value == "ñ" * 15_000


LONG = texts(number=40, max_chars=3_000, sections=8)


async def test_texts_within_their_limits_are_taken_in_any_script_by_form_and_api(journal: MemoryJournal) -> None:
    """Forty answers of almost three thousand Greek letters each: a form writes six bytes for a letter, JSON up to six."""
    answers = {question.id: "\u03b1" * 2_990 for question in LONG.questions}
    async with AsyncTestClient(create_app(open_desk(journal, [LONG]))) as client:
        visitor = Visitor(client, "en")
        await begin(visitor, "texts", "en")
        await walk(visitor, LONG, answers, "en")
        await visitor.press("send")
        assert visitor.status == 200
        body = json.dumps({"answers": answers, "consent": True}, ensure_ascii=True).encode()
        sent = await client.post("/api/v1/surveys/texts/responses", content=body, headers={"Content-Type": "application/json"})
        assert sent.status_code == 201, sent.text
        path, kind = f"/api/v1/receipts/{sent.json()['receipt']}", {"Content-Type": "application/json"}
        assert (await client.put(path, content=body.replace(b"u03b1", b"u03b2"), headers=kind)).status_code == 200
    stored = [msgspec.json.decode(written.event.answers) for written in journal.events.values()]  # pyright: ignore[reportAttributeAccessIssue]
    assert stored == [answers, {id: text.replace("\u03b1", "\u03b2") for id, text in answers.items()}]


@pytest.mark.parametrize("limit", [20_000, 3_000])
async def test_a_text_longer_than_the_longest_limit_keeps_its_end(journal: MemoryJournal, limit: int) -> None:
    text = "a" * 24_993 + "THE END"
    async with AsyncTestClient(create_app(open_desk(journal, [texts(number=1, max_chars=limit)]))) as client:
        visitor = Visitor(client, "en")
        page = await begin(visitor, "texts", "en")
        page.fill("q.T0", text)
        page = await visitor.press("next")
        assert visitor.status == 422
        assert f"Shorten your answer: {25_000 - limit:,} characters too many." in page.text
        assert page.control("q.T0").value == text
        answer = await client.post("/api/v1/surveys/texts/responses", json={"answers": {"T0": text}, "consent": True})
        assert [fault["code"] for fault in answer.json()["errors"]] == ["too-long"]
    assert not journal.events


async def test_a_form_of_monstrous_size_gets_a_page_that_says_no(visitor: Visitor) -> None:
    page = await begin(visitor)
    address, body = page.press("next")
    page = await visitor.send(address, body + "&q.A09=" + "x" * 2_000_000)
    assert visitor.status == 413
    assert page.language == "fr"


async def test_thousands_of_fields_are_refused(visitor: Visitor) -> None:
    page = await begin(visitor)
    address, body = page.press("next")
    await visitor.send(address, body + "&a=1" * 6000)
    assert visitor.status == 400


SHEETS = [
    "{}",
    "null",
    "[]",
    '"x"',
    '{"version":"0.1.0","answers":[]}',
    '{"version":"0.1.0","answers":{},"admin":true}',
    '{"version":1}',
    "[" * 3000,
    '{"version":"0.1.0","answers":{"A01":' + "[" * 2000,
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]


@pytest.mark.slow
@pytest.mark.parametrize("sheet", SHEETS)
async def test_a_tampered_sheet_gets_a_clear_page_in_the_readers_language(visitor: Visitor, sheet: str) -> None:
    page = await begin(visitor)
    page.control("sheet").value = sheet
    page = await visitor.press("next")
    assert visitor.status == 400
    assert page.language == "fr"
    assert page.title.startswith(words("fr")("error_title"))


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("place", "Z", 422),
        ("place", "../etc", 422),
        ("place", REVIEW, 422),
        ("typed", "xx", 422),
        ("receipt", "short", 400),
        ("receipt", "x" * 5000, 400),
    ],
)
async def test_tampered_hidden_fields_lead_nowhere(visitor: Visitor, name: str, value: str, status: int) -> None:
    page = await begin(visitor)
    page.control(name).value = value
    page = await visitor.press("next")
    assert visitor.status in (200, status), page.text


async def test_nobody_sends_by_pretending_to_have_reviewed(visitor: Visitor) -> None:
    page = await begin(visitor)
    forged = json.loads(page.control("sheet").value) | {"reviewed": True, "seen": list(WALK.reader.questions)}
    address, _ = page.press("next")
    body = urlencode({"place": REVIEW, "typed": "fr", "sheet": json.dumps(forged), "receipt": page.control("receipt").value, "go": "send"})
    page = await visitor.send(address, body)
    assert visitor.status == 422
    assert visitor.place == "A"


async def test_options_that_do_not_exist_are_asked_for_again(visitor: Visitor) -> None:
    page = await begin(visitor)
    address, body = page.press("next")
    page = await visitor.send(address, body + "&q.A01=XX&q.A02=9&q.A09=bogus&q.A09=police&q.ZZ=1")
    assert visitor.status == 422
    assert page.alerts == 1
    assert {"#A01-0", "#A02-0", "#A09-0"} <= set(page.links)


async def test_a_page_may_say_that_it_showed_whatever_it_likes(visitor: Visitor) -> None:
    page = await begin(visitor)
    page.fill("q.A01", "FR")
    address, body = page.press("next")
    page = await visitor.send(address, body + "&shown=A01+B02+ZZ+%00+H01&q.H01=text")
    assert visitor.status == 422
    assert page.control("q.A01").value == "FR"
    assert "H01" not in page.control("sheet").value, "only its own section counts"


async def test_an_old_page_sent_again_does_no_harm(visitor: Visitor, journal: MemoryJournal) -> None:
    first = await begin(visitor)
    answers = respondent(ACTION3, 3)
    review = await walk(visitor, ACTION3, answers)
    await visitor.press("send")
    await visitor.send(*first.press("next"))
    assert visitor.place == "B"
    page = await visitor.send(*review.press("send"))
    assert visitor.status == 200, page.text
    assert len(journal.events) == journal.seq == 1


junk = st.text(max_size=12) | st.sampled_from(["FR", "live", "1", "-", "a.b", "\0", "٣", "１", "1e9", "NaN", "９９"])
names = st.sampled_from(
    [
        f"q.{question.id}{part}"
        for question in ACTION3.questions
        for part in ("", ".1", ".year", ".month", *(f".{row.code}" for row in getattr(question, "rows", ())[:2]))
    ]
)


@pytest.mark.slow
@given(
    st.dictionaries(names, st.lists(junk, min_size=1, max_size=3), max_size=12),
    st.sampled_from([section.id for section in ACTION3.sections]),
    st.sampled_from(["next", "back", "stay"]),
    st.none() | st.lists(st.sampled_from(list(WALK.reader.questions)), max_size=8),
)
def test_whatever_is_sent_a_page_comes_back(fields: dict[str, list[str]], place: str, go: str, shown: list[str] | None) -> None:
    if shown is not None:
        fields = fields | {"shown": [" ".join(shown)]}
    view = WALK.turn(FormState("0.1.0"), place, go, fields, ",", TODAY)
    if view.place not in (START, REVIEW):
        Page(questions.section(PAPER, WALK, view, "r" * 32).decode())
