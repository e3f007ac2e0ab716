"""The box of the start page stands for every legal basis, and speaks of consent where consent is the basis and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
import yaml
from litestar.testing import AsyncTestClient

from proto import notice
from proto.instrument import DataProtection, LegalBasis
from services.intake.app import create_app
from services.intake.form.pages.words import catalogues, words
from tests.builders.bundled import questionnaire
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Visitor

CONSENT = {
    "en": r"\b(agree|consent|accept|permission)",
    "fr": r"\b(accepte|consen|autoris)|\baccord\b",
    "de": r"\b(einwillig|willige|zustimm|stimme|einverst|akzept|erlaub)",
}
"""How people say that they consent."""
AGREE = {"en": "I agree to take part.", "fr": "J’accepte de participer.", "de": "Ich willige in die Teilnahme ein."}
TAKE_PART = {
    "en": "I have read the information notice and take part.",
    "fr": "J’ai lu la notice d’information et je participe.",
    "de": "Ich habe die Hinweise zum Datenschutz gelesen und nehme teil.",
}
ROOT = Path(__file__).parents[2]
TOLD = dict.fromkeys(CONSENT, "6(1)")


@pytest.mark.parametrize("language", list(CONSENT))
@pytest.mark.parametrize("basis", get_args(LegalBasis))
async def test_only_consent_is_asked_for_as_consent(basis: LegalBasis, language: str) -> None:
    asked = {"consent": AGREE, "": {}}.get(basis, TAKE_PART)
    protection = DataProtection(TOLD, TOLD, TOLD, TOLD, basis, *[TOLD] * 8)
    survey = msgspec.structs.replace(
        questionnaire("security-by-design"), languages=tuple(CONSENT), notice=asked, data_protection=protection
    )
    async with AsyncTestClient(create_app(open_desk(MemoryJournal(), [survey]))) as http:
        visitor = Visitor(http, language)
        await visitor.get(f"/s/{survey.id}?lang={language}")
        await visitor.press("next")
        assert visitor.status == 422
        assert words(language)("consent_needed") in visitor.page.text
        assert asked.get(language, "") in visitor.page.text
        said = {found.group().lower() for found in re.finditer(CONSENT[language], visitor.page.text, re.IGNORECASE)}
        assert bool(said) == (basis == "consent"), said
        visitor.page.fill("consent", "yes")
        await visitor.press("next")
        assert visitor.status == 200
    assert notice.contradicts(survey) == []


@pytest.mark.parametrize("language", list(catalogues()))
def test_an_author_hears_of_consent_beside_a_public_task_in_every_language(language: str) -> None:
    say = words(language)
    term = yaml.safe_load((ROOT / "docs/translations/glossary.yaml").read_text("utf-8"))[language]["consent"]["use"]
    task = DataProtection(legal_basis="public_task")
    for text, found in ((say("contact_agree"), [language]), (term, [language]), (say("consent_needed"), []), (say("consent_title"), [])):
        survey = msgspec.structs.replace(questionnaire(), notice={language: text}, data_protection=task)
        assert notice.contradicts(survey) == found, text
