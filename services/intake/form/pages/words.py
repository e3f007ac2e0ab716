"""The interface's translations: one catalogue per language, with its plural forms, numbers and dates."""

from __future__ import annotations

import datetime
from decimal import Decimal
from functools import cache
from typing import Literal

from babel import Locale
from babel.dates import format_skeleton, get_month_names, get_timezone_name
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol
from markupsafe import escape

from services.runtime import translations
from services.runtime.localised_text import LocalisedText
from services.runtime.translations import SOURCE


class FormStrings(translations.Translations, frozen=True, forbid_unknown_fields=True):
    """One file of `strings/`. `review` stays "needed" until a named native speaker has signed it off."""

    review: Literal["source", "needed"] | str
    strings: dict[str, str | dict[str, str]]


class FormWords:
    """The words of one language, with {placeholders} filled in. Integers are written as the language writes them."""

    def __init__(self, catalogue: FormStrings) -> None:
        self.language = catalogue.language
        self.native = catalogue.native
        self.review = catalogue.review
        self.strings = catalogue.strings
        self._locale = Locale.parse(catalogue.language, sep="-")

    def __call__(self, key: str, /, **values: object) -> str:
        """Where a string has plural forms, `count` chooses among them. Raises KeyError on an unknown key.

        Tests see to it that no catalogue lacks a word. Should one do so all the same, the reader gets it in English, marked as such.
        """
        string = self.strings.get(key)
        if string is None:
            if self.language == SOURCE:
                raise KeyError(key)
            return LocalisedText.of(words(SOURCE)(key, **values), SOURCE)
        if isinstance(string, dict):
            count = values["count"]
            string = translations.plural(string, count if isinstance(count, int | float) else 0, self._locale)
        filled = {name: self.number(value) if isinstance(value, int | float) else value for name, value in values.items()}
        if not filled:
            return string
        plain = string.format_map(filled)
        quotes = any(isinstance(value, LocalisedText) for value in filled.values())
        return LocalisedText.mixed(plain, escape(string).format_map(filled)) if quotes else plain

    def forms(self, key: str) -> dict[str, str]:
        """The string with its placeholders, by plural form; a string without plural forms has "other" only."""
        string = self.strings.get(key) or catalogues()[SOURCE].strings[key]
        return {"other": string} if isinstance(string, str) else string

    @property
    def reviewed(self) -> bool:
        return self.review != "needed"

    def name_of(self, language: str) -> str:
        """The name of another language in this language."""
        try:
            return Locale.parse(language, sep="-").get_display_name(self._locale) or native_name(language)
        except ValueError:
            return native_name(language)

    def number(self, value: float, *, grouped: bool = True) -> str:
        """1,250.5 or 1.250,5 or 1 250,5. Without grouping for form fields."""
        return format_decimal(Decimal(repr(value)), locale=self._locale, group_separator=grouped, decimal_quantization=False)

    @property
    def decimal_mark(self) -> str:
        return get_decimal_symbol(self._locale)

    @property
    def marks(self) -> str:
        """The decimal mark, and after it the mark between thousands where that is a point or a comma: ".,", ",." or ","."""
        between = get_group_symbol(self._locale)
        return self.decimal_mark + (between if between in ".," else "")

    def months(self) -> list[str]:
        """January to December, in the form used without a day."""
        names = get_month_names("wide", "stand-alone", self._locale)
        return [names[i] for i in range(1, 13)]

    def moment(self, local: datetime.datetime) -> str:
        """A day and a time with their zone: "31 December 2026, 18:00 (Central European Time)"."""
        time = format_skeleton("Hm", local, locale=self._locale)
        names_no_place = str(local.tzinfo) == "UTC"
        zone = "UTC" if names_no_place else get_timezone_name(local.tzinfo, zone_variant="generic", locale=self._locale)
        return f"{self.date(local.date().isoformat())}, {time} ({zone})"

    def date(self, iso: str) -> str:
        """A month "2026-11" or a day "2026-11-22" in words; anything else as it is."""
        parts = iso.split("-")
        try:
            # Beside a day many languages inflect the month; with the year alone it stands as in a calendar.
            month = get_month_names("wide", "stand-alone" if len(parts) == 2 else "format", self._locale)[int(parts[1])]
        except (IndexError, KeyError, ValueError):
            return iso
        return (
            self("month_year", month=month, year=parts[0])
            if len(parts) == 2
            else self("day_month_year", day=translations.ordinal_day(int(parts[2]), self.language), month=month, year=parts[0])
        )


@cache
def catalogues() -> dict[str, FormWords]:
    """All languages of the interface, the source language first, then by name."""
    return {language: FormWords(strings) for language, strings in translations.load("services.intake.form", FormStrings).items()}


def words(language: str) -> FormWords:
    """The words of this language; English where the interface has no translation, which the page's `lang` then states."""
    known = catalogues()
    return known.get(language) or known[SOURCE]


def native_name(language: str) -> str:
    """The language's own name for itself."""
    known = catalogues().get(language)
    if known is not None:
        return known.native
    return translations.native_name(language)
