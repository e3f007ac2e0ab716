"""The questionnaire and one's own answers as PDF: tagged, whole, the same bytes each time, and without the receipt."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import psutil
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient
from markupsafe import Markup

from deploy.cli.respondents import Population
from proto.instrument import Instrument, LongText, Matrix, Multiple, ShortText, Single
from proto.problem import Problem
from services.intake.app import create_app
from services.intake.form.flow import FormFlow, FormState
from services.intake.form.pages.compose import survey_in
from services.intake.form.pages.voice import voice_for
from services.intake.form.pages.words import catalogues
from services.intake.form.pdf import compose_pdf, press
from services.intake.form.pdf.document import Asked, Chapter, Document, Entry, TickTable, primary, runs
from services.intake.form.pdf.press import PdfPress
from services.intake.form.pdf.typeset import NotTypeset, draw, missing_in, typeset
from services.runtime.localised_text import LocalisedText
from tests.builders.every_type import INSTRUMENT
from tests.log_lines import LogLines
from tests.pages.desk import MemoryJournal, bundled, open_desk
from tests.pages.tagged_pdf import TaggedPdf
from tests.pages.visitor import Visitor

HOSTILE = '#panic("x") *b* _i_ $x^2$ @ref <label> `raw` \\ // /* [c] {d} ]} = - + #include "/etc/passwd" #import "@preview/cetz:0.4.2"'


@functools.cache
def blank(instrument: int, language: str) -> tuple[bytes, TaggedPdf]:
    pdf = draw(compose_pdf.blank(survey_in(INSTRUMENTS[instrument], language)).decode())
    return pdf, TaggedPdf(pdf)


INSTRUMENTS: list[Instrument] = [INSTRUMENT, *bundled()]
BY_ID = {instrument.id: instrument for instrument in INSTRUMENTS}
SURVEY = "ai-security"


@pytest.mark.parametrize("which", range(len(INSTRUMENTS)), ids=[instrument.id for instrument in INSTRUMENTS])
def test_a_reader_finds_title_language_headings_lists_and_tables(which: int) -> None:
    instrument, (_, pdf) = INSTRUMENTS[which], blank(which, "en")
    assert pdf.root.MarkInfo.Marked
    assert str(pdf.root.Lang).startswith("en")
    assert pdf.root.ViewerPreferences.DisplayDocTitle
    with pdf.pdf.open_metadata() as told:
        assert told["pdfuaid:part"] == "1"
        assert told["dc:title"] == f"{instrument.title['en']} – The questionnaire to read and print"
    apart = [question for question in instrument.asked if not (isinstance(question, ShortText) and question.specifies)]
    headed = [text for text in (instrument.introduction, instrument.definitions) if text]
    assert [pdf.tags.count(tag) for tag in ("H1", "H2", "H3")] == [1, len(instrument.sections) + len(headed), len(apart)]
    matrices = [question for question in apart if isinstance(question, Matrix)]
    assert pdf.tags.count("Table") == len(matrices)
    assert (pdf.tags.count("TH") > 0) == bool(matrices)
    assert pdf.tags.count("LI") >= sum(len(getattr(question, "options", ())) for question in apart if not isinstance(question, Matrix))
    assert pdf.fonts
    assert all("/FontFile2" in font or "/FontFile3" in font for font in pdf.fonts), "every font is inside"
    assert [page.rpartition(" ")[0][-len(f"{i} /") :] for i, page in enumerate(pdf.pages, 1)] == [
        f"{i} /" for i in range(1, len(pdf.pages) + 1)
    ]


@pytest.mark.parametrize("which", range(len(INSTRUMENTS)), ids=[instrument.id for instrument in INSTRUMENTS])
def test_every_question_is_there_in_order_with_all_its_options(which: int) -> None:
    _, pdf = blank(which, "en")
    written = "".join(pdf.text.split())
    at = 0
    for question in INSTRUMENTS[which].asked:
        if isinstance(question, ShortText) and question.specifies:
            continue
        label = "".join((question.id + question.text["en"]).split())
        at = written.index(label, at)
        parts = [part.text["en"] for name in ("options", "rows", "special") for part in getattr(question, name, ())]
        assert [part for part in parts if not pdf.holds(part)] == []


@pytest.mark.parametrize("language", sorted(catalogues()))
def test_every_language_of_the_interface_has_all_its_letters(language: str) -> None:
    say = catalogues()[language]
    _, pdf = blank(0, language)
    assert str(pdf.root.Lang).startswith(language)
    assert "[U+" not in pdf.text, "no letter is missing in the fonts"
    for key in ("blank_title", "blank_lead"):
        words = survey_in(INSTRUMENT, language).voice.words(key)
        assert pdf.holds(words), say.native


def test_the_same_questionnaire_is_the_same_bytes() -> None:
    assert draw(compose_pdf.blank(survey_in(INSTRUMENT, "el")).decode()) == blank(0, "el")[0]


@functools.cache
def flow() -> FormFlow:
    from proto.answers import Reader
    from services.intake.http.routes_form import form_of

    return form_of(Reader(INSTRUMENT))


def copied(text: str) -> TaggedPdf:
    question = next(item for item in INSTRUMENT.asked if isinstance(item, ShortText | LongText) and item.show_if is None)
    answers = {question.id: text}
    form = flow()
    evaluation = form.evaluate(FormState(INSTRUMENT.version, msgspec.json.decode(msgspec.json.encode(answers))), "2026-11-22")
    return TaggedPdf(draw(compose_pdf.copy(survey_in(INSTRUMENT, "en"), form, evaluation, answers, "digest").decode()))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (HOSTILE, HOSTILE),
        ("Ħaġar Qim, Ελλάδα, Łódź, Žďár, Съединение, Ő", "Ħaġar Qim, Ελλάδα, Łódź, Žďár, Съединение, Ő"),
        ("a\r\nb\tc", "a b c"),
        ("thanks 😀 日本", "thanks [U+1F600] [U+65E5][U+672C]"),
        ("bell\x07\x00", "bell[U+0007][U+0000]"),
        ("\ufffe\u2028x", "[U+FFFE] x"),
        ('"]}, {"type": "chapter"', '"]}, {"type": "chapter"'),
    ],
)
def test_whatever_somebody_wrote_is_text_and_nothing_of_it_is_lost(typed: str, told: str) -> None:
    assert copied(typed).holds(told)


def test_a_long_answer_goes_on_over_pages() -> None:
    words = " ".join(f"word{i}" for i in range(8000))
    pdf = copied(words)
    assert len(pdf.pages) > 5
    assert all(pdf.holds(f"word{i}") for i in range(0, 8000, 97))


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"])), st.sampled_from(["fr", "pt-BR", "x-own"]))
def test_a_text_in_another_language_keeps_its_letters_and_its_language(text: str, language: str) -> None:
    mixed = LocalisedText.mixed(f"a{text}b", Markup('a<span lang="{}">{}</span>b').format(language, text))
    told = runs(mixed)
    assert "".join(run.text for run in told) == f"a{text}b"
    assert all(run.lang == primary(language) for run in told[1:-1])
    assert "".join(run.text for run in runs(text)) == text


def test_the_template_takes_nothing_from_elsewhere() -> None:
    template = (Path(typeset.__code__.co_filename).parent / "document.typ").read_text()
    assert not re.findall(r"(?:import|include|image|plugin|@preview)\b", template)


def test_a_questionnaire_of_a_thousand_questions_is_one_file_and_each_question_stands_on_one_page() -> None:
    choice = next(item for item in INSTRUMENT.asked if isinstance(item, Single) and item.show_if is None)
    many = [msgspec.structs.replace(choice, id=f"N{number}", text={"en": f"Question {number} of many?"}) for number in range(1000)]
    pdf = TaggedPdf(draw(compose_pdf.blank(survey_in(msgspec.structs.replace(INSTRUMENT, questions=tuple(many)), "en")).decode()))
    assert pdf.tags.count("H3") == 1000
    for number in range(1000):
        [page] = [page for page in pdf.pages if f"Question {number} of many?" in page]
        told = page[page.index(f"Question {number} of many?") :]
        assert all(option.text["en"] in told.partition(f"Question {number + 1} of")[0] for option in choice.options)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_page_of_action_3_is_nearly_empty_and_no_question_but_a_long_matrix_is_broken(language: str) -> None:
    pdf = blank(INSTRUMENTS.index(BY_ID[SURVEY]), language)[1]
    assert len(pdf.pages) <= 18
    assert pdf.size == (595, 842), "A4"
    assert [page for page in pdf.pages[:-1] if len(page) < 300] == []
    for question in BY_ID[SURVEY].asked:
        if isinstance(question, Single | Multiple):
            label = "".join(voice_for(BY_ID[SURVEY], language, "").text(question.text).split())
            assert sum(label in "".join(page.split()) for page in pdf.pages) >= 1
            last = "".join(voice_for(BY_ID[SURVEY], language, "").text(question.options[-1].text).split())
            [page] = ["".join(page.split()) for page in pdf.pages if question.id + label in "".join(page.split())]
            assert last in page[page.index(label) :], question.id


def test_words_stay_in_their_column_in_every_language() -> None:
    """Those that are too long for a line of it are broken, or set smaller where nothing is known about breaking them."""
    for language, word in (("de", "Veröffentlichungspflichtverletzung"), ("lv", "starptautiskajiem"), ("el", "Ανθρωποκεντρικότερος")):
        grid = TickTable((runs(word), *[runs("||||")] * 8), (Entry(runs("x")),))
        asked = Asked(runs("Q"), (grid,))
        document = Document(language, "n", runs("T"), runs("s"), (), (), (), (Chapter(runs("C")), asked))
        [page] = pypdfium2.PdfDocument(draw(msgspec.json.encode(document).decode()))
        text = page.get_textpage()
        bars = min(text.get_charbox(at)[0] for at, sign in enumerate(text.get_text_range()) if sign == "|")
        letters = [at for at, sign in enumerate(text.get_text_range()) if sign in word]
        assert max(text.get_charbox(at)[2] for at in letters) < bars, language


def test_languages_are_told_by_their_first_subtag() -> None:
    assert [primary(tag) for tag in ("fr", "pt-BR", "sr-Latn", "x-own", "", "abcd")] == ["fr", "pt", "sr", "", "", ""]


def test_missing_characters_are_read_from_what_the_library_says() -> None:
    said = 'the text `"日"` could not be displayed with font\nerror: the text `"\\u{200d}"` could not be displayed'
    assert missing_in(said) == {"日", "\u200d"}
    assert missing_in("error: unknown variable") == set()


@pytest.mark.service
async def test_what_cannot_be_typeset_says_nothing_of_what_is_in_it() -> None:
    with pytest.raises(NotTypeset) as raised:
        await typeset(b'{"secret": "answer"}')
    assert "answer" not in f"{raised.value!r} {raised.value.__cause__!r}"
    with pytest.raises(Problem) as refused:
        await PdfPress().typeset(b"{}")
    assert (refused.value.kind.status, refused.value.retry_after) == (503, press.AGAIN)


async def killed(document: bytes) -> bytes:
    """Typesets it; as soon as the process is at work, the machine takes it away."""
    before = set(psutil.Process().children())
    setting = asyncio.create_task(typeset(document))
    while not (begun := set(psutil.Process().children()) - before):
        await asyncio.sleep(0.01)
    for child in begun:
        child.kill()
    return await setting


@pytest.mark.service
async def test_a_process_that_is_lost_or_cannot_begin_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotTypeset):
        await killed(compose_pdf.blank(survey_in(INSTRUMENT, "en")))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NotTypeset):
        await typeset(b"{}")


@pytest.mark.service
@pytest.mark.parametrize(("language", "sentence"), [("en", "The PDF cannot be made just now"), ("mt", "Il-PDF ma jistax isir bħalissa")])
async def test_people_get_a_page_that_says_what_to_do_where_the_pdf_cannot_be_made(
    client: AsyncTestClient[Any], monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    person = Visitor(client, language)
    page = await person.get(f"/s/{SURVEY}/print.pdf?lang={language}")
    assert (person.status, person.received["retry-after"], page.language) == (503, f"{press.AGAIN}", language)
    assert sentence in page.text
    for_programs = await client.get(f"/s/{SURVEY}/print.pdf")
    assert (for_programs.status_code, for_programs.json()["type"]) == (503, "/problems/unavailable")
    await receipt_of(client, person)
    page = await person.press("pdf")
    assert (person.status, sentence in page.text) == (503, True)


async def receipt_of(client: AsyncTestClient[Any], person: Visitor, **answers: str) -> str:
    """Sends a response and goes to the page that its receipt opens."""
    body = msgspec.json.decode(Population(BY_ID[SURVEY], 7, "2026-11-22").body(1))
    sent = await client.post(f"/api/v1/surveys/{SURVEY}/responses", json=body | {"answers": body["answers"] | answers})
    code = str(sent.json()["receipt"])
    await person.get(f"/s/{SURVEY}/receipt?lang={person.headers['Accept-Language']}")
    person.page.fill("receipt", code)
    await person.press("show")
    return code


@pytest.mark.service
async def test_the_copy_of_ones_answers_is_a_file_without_the_receipt_that_is_written_nowhere(
    client: AsyncTestClient[Any], logged: LogLines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    person = Visitor(client, "fr")
    words = "Le pont d’Avignon manque de lumière"
    code = await receipt_of(client, person, H01=words, H03="deny")
    address, body = person.page.press("pdf")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    file = await client.post(address, content=body, headers=person.headers | kind)
    assert (file.status_code, file.headers["content-type"], file.headers["cache-control"]) == (200, "application/pdf", "no-store")
    assert file.headers["content-disposition"] == f'attachment; filename="{SURVEY}-answers.pdf"'
    pdf = TaggedPdf(file.content)
    assert pdf.holds(words)
    assert pdf.holds("Une copie de vos réponses")
    assert not [group for group in code.split("-") if group in pdf.text or group.encode() in pdf.unpacked]
    assert (await client.post(address, content=body, headers=person.headers | kind)).content == file.content, "the same bytes"
    assert list(tmp_path.iterdir()) == []
    assert not [secret for secret in (words, code) if secret in logged.text]


@pytest.fixture
async def client() -> AsyncIterator[AsyncTestClient[Any]]:
    async with AsyncTestClient(create_app(open_desk(MemoryJournal()))) as client:
        yield client


@pytest.mark.service
async def test_the_page_leads_to_the_file_and_whoever_has_it_is_sent_nothing(client: AsyncTestClient[Any]) -> None:
    page = await Visitor(client, "fr").get("/s/security-by-design/print?lang=fr")
    address = "/s/security-by-design/print.pdf?lang=fr"
    assert address in page.links
    answer = await client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-language"] == "fr"
    assert "content-encoding" not in answer.headers
    assert str(TaggedPdf(answer.content).root.Lang).startswith("fr")
    again = await client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get(address)).content == answer.content
    assert (await client.get("/s/nowhere/print.pdf")).status_code == 404


@pytest.mark.service
async def test_others_are_answered_meanwhile_and_beyond_the_queue_one_is_told_when_to_come_again() -> None:
    desk = dataclasses.replace(open_desk(MemoryJournal()), pdf_press=PdfPress(at_once=1, waiting=1))
    transport = httpx.ASGITransport(cast("Any", create_app(desk)))
    async with httpx.AsyncClient(transport=transport, base_url="http://platea.test") as client:
        asked = [asyncio.create_task(client.get(f"/s/ai-security/print.pdf?lang={language}")) for language in ("en", "fr", "el")]
        refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert [(task.result().status_code, task.result().headers["retry-after"]) for task in refused] == [(503, f"{press.AGAIN}")]
        assert (await client.get("/s/ai-security?lang=en")).status_code == 200
        assert not all(task.done() for task in asked), "a page is sooner there than a PDF"
        assert sorted([(await task).status_code for task in asked]) == [200, 200, 503]
        assert (await client.get("/s/ai-security/print.pdf?lang=en")).status_code == 200
