"""The words of all pages, in all catalogues and bundled questionnaires: one term, one rendering; written as the language is written."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
import pytest
import yaml
from babel import Locale

from proto import author
from services.analysis.dashboard.words import CATALOGUES as DASHBOARD
from services.analysis.dashboard.words import DashboardWords
from services.export.http.interface import CATALOGUES as DATA
from services.export.http.interface import Say
from services.intake.form.pages.words import catalogues
from services.runtime import translations
from tests.builders.bundled import questionnaire

ROOT = Path(__file__).parents[2]
Strings = Mapping[str, str | dict[str, str]]
PAGES: dict[str, Mapping[str, Strings]] = {
    "intake": {language: say.strings for language, say in catalogues().items()},
    "dashboard": {language: {**found.strings, **found.strata} for language, found in DASHBOARD.items()},
    "data": {language: found.strings for language, found in DATA.items()},
}
HOMONYMS = {"Share"}
"""English words of two meanings: a share of people, and to share a receipt."""
BUTTON = 44
"""Characters that a button of 320 px takes in three lines."""


def texts(value: str | dict[str, str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value.values())


def of_questionnaires() -> Iterator[tuple[str, str, str]]:
    """Every text of the bundled questionnaires, with its place and language."""

    def walk(value: object, place: str) -> Iterator[tuple[str, str, str]]:
        match value:
            case dict():
                found: dict[str, object] = value
                if found and all(isinstance(text, str) and re.fullmatch("[a-z]{2}", key) for key, text in found.items()):
                    yield from ((place, language, str(text)) for language, text in found.items())
                else:
                    for key, inner in found.items():
                        yield from walk(inner, f"{place}.{key}")
            case list():
                inners: list[object] = value
                for n, inner in enumerate(inners):
                    yield from walk(inner, f"{place}.{n}")
            case _:
                return

    for survey in author.bundled():
        yield from walk(msgspec.to_builtins(questionnaire(survey)), survey)


def everything() -> list[tuple[str, str, str]]:
    shown = [
        (f"{page}.{key}", language, text)
        for page, found in PAGES.items()
        for language, strings in found.items()
        for key, value in strings.items()
        for text in texts(value)
    ]
    return [*shown, *of_questionnaires()]


EVERYTHING = everything()


@cache
def glossary() -> dict[str, dict[str, dict[str, object]]]:
    return yaml.safe_load((ROOT / "docs/translations/glossary.yaml").read_text("utf-8"))


def test_apostrophes_are_curved() -> None:
    assert [(place, language) for place, language, text in EVERYTHING if re.search(r"\w'\w", text)] == []


def test_french_has_no_break_spaces_before_double_marks() -> None:
    loose = re.compile(r"[^\s\u00a0\u202f](?<!\d)[;!?»%]|[^\s\u00a0\u202f:/]:(?=[\s\u00a0]|$)| [:;!?»%]|«[^\u00a0\u202f]")
    french = [(place, re.sub(r"https?://\S+", "", text)) for place, language, text in EVERYTHING if language == "fr"]
    assert [(place, found[0]) for place, text in french if (found := loose.search(text))] == []


@pytest.mark.parametrize("page", ["dashboard", "data"])
def test_counts_have_the_plural_forms_of_the_language(page: str) -> None:
    for language, strings in PAGES[page].items():
        plural = Locale.parse(language).plural_form
        reached = {plural(n) for n in range(10_001)}
        assert {key: set(value) for key, value in strings.items() if isinstance(value, dict) and set(value) != reached} == {}
        assert [key for key, value in strings.items() if isinstance(value, dict) != isinstance(PAGES[page]["en"][key], dict)] == []


@pytest.mark.parametrize("language", sorted(catalogues()))
def test_what_is_one_in_english_is_one_in_the_translation(language: str) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for pages in PAGES.values():
        for key, english in pages["en"].items():
            if isinstance(english, str) and english not in HOMONYMS and language in pages:
                found[english].add(str(pages[language][key]))
    assert {english: said for english, said in found.items() if len(said) > 1} == {}


@pytest.mark.parametrize("language", sorted(catalogues()))
def test_a_term_of_the_glossary_has_one_rendering(language: str) -> None:
    terms = glossary()[language]
    assert set(terms) == set(glossary()["en"])
    avoided = [(term, str(word)) for term, found in terms.items() for word in list[object](found.get("avoid") or [])]  # type: ignore[arg-type]
    said = [(place, text.casefold()) for place, of, text in EVERYTHING if of == language]
    assert [(place, word) for _, word in avoided for place, text in said if re.search(rf"\b{re.escape(word)}", text)] == []


@pytest.mark.parametrize("language", sorted(catalogues()))
def test_a_button_fits_a_phone(language: str) -> None:
    strings = PAGES["intake"][language]
    templates = (ROOT / "services/intake/form/pages/templates").glob("*.html")
    keys = {key for file in templates for key in re.findall(r'<button[^>]*>\{\{ say\("(\w+)"\) \}\}', file.read_text("utf-8"))}
    assert len(keys) > 5
    assert {key: text for key in keys for text in texts(strings[key]) if len(text) > BUTTON or len(max(text.split(), key=len)) > 18} == {}


@pytest.mark.parametrize("catalogue", [DASHBOARD, DATA], ids=["dashboard", "data"])
def test_a_language_is_called_the_same_on_every_page(catalogue: Mapping[str, translations.Translations]) -> None:
    assert {language: found.native for language, found in catalogue.items()} == {
        language: translations.native_name(language) for language in catalogue
    }


def test_one_person_and_one_text_are_told_in_the_singular() -> None:
    assert Say("en")("left_out", n=1).startswith("1 person was left out")
    assert Say("fr")("texts", n=1).startswith("Elle contient aussi 1 réponse libre,")
    assert Say("es")("withheld", n=1234).startswith("No se muestran 1.234 respuestas")
    assert DashboardWords("en")("answers", n=1) == "1 answer"
    assert DashboardWords("es")("answered", n=1) == "1 respuesta a esta pregunta"
    assert DashboardWords("fr")("answers", n=1200).replace("\u202f", " ") == "1 200 réponses"


@pytest.mark.parametrize(("language", "written"), [("fr", "1er décembre 2026"), ("el", "1η Δεκεμβρίου 2026"), ("it", "1º dicembre 2026")])
def test_the_first_of_a_month_is_an_ordinal_where_the_language_has_it_so(language: str, written: str) -> None:
    first = datetime.date(2026, 12, 1)
    assert translations.long_date(first, language) == written
    assert catalogues()[language].date(first.isoformat()) == written
    assert catalogues()[language].date("2026-12-11").startswith("11 ")
