"""The pages over HTTP as a browser without scripts meets them: one way from the list of surveys to a withdrawn response."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto import receipt as receipts
from proto.answers import Reader, Submission
from proto.events import ResponseReplaced, ResponseSubmitted, ResponseWithdrawn
from proto.registry import published
from services.intake.app import create_app
from services.intake.context import Intake
from services.intake.form.pages.words import words
from tests.pages.desk import MemoryJournal, bundled, open_desk
from tests.pages.visitor import Visitor
from tests.pages.walking import begin, respondent, walk

TODAY = "2026-11-22"
INSTRUMENTS = {instrument.id: instrument for instrument in bundled()}
ACTION3 = INSTRUMENTS["ai-security"]
QUESTIONS = {question.id: question for question in ACTION3.questions}


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def desk(journal: MemoryJournal) -> Intake:
    return open_desk(journal)


@pytest.fixture
async def visitor(desk: Intake) -> AsyncIterator[Visitor]:
    async with AsyncTestClient(create_app(desk)) as client:
        yield Visitor(client)


@cache
def _both() -> dict[bool, dict[str, Any]]:
    return {"B03" in answers: answers for answers in (respondent(ACTION3, number) for number in range(12))}


def somebody(*, uses: bool) -> dict[str, Any]:
    """The answers of a respondent who uses AI, or of one who does not."""
    return dict(_both()[uses])


@pytest.mark.slow
@pytest.mark.parametrize("uses", [True, False])
async def test_action_3_is_answered_in_french_without_scripts(visitor: Visitor, journal: MemoryJournal, uses: bool) -> None:
    home = await visitor.get("/")
    assert home.language == "fr"
    assert "Ce n’est pas l’original du Partenariat" in home.text
    assert "/s/ai-security?lang=fr" in home.links
    answers = somebody(uses=uses)
    await begin(visitor)
    review = await walk(visitor, ACTION3, answers)
    assert review.title.startswith("Vérifiez vos réponses")
    sent = await visitor.press("send")
    assert (visitor.status, sent.title.startswith("Merci de votre participation")) == (200, True)
    [written] = journal.events.values()
    assert isinstance(written.event, ResponseSubmitted)
    assert written.event.language == "fr"
    assert msgspec.json.decode(written.event.answers) == answers
    code = sent.control("receipt").value
    assert code in sent.text
    assert receipts.response_id(code) == written.event.id
    assert written.event.digest in sent.text
    assert "Acceptées" in sent.text
    journal.floor = written.seq
    status = await visitor.press("show")
    assert "Enregistrées" in status.text


@pytest.mark.slow
@pytest.mark.parametrize("survey", sorted(INSTRUMENTS))
async def test_whoever_could_answer_by_api_can_answer_by_form(visitor: Visitor, journal: MemoryJournal, survey: str) -> None:
    """A law by sample: plausible answers, walked through the form, end in the JSON that the API accepts."""
    instrument = INSTRUMENTS[survey]
    reader = Reader(instrument)
    for number in range(3):
        answers = respondent(instrument, 100 + number)
        language = instrument.languages[number % len(instrument.languages)]
        await begin(visitor, survey, language)
        await walk(visitor, instrument, answers, language)
        await visitor.press("send")
        event = list(journal.events.values())[-1].event
        assert isinstance(event, ResponseSubmitted)
        assert msgspec.json.decode(event.answers) == answers
        body = msgspec.json.encode({"answers": msgspec.Raw(event.answers), "consent": True})
        assert isinstance(reader.read(body, TODAY), Submission)


async def test_nobody_starts_without_agreeing(visitor: Visitor) -> None:
    await visitor.get("/s/ai-security?lang=en")
    page = await visitor.press("next")
    assert visitor.status == 422
    assert page.title.startswith("Error: ")
    assert "Tick the box to take part." in page.text
    assert "#consent" in page.links


async def test_errors_say_what_to_do_and_lose_nothing(visitor: Visitor) -> None:
    page = await begin(visitor, language="en")
    page.fill("q.A01", "FR")
    page = await visitor.press("next")
    assert visitor.status == 422
    assert page.alerts == 1
    assert page.title.startswith("Error: ")
    assert re.search("How would you describe the territory your authority covers\\?\\s*Choose one answer, or “Don’t know”\\.", page.text)
    assert {"#A02-0", "#A04-0", "#A05-0", "#A08-0", "#A09-0"} <= set(page.links)
    assert page.control("q.A01").value == "FR"
    page.fill("q.A09", "police")
    page.fill("q.A09", "none")
    for name, value in (("q.A02", "1"), ("q.A04", "p3"), ("q.A05", "region"), ("q.A08", "personal")):
        page.fill(name, value)
    page = await visitor.press("next")
    assert "“None of these” stands on its own." in page.text
    assert [c.value for c in page.controls if c.name == "q.A09" and c.on] == ["police", "none"]


async def test_a_row_left_out_and_a_number_nobody_can_read(visitor: Visitor) -> None:
    await _to_b(visitor, missing="anpr")
    assert visitor.status == 422
    say = words("fr")
    assert say("rows_missing", count=1, total=16) in visitor.page.text
    assert say("choose_here") in visitor.page.text
    assert visitor.page.links.count("#B02-4") == 2, "the question leads to its row, and the row is named"
    visitor.page.fill("narrow.B02.anpr", "live")
    page = await visitor.press("next")
    assert visitor.status == 200
    assert "Nouveau" in page.text
    page.fill("q.B03", "terror")
    page.fill("q.B04", "douze")
    page.fill("q.B05.year", "1899")
    page.fill("q.B05.month", "03")
    page = await visitor.press("next")
    assert visitor.status == 422
    assert page.text.count("ndiquez un nombre entier de 0 à 200.") == 2, (
        "in the summary and beside the field, where it says what the hint said"
    )
    assert say("date_early", min=say.date("2000-01")) in page.text
    assert page.text.count("Nouveau ") == 3, "what is new stays marked while the page stays"
    assert (page.control("q.B04").value, page.control("q.B05.year").value, page.control("q.B05.month").value) == ("douze", "1899", "03")
    page = await visitor.press("stay")
    assert (page.language, page.control("q.B04").value) == ("en", "douze")


async def _to_b(visitor: Visitor, missing: str) -> None:
    page = await begin(visitor)
    for name, value in (("A01", "FR"), ("A02", "1"), ("A04", "p3"), ("A05", "region"), ("A08", "personal"), ("A09", "police")):
        page.fill(f"q.{name}", value)
    page = await visitor.press("next")
    page.fill("q.B01", "use")
    for row in getattr(QUESTIONS["B02"], "rows", ()):
        if row.code != missing:
            page.fill(f"q.B02.{row.code}", "none")
    await visitor.press("next")


async def test_changing_the_language_on_the_way_keeps_the_answers(visitor: Visitor, journal: MemoryJournal) -> None:
    page = await begin(visitor)
    page.fill("q.A01", "DE")
    address, body = page.press("stay")
    page = await visitor.send(address.replace("lang=en", "lang=es"), body)
    assert page.language == "es"
    assert page.control("q.A01").value == "DE"


async def test_a_double_click_and_a_retry_are_one_response(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    review = await walk(visitor, ACTION3, somebody(uses=False))
    sent = [await visitor.send(*review.press("send")) for _ in range(3)]
    assert len({page.control("receipt").value for page in sent}) == 1
    assert ["déjà été envoyées" in page.title for page in sent] == [False, True, True]
    assert journal.seq == 1


@pytest.mark.parametrize("go", ["back", "stay", "later"])
async def test_who_goes_back_to_the_review_after_sending_is_told_so_and_keeps_the_receipt(
    visitor: Visitor, journal: MemoryJournal, go: str
) -> None:
    await begin(visitor)
    review = await walk(visitor, ACTION3, somebody(uses=False))
    code = (await visitor.press("send")).control("receipt").value
    page = await visitor.send(*review.press(go))
    if go == "back":
        page = await visitor.press("next")
    assert "déjà été envoyées" in page.title
    assert page.control("receipt").value == code
    assert journal.seq == 1


async def test_other_answers_from_a_page_that_was_sent_already_can_take_their_place(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    answers = somebody(uses=False)
    review = await walk(visitor, ACTION3, answers)
    code = (await visitor.press("send")).control("receipt").value
    await visitor.send(*review.press("change.A08"))
    visitor.page.fill("q.A08", "joint" if answers["A08"] != "joint" else "personal")
    page = await visitor.press("next")
    assert visitor.status == 409
    assert "Envoyer mes réponses modifiées" in page.text
    page = await visitor.press("send")
    assert (visitor.status, page.control("receipt").value) == (200, code)
    assert [type(written.event) for written in journal.events.values()] == [ResponseReplaced]


async def test_while_the_journal_is_busy_the_page_keeps_everything(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    review = await walk(visitor, ACTION3, somebody(uses=False))
    code = review.control("receipt").value
    journal.busy = True
    page = await visitor.press("send")
    assert visitor.status == 503
    assert int(visitor.received["Retry-After"]) > 0
    assert "Rien n’est perdu" in page.text
    assert page.control("receipt").value == code
    journal.busy = False
    page = await visitor.press("send")
    assert visitor.status == 200
    assert page.control("receipt").value == code
    assert journal.seq == 1


async def test_answers_are_changed_with_the_receipt_alone(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    answers = somebody(uses=True)
    await walk(visitor, ACTION3, answers)
    sent = await visitor.press("send")
    code = sent.control("receipt").value
    page = await visitor.get("/s/ai-security/receipt?lang=en")
    page.fill("receipt", code.lower().replace("-", " "))
    page = await visitor.press("show")
    assert "Accepted" in page.text
    page = await visitor.press("change")
    assert "Nothing changes until you send them again." in page.text
    page = await visitor.press("change.G04")
    plan = "same" if answers["G04"] != "same" else "start"
    page.fill("q.G04", plan)
    page = await visitor.press("next")
    assert visitor.place == "review"
    page = await visitor.press("send")
    assert "Your changed answers have arrived" in page.text
    [written] = journal.events.values()
    assert isinstance(written.event, ResponseReplaced)
    assert msgspec.json.decode(written.event.answers) == answers | {"G04": plan}


async def test_a_change_that_hides_answers_says_which_and_drops_them(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    answers = somebody(uses=True)
    review = await walk(visitor, ACTION3, answers)
    page = await visitor.press("change.B02")
    for row in getattr(QUESTIONS["B02"], "rows", ()):
        page.fill(f"q.B02.{row.code}", "none")
    page = await visitor.press("next")
    page.fill("q.B08", "cost")
    review = await walk(visitor, ACTION3, {"B08": ["cost"]})
    assert "Réponses écartées" in review.text
    await visitor.press("send")
    event = next(iter(journal.events.values())).event
    assert isinstance(event, ResponseSubmitted)
    stored = msgspec.json.decode(event.answers)
    assert not {"B03", "C01", "D01"} & stored.keys()
    assert stored["B08"] == ["cost"]


async def test_a_soft_check_asks_and_does_not_block(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    answers: dict[str, Any] = somebody(uses=True) | {"B01": "nointerest"}
    answers["B02"] = answers["B02"] | {"anpr": "live"}
    review = await walk(visitor, ACTION3, answers)
    assert "Vous avez indiqué que l’IA n’est pas utilisée" in review.text, "as French is written"
    notice = review.html.partition('aria-labelledby="soft"')[2].partition("</section>")[0]
    assert re.findall(r'value="change\.(\w+)"', notice) == ["B01", "B02"]
    await visitor.press("send")
    assert visitor.status == 200


async def test_a_withdrawal_asks_first_and_then_is_final(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    await walk(visitor, ACTION3, somebody(uses=False))
    await visitor.press("send")
    await visitor.press("show")
    page = await visitor.press("withdraw")
    assert page.title.startswith("Retirer vos réponses")
    assert journal.seq == 1
    page = await visitor.press("withdraw.yes")
    assert "Retirées" in page.text
    [written] = journal.events.values()
    assert isinstance(written.event, ResponseWithdrawn)
    assert not any(control.value == "change" for control in page.controls)


async def test_a_wrong_receipt_learns_nothing(visitor: Visitor) -> None:
    answers: set[str] = set()
    for code in (receipts.make(), receipts.make().lower(), receipts.make().replace("-", " "), "a-receipt_that-a-Client-chose"):
        page = await visitor.get("/s/ai-security/receipt?lang=en")
        page.fill("receipt", code)
        page = await visitor.press("show")
        assert visitor.status == 404
        answers.add(page.text)
    assert len(answers) == 1
    assert "No response to this survey belongs to this receipt." in answers.pop()


async def test_a_receipt_of_another_survey_is_unknown_here(visitor: Visitor) -> None:
    await begin(visitor)
    await walk(visitor, ACTION3, somebody(uses=False))
    code = (await visitor.press("send")).control("receipt").value
    page = await visitor.get("/s/social-cohesion/receipt")
    page.fill("receipt", code)
    await visitor.press("show")
    assert visitor.status == 404


async def test_a_closed_survey_says_so_and_lets_its_answers_be_withdrawn(visitor: Visitor, desk: Intake) -> None:
    await begin(visitor)
    await walk(visitor, ACTION3, somebody(uses=False))
    code = (await visitor.press("send")).control("receipt").value
    desk.registry.closed.add("ai-security")
    page = await visitor.get("/s/ai-security?lang=fr")
    assert (visitor.status, "Cette enquête est close" in page.text) == (403, True)
    page = await visitor.get("/s/ai-security/receipt?lang=fr")
    page.fill("receipt", code)
    page = await visitor.press("show")
    assert not any(control.value == "change" for control in page.controls)
    await visitor.press("withdraw")
    page = await visitor.press("withdraw.yes")
    assert "Retirées" in page.text
    assert "/s/ai-security?lang=fr" not in (await visitor.get("/")).links


async def test_a_new_version_does_not_disturb_who_is_answering_the_old_one(visitor: Visitor, desk: Intake, journal: MemoryJournal) -> None:
    await begin(visitor)
    newer = msgspec.structs.replace(ACTION3, version="9.0.0")
    desk.registry.apply(published(newer))
    desk.catalogue.refresh(desk.registry)
    await walk(visitor, ACTION3, somebody(uses=False))
    await visitor.press("send")
    event = next(iter(journal.events.values())).event
    assert isinstance(event, ResponseSubmitted)
    assert event.version == ACTION3.version


async def test_free_text_comes_back_as_text_whatever_it_holds(visitor: Visitor, journal: MemoryJournal) -> None:
    await begin(visitor)
    text = "\"><script>alert('x')</script>\n\u05e9\u05dc\u05d5\u05dd 👋🏽 & <b>ñ</b> {{ 7 * 7 }}"
    review = await walk(visitor, ACTION3, somebody(uses=False) | {"H01": text, "H03": "deny"})
    assert text in review.text
    await visitor.press("send")
    event = next(iter(journal.events.values())).event
    assert isinstance(event, ResponseSubmitted)
    assert msgspec.json.decode(event.answers)["H01"] == text


async def test_a_text_that_is_too_long_comes_back_whole(visitor: Visitor) -> None:
    await begin(visitor)
    answers = {key: value for key, value in somebody(uses=False).items() if key[0] != "H"}
    for _ in range(12):
        if visitor.place == "H":
            break
        for id, value in answers.items():
            if any(c.name == f"q.{id}" or c.name.startswith(f"q.{id}.") for c in visitor.page.controls):
                visitor.page.answer(QUESTIONS[id], value, ",")
        await visitor.press("next")
    visitor.page.fill("q.H01", "é" * 3210)
    page = await visitor.press("next")
    assert visitor.status == 422
    assert "Raccourcissez votre réponse\u00a0: 210 caractères en trop." in page.text
    assert page.control("q.H01").value == "é" * 3210


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "There is nothing at this address"),
        ("/s/unknown", 404, "There is nothing at this address"),
        ("/static/no.css", 404, "nothing"),
    ],
)
async def test_people_get_pages_and_programs_get_problems(visitor: Visitor, path: str, status: int, words: str) -> None:
    page = await visitor.get(f"{path}?lang=en")
    assert visitor.status == status
    assert words in page.text
    plain = await visitor.client.get(path)
    assert plain.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "fields", ["sheet=nonsense&place=A", "sheet=%5B%5D", "sheet=" + "[" * 3000, "place=%ff", "&".join(f"a{i}=1" for i in range(6000))]
)
async def test_a_damaged_form_is_refused_with_a_page(visitor: Visitor, fields: str) -> None:
    await visitor.send("/s/ai-security?lang=en", fields)
    assert visitor.status == 400


async def test_another_site_cannot_slip_somebody_a_receipt_of_its_own(visitor: Visitor) -> None:
    page = await begin(visitor)
    visitor.headers["Sec-Fetch-Site"] = "cross-site"
    await visitor.send(*page.press("next"))
    assert visitor.status == 403


async def test_an_oversized_form_is_refused(visitor: Visitor) -> None:
    await visitor.send("/s/ai-security", "sheet=" + "x" * 2_000_000)
    assert visitor.status == 413


async def test_pages_are_protected_and_static_files_are_cached(visitor: Visitor) -> None:
    for path in ("/", "/s/ai-security", "/s/ai-security/receipt", "/nowhere"):
        await visitor.get(path)
        policy = visitor.received["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert visitor.received["X-Content-Type-Options"] == "nosniff"
        assert visitor.received["Referrer-Policy"] == "same-origin"
    sheet = await visitor.client.get("/static/platea.css")
    assert sheet.headers["content-type"].startswith("text/css")
    again = await visitor.client.get("/static/platea.css", headers={"If-None-Match": sheet.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await visitor.client.get("/static/mark.svg")).headers["content-type"] == "image/svg+xml"


async def test_every_row_of_a_matrix_is_a_group_of_choices_named_by_it(visitor: Visitor) -> None:
    page = await begin(visitor, language="en")
    for name, value in (("A01", "FR"), ("A02", "1"), ("A04", "p3"), ("A05", "region"), ("A08", "personal"), ("A09", "police")):
        page.fill(f"q.{name}", value)
    page = await visitor.press("next")
    groups = re.findall(r'role="radiogroup" aria-labelledby="(\S+)">(.*?)</div>\n</div>\n</div>', page.html, re.DOTALL)
    assert [(row in page.ids, len(re.findall(r"<label for=", cells))) for row, cells in groups] == [(True, 8)] * 16
