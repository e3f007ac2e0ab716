"""Translation: the dashboard's texts, numbers, dates in the reader's language."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_time, get_timezone_name
from babel.numbers import format_decimal, format_percent, get_decimal_symbol
from markupsafe import escape

from proto.instrument import Instrument, Texts
from services.runtime import translations
from services.runtime.localised_text import LocalisedText


class DashboardStrings(translations.Translations, frozen=True, forbid_unknown_fields=True):
    strings: dict[str, str | dict[str, str]]
    strata: dict[str, str]


CATALOGUES = translations.load("services.analysis.dashboard", DashboardStrings)


def bare(text: str, end: str = ".") -> str:
    """Without the full stop at its end, so that it can stand inside a sentence."""
    return LocalisedText.of(text.rstrip(end), text.lang) if isinstance(text, LocalisedText) else text.rstrip(end)


class DashboardWords:
    """Strings and formats of one language. Where the interface lacks it, its words are English, and so is the page: the texts of
    the survey are then marked with their own language (`LocalisedText`)."""

    def __init__(self, language: str, instrument: Instrument | None = None) -> None:
        self.language = language
        self.interface = language if language in CATALOGUES else "en"
        self._catalogue = CATALOGUES[self.interface]
        self._locale = Locale.parse("en_GB" if self.interface == "en" else self.interface)
        self._source = instrument.source_language if instrument else "en"

    def __call__(self, key: str, **values: Any) -> str:
        """Whole numbers are written as the language writes them. Where a string has plural forms, the whole number `n` chooses."""
        template = self._catalogue.strings[key]
        if isinstance(template, dict):
            template = translations.plural(template, values["n"], self._locale)
        values = {name: self.number(value) if isinstance(value, int) else value for name, value in values.items()}
        if any(hasattr(value, "__html__") for value in values.values()):
            return escape(template).format(**values)
        return template.format(**values)

    def text(self, texts: Texts) -> str:
        """The survey's text in this language, or in its own."""
        for language in (self.language, self._source, *texts):
            if translation := texts.get(language):
                return translation if language == self.interface else LocalisedText.of(translation, language)
        return ""

    def together(self, texts: Iterable[str], by: str = ", ") -> str:
        listed = list(texts)
        return escape(by).join(listed) if any(hasattr(text, "__html__") for text in listed) else by.join(listed)

    def stratum(self, level: str) -> str:
        return self._catalogue.strata.get(level, level.replace("_", " ").capitalize())

    @property
    def decimal_mark(self) -> str:
        """Of the survey's language, also where the interface lacks it."""
        try:
            return get_decimal_symbol(Locale.parse(self.language, sep="-"))
        except (ValueError, UnknownLocaleError):
            return "."

    def number(self, n: int) -> str:
        return _decimal(n, "#,##0", self.interface)

    def decimal(self, value: float) -> str:
        return _decimal(round(value, 2), "0.00", self.interface)

    def tenths(self, value: float) -> str:
        return _decimal(round(value, 1), "0.0", self.interface)

    def thousandths(self, value: float) -> str:
        return _decimal(round(value, 3), "0.000", self.interface)

    def percent(self, share: float) -> str:
        """Whole percent, and one decimal below ten: small shares are not rounded to nothing."""
        if 0 < share < 0.0005:
            return "< " + _percent(1, self.interface)
        return _percent(round(1000 * share) if share < 0.0995 else 10 * round(100 * share), self.interface)

    def points(self, difference: float) -> str:
        """A signed difference of shares, in points: +34."""
        rounded = round(100 * difference)
        return f"+{rounded}" if rounded > 0 else f"\N{MINUS SIGN}{-rounded}" if rounded < 0 else "0"

    def clock(self, as_of: str) -> str:
        """The time alone, to the second: 14:05:07 UTC."""
        return f"{format_time(datetime.datetime.fromisoformat(as_of), 'medium', locale=self._locale)} UTC"

    def moment(self, local: datetime.datetime) -> str:
        """A day and a time with their zone: 31 December 2026, 18:00 (Central European Time)."""
        zone = "UTC" if str(local.tzinfo) == "UTC" else get_timezone_name(local.tzinfo, zone_variant="generic", locale=self._locale)
        return f"{translations.long_date(local.date(), self.interface)}, {format_time(local, 'short', locale=self._locale)} ({zone})"

    def time(self, as_of: str) -> str:
        when = datetime.datetime.fromisoformat(as_of)
        return f"{translations.long_date(when.date(), self.interface)}, {format_time(when, 'short', locale=self._locale)} UTC"


@lru_cache(maxsize=10_000)
def _decimal(value: float, pattern: str, language: str) -> str:
    """Babel takes 20 µs for each number, and a page has thousands."""
    return format_decimal(value, format=pattern, locale=language)


@lru_cache(maxsize=10_000)
def _percent(thousandths: int, language: str) -> str:
    return format_percent(thousandths / 1000, locale=language, decimal_quantization=False)
