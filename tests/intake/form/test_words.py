"""The interface speaks every official language of the Union, whole and as that language is written."""

from __future__ import annotations

import datetime
import re
import string
from functools import cache

import pytest
from babel import Locale
from babel.dates import format_date, format_skeleton

from proto.languages import choose
from services.intake.form.pages.words import FormWords, catalogues

OFFICIAL = [tag for row in ("bg cs da de el en es et fi fr ga hr", "hu it lt lv mt nl pl pt ro sk sl sv") for tag in row.split()]
OTHERS = [language for language in OFFICIAL if language != "en"]

SHARED = {
    "product",
    "month_year",
    "day_month_year",
    "error_prefix",
    "minutes",
    "status",
    "survey",
    "continue_label",
    "or",
    "version",
    "quoted",
}
"""Keys whose English may be right elsewhere too: the product's name, formats, and single words such as "Status"."""

COUNTS = [*range(301), 1000, 10_000]
"""Far more than anybody is asked to choose or write: the "many" of whole millions is not needed."""

NUMBERS = {
    "1 234 567,5": "bg cs et fi fr hu lt lv pl sk sv",
    "1.234.567,5": "da de el es hr it nl pt ro sl",
    "1,234,567.5": "en ga mt",
}

QUOTES = {
    "„“": "bg cs de et lt sk",
    "„”": "hr hu lv pl ro",
    "“”": "en ga mt nl",
    "””": "fi sv",
    "«»": "el es fr it pt",
    "»«": "da sl",
}


def texts(value: str | dict[str, str]) -> dict[str, str]:
    return {"": value} if isinstance(value, str) else value


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@cache
def reached(language: str) -> dict[str, set[int]]:
    """The plural categories that whole numbers fall into, each with its numbers."""
    form = Locale.parse(language).plural_form
    found: dict[str, set[int]] = {"other": set()}
    for count in COUNTS:
        found.setdefault(form(count), set()).add(count)
    return found


def plain(text: str) -> str:
    """No-break spaces of any width as spaces."""
    return re.sub(r"[\u00a0\u202f]", " ", text)


def spoken(language: str) -> FormWords:
    if language not in catalogues():
        pytest.fail(f"there is no catalogue {language}.yaml")
    return catalogues()[language]


def test_the_interface_speaks_every_official_language() -> None:
    assert sorted(catalogues()) == OFFICIAL


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_word_and_no_other(language: str) -> None:
    found, source = spoken(language).strings, catalogues()["en"].strings
    assert [key for key in source if key not in found] == []
    assert [key for key in found if key not in source] == []


@pytest.mark.parametrize("language", OFFICIAL)
def test_a_count_finds_its_plural_form(language: str) -> None:
    forms, found, source = set(reached(language)), spoken(language).strings, catalogues()["en"].strings
    assert [key for key in found if isinstance(found[key], dict) != isinstance(source.get(key), dict)] == []
    assert {key: set(value) ^ forms for key, value in found.items() if isinstance(value, dict) and set(value) != forms} == {}


@pytest.mark.parametrize("language", OFFICIAL)
def test_every_placeholder_is_kept(language: str) -> None:
    """A form may leave out {count} where it stands for one number alone, as in "Only one question"."""
    numbers, source, wrong = reached(language), catalogues()["en"].strings, list[str]()
    for key, value in spoken(language).strings.items():
        wanted = placeholders(list(texts(source[key]).values())[-1])
        for form, text in texts(value).items():
            clear = {"count"} if len(numbers.get(form, set()) - {0}) == 1 else set[str]()
            if not wanted - clear <= placeholders(text) <= wanted:
                wrong.append(f"{key} {form}".strip())
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    source = {key: set(texts(value).values()) for key, value in catalogues()["en"].strings.items()}
    found = spoken(language).strings
    assert [key for key, value in found.items() if key not in SHARED and source[key] & set(texts(value).values())] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_string_is_as_neat_as_its_source(language: str) -> None:
    """The same space at its ends, the same mark at its close, and quotation marks where the source has them."""
    source, wrong = catalogues()["en"].strings, list[str]()
    for key, value in spoken(language).strings.items():
        english = list(texts(source[key]).values())[-1]
        for text in texts(value).values():
            ends = text.strip() and (text[0] == " ", text[-1] == " ") == (english[0] == " ", english[-1] == " ")
            closes = (text.rstrip()[-1] in ".?;") == (english.rstrip()[-1] in ".?")
            unquoted = "“" in english and not re.search("[„“”«»]", text)
            if not ends or not (closes or key in SHARED) or "  " in text or '"' in text or unquoted:
                wrong.append(key)
    assert wrong == []


@pytest.mark.parametrize(("marks", "language"), [(marks, language) for marks, group in QUOTES.items() for language in group.split()])
def test_quotation_marks_are_the_language_s_own_and_come_in_pairs(marks: str, language: str) -> None:
    wrong = list[str]()
    for key, value in spoken(language).strings.items():
        for text in texts(value).values():
            if re.search("[„“”«»]", re.sub(f"{marks[0]}[^„“”«»]+{marks[1]}", "", text)):
                wrong.append(key)
    assert wrong == []


@pytest.mark.parametrize("language", OFFICIAL)
def test_a_language_is_called_what_it_calls_itself(language: str) -> None:
    assert spoken(language).native == Locale.parse(language).get_display_name()
    assert [say.language for say in catalogues().values() if say.native == spoken(language).native] == [language]


@pytest.mark.parametrize("language", OFFICIAL)
def test_only_english_needs_no_review(language: str) -> None:
    review = spoken(language).review
    assert (review == "source") == (language == "en")
    assert review.strip()


@pytest.mark.parametrize(("written", "language"), [(text, language) for text, group in NUMBERS.items() for language in group.split()])
def test_numbers_are_written_as_the_language_writes_them(written: str, language: str) -> None:
    say = spoken(language)
    assert plain(say.number(1234567.5)) == written
    assert say.number(1234.5, grouped=False) == f"1234{say.decimal_mark}5"
    assert plain(say("characters_left", count=12_345)).count(plain(say.number(12_345))) == 1


@pytest.mark.parametrize("language", OFFICIAL)
def test_dates_are_written_as_the_language_writes_them(language: str) -> None:
    say, locale = spoken(language), Locale.parse("en_GB" if language == "en" else language)
    for month in range(1, 13):
        day = datetime.date(2026, month, 5)
        assert plain(say.date(day.isoformat())) == plain(format_date(day, "long", locale))
        assert plain(say.date(f"{day:%Y-%m}")) == plain(format_skeleton("yMMMM", day, locale=locale))


def test_what_is_no_date_stays_as_it_is() -> None:
    for odd in ("", "2026", "2026-13", "soon"):
        assert spoken("en").date(odd) == odd


@pytest.mark.parametrize("language", OFFICIAL)
def test_readers_get_their_language(language: str) -> None:
    offered = list(catalogues())
    assert choose(offered, language, "en") == language
    assert choose(offered, None, f"{language}-{language.upper()},{language};q=0.9,en;q=0.5") == language
    assert choose(offered, "xx", f"xx, {language};q=0.7, en;q=0.3") == language
