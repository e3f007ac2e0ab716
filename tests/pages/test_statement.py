"""The accessibility statement has each part of the model of Decision (EU) 2018/1523, in every language, and every page leads to it."""

from __future__ import annotations

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto import statement as parts
from proto.instrument import Accessibility
from services.intake.app import create_app
from services.intake.form import statement
from services.intake.form.pages import compose
from services.intake.form.pages.words import catalogues, words
from services.intake.form.statement import Clause, Results
from tests.accessibility.tour import tour_of
from tests.builders.bundled import questionnaire
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Page, Visitor

MODEL = (
    "statement_lead",  # commitment
    "statement_scope",
    "statement_status",
    "statement_partly",
    "statement_exceptions",
    "statement_by_hand",
    "statement_burden",
    "statement_outside",
    "statement_preparation",
    "statement_trouble",  # feedback and contact
    "statement_trouble_lead",
    "statement_enforcement",
    "statement_enforcement_lead",
    "statement_enforcement_unknown",
)
TOLD = Accessibility({"en": "access@organisation.example", "fr": "acces@organisation.example"}, {"en": "The Ombudsman & Office"})
SURVEY = msgspec.structs.replace(questionnaire(), accessibility=TOLD)


@pytest.mark.parametrize("language", list(catalogues()))
def test_each_part_of_the_model_is_said_in_its_order(language: str) -> None:
    found = statement.results()
    assert found is not None
    text, say = Page(compose.statement(language, found).decode()).text, words(language)
    place = 0
    for key in MODEL:
        assert say(key) in text[place:], key
        place = text.index(say(key), place) + 1
    assert say("statement_prepared", date=say.date(found.date)) in text
    assert say("statement_tested_lead", date=say.date(found.date)) in text


def test_the_organiser_says_whom_to_tell_and_where_to_turn() -> None:
    text = Page(compose.statement_of(compose.survey_in(SURVEY, "fr"), statement.results()).decode()).text
    assert "acces@organisation.example" in text
    assert "The Ombudsman & Office" in text
    assert words("fr")("statement_contact_unknown") not in text
    assert words("fr")("statement_enforcement_unknown") not in text


@pytest.mark.parametrize("language", ["en", "fr", "es"])
def test_a_survey_that_names_nobody_says_so(language: str) -> None:
    silent = msgspec.structs.replace(SURVEY, accessibility=None)
    text, say = Page(compose.statement_of(compose.survey_in(silent, language), statement.results()).decode()).text, words(language)
    assert say("statement_contact_unknown") in text
    assert say("statement_enforcement_unknown") in text
    assert say("statement_contact_unknown") not in Page(compose.statement(language, statement.results()).decode()).text


def test_what_failed_and_what_nobody_judged_is_listed_and_without_either_all_is_met() -> None:
    met, absent = Clause("9.1.1.1", "Non-text content", 3, 0), Clause("9.1.2.2", "Captions", 1, 0, applies=False)
    failed, open_ = Clause("9.1.4.3", "Contrast", 9, 2), Clause("9.2.4.5", "Multiple ways", 0, 0)
    text = Page(compose.statement("en", Results("2026-11-30", 5, [met, absent, failed, open_])).decode()).text
    listed = " ".join(text.partition("Non-accessible content")[2].partition("Disproportionate burden")[0].split())
    assert listed == "Not met (EN 301 549, WCAG 2.2) 9.1.4.3 Contrast To be judged by people (EN 301 549, WCAG 2.2) 9.2.4.5 Multiple ways"
    assert "Not applicable" in text
    assert "partially compliant" in text
    text = Page(compose.statement("en", Results("2026-11-30", 5, [met, absent])).decode()).text
    assert "fully compliant" in text
    assert "Not met" not in text
    assert "To be judged by people" not in text


def test_an_author_is_told_what_only_the_organiser_knows() -> None:
    assert parts.missing(questionnaire("social-cohesion")) == []
    assert parts.missing(SURVEY) == []
    assert parts.missing(msgspec.structs.replace(SURVEY, accessibility=None)) == [
        "whom to tell what does not work",
        "which body to turn to if the answer does not satisfy",
    ]


def test_every_page_of_the_form_leads_to_the_statement() -> None:
    for sight in tour_of("en"):
        assert sum(link.endswith("/accessibility?lang=en") for link in Page(sight.html).links) == 1, sight.name


async def test_a_survey_leads_to_its_own_statement_and_other_pages_to_that_of_the_site() -> None:
    journal = MemoryJournal()
    desk = open_desk(journal, [SURVEY])
    async with AsyncTestClient(create_app(desk)) as http:
        visitor = Visitor(http)
        await visitor.get(f"/s/{SURVEY.id}?lang=fr")
        assert f"/s/{SURVEY.id}/accessibility?lang=fr" in visitor.page.links
        await visitor.get(f"/s/{SURVEY.id}/accessibility?lang=fr")
        assert visitor.status == 200
        assert "acces@organisation.example" in visitor.page.text
        await visitor.get("/?lang=de")
        assert "/accessibility?lang=de" in visitor.page.links
        await visitor.get("/s/nowhere/accessibility")
        assert visitor.status == 404
