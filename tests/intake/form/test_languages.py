"""The interface speaks more languages than an instrument: the reader gets the best of both, and every part says which it is in."""

from __future__ import annotations

import re
from html import unescape

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto.instrument import Instrument
from services.intake.app import create_app
from services.intake.form.pages.voice import voice_for
from services.intake.form.pages.words import catalogues, words
from services.runtime.localised_text import LocalisedText
from tests.pages.desk import MemoryJournal, bundled, open_desk
from tests.pages.visitor import Visitor
from tests.pages.walking import begin, respondent, walk

ACTION3 = next(instrument for instrument in bundled() if instrument.id == "ai-security")
FOREIGN = next(language for language in reversed(catalogues()) if language not in ACTION3.languages)
A = {"A01": "FR", "A02": "1", "A04": "p3", "A05": "region", "A08": "personal", "A09": "police"}


@pytest.mark.parametrize(
    ("asked", "accepted", "language", "tongue"),
    [
        ("fr", "es", "fr", "fr"),
        (None, "es-MX, en;q=0.3", "es", "es"),
        (FOREIGN, "", FOREIGN, "en"),
        (FOREIGN, f"{FOREIGN}, fr;q=0.4, en;q=0.2", FOREIGN, "fr"),
        (None, f"{FOREIGN}, es;q=0.1", FOREIGN, "es"),
        ("xx", "zh", "en", "en"),
    ],
)
def test_texts_come_in_the_readers_next_best_language(asked: str | None, accepted: str, language: str, tongue: str) -> None:
    voice = voice_for(ACTION3, asked, accepted)
    assert (voice.language, voice.tongue) == (language, tongue)


def test_a_survey_may_speak_a_language_that_the_interface_does_not() -> None:
    voice = voice_for(msgspec.structs.replace(ACTION3, source_language="ca", languages=("ca",)), None, "")
    assert (voice.language, voice.tongue, voice.words.language) == ("en", "ca", "en")


def test_a_sentence_that_quotes_another_language_marks_the_quotation() -> None:
    quoted = LocalisedText.of("Where <b>?", "fr")
    said = words("en")("choose_here_or", way_out=quoted)
    assert said == "Choose one answer, or “Where <b>?”."
    assert isinstance(said, LocalisedText)
    assert said.html == 'Choose one answer, or “<span lang="fr">Where &lt;b&gt;?</span>”.'


async def test_a_page_in_another_language_says_so_and_marks_every_text() -> None:
    async with AsyncTestClient(create_app(open_desk(MemoryJournal()))) as client:
        visitor = Visitor(client, FOREIGN)
        page = await visitor.get("/s/ai-security")
        assert page.language == FOREIGN
        assert words(FOREIGN)("texts_in", language=words(FOREIGN).name_of("en")) in page.text
        page.fill("consent", "yes")
        page = await visitor.press("next")
        assert page.language == FOREIGN
        assert words(FOREIGN)("next") in page.html
        _all_marked(page.html, ACTION3, "A")
        page = await visitor.press("next")
        assert visitor.status == 422
        _all_marked(page.html, ACTION3, "A")
        for id, value in A.items():
            page.fill(f"q.{id}", value)
        page = await visitor.press("next")
        _all_marked(page.html, ACTION3, "B")


async def test_the_response_remembers_the_language_of_its_questions() -> None:
    journal = MemoryJournal()
    async with AsyncTestClient(create_app(open_desk(journal))) as client:
        visitor = Visitor(client, FOREIGN)
        await begin(visitor, language=FOREIGN)
        await walk(visitor, ACTION3, respondent(ACTION3, 1), FOREIGN)
        await visitor.press("send")
    [written] = journal.events.values()
    assert getattr(written.event, "language", "") == "en"


@pytest.mark.slow
@pytest.mark.parametrize("place", ["start", "section", "error"])
async def test_every_language_is_one_press_away_and_takes_the_answers_along(place: str) -> None:
    async with AsyncTestClient(create_app(open_desk(MemoryJournal()))) as client:
        visitor = Visitor(client, "en")
        page = await visitor.get("/s/ai-security")
        if place == "start":
            assert {link for link in page.links if link.startswith("/s/ai-security?lang=")} == {
                f"/s/ai-security?lang={code}" for code in catalogues() if code != "en"
            }
            return
        page.fill("consent", "yes")
        page = await visitor.press("next")
        page.fill("q.A01", "DE")
        if place == "error":
            page = await visitor.press("next")
        actions = {control.action for control in page.controls if control.tag == "button" and control.value == "stay"}
        assert actions == {f"/s/ai-security?lang={code}" for code in catalogues() if code != "en"}
        for code in catalogues():
            page = await visitor.send(f"/s/ai-security?lang={code}", page.press("stay")[1])
            assert (page.language, page.control("q.A01").value) == (code, "DE")


def _all_marked(html: str, instrument: Instrument, section: str) -> None:
    """No text of the section stands in the page without its language."""
    texts = {q.text["en"] for q in instrument.questions if q.section == section}
    texts |= {option.text["en"] for q in instrument.questions if q.section == section for option in getattr(q, "options", ())}
    main = html.partition("<main")[2]
    bare = re.sub(r'<(span|option|button)\b[^>]* lang="en"[^>]*>[^<]*</\1>', "", main)
    visible = unescape(re.sub(r"<[^>]*>", "\n", bare))
    for text in texts:
        assert text not in visible, text
