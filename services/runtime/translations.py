"""Catalogues of translations: one YAML file for each language in the folder `strings` of a package."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from importlib import resources
from typing import TypeVar

import msgspec
import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

SOURCE = "en"
"""The language that all others are translated from."""
FIRST_OF_MONTH = {"el": "1η", "fr": "1er", "it": "1º"}
"""Languages that write the first day of a month as an ordinal. Source: Interinstitutional Style Guide, parts four of fr, el, it."""


class Translations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every file begins with: the language's tag, and its own name for itself."""

    language: str
    native: str


C = TypeVar("C", bound=Translations)


def load(package: str, kind: type[C]) -> dict[str, C]:
    """A package's catalogues by language: the source language first, then by name. Raises ValueError where a file has another shape."""
    files = [file for file in (resources.files(package) / "strings").iterdir() if file.name.endswith(".yaml")]
    catalogues = [msgspec.convert(yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader), kind) for file in files]
    catalogues.sort(key=lambda catalogue: (catalogue.language != SOURCE, catalogue.native.casefold()))
    return {catalogue.language: catalogue for catalogue in catalogues}


def plural(forms: Mapping[str, str], count: float, locale: Locale) -> str:
    """The form for this count, by the plural rules of CLDR; "other" where the catalogue leaves that form out."""
    return forms.get(locale.plural_form(count), forms["other"])


def ordinal_day(day: int, language: str) -> str:
    """The day of a date as the language writes it: "2", and "1er" for the first in French."""
    return FIRST_OF_MONTH.get(language, "1") if day == 1 else str(day)


def long_date(day: datetime.date, language: str) -> str:
    """The date in words, such as "22 November 2026" or "1er décembre 2026"."""
    written = format_date(day, "long", locale="en_GB" if language == "en" else language.replace("-", "_"))
    return ordinal_day(1, language) + written[1:] if day.day == 1 and written.startswith("1 ") else written


def native_name(language: str) -> str:
    """The language's own name for itself, as CLDR writes it: "français". The tag where CLDR does not know it."""
    try:
        return Locale.parse(language, sep="-").get_display_name() or language
    except (ValueError, UnknownLocaleError):
        return language
