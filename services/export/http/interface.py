"""The data page's own words in the reader's language, with number formats."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from babel import Locale
from babel.numbers import format_decimal

from proto.instrument import Instrument, Texts
from services.runtime import translations


class PageStrings(translations.Translations, frozen=True, forbid_unknown_fields=True):
    strings: dict[str, str | dict[str, str]]


CATALOGUES = translations.load("services.export.http", PageStrings)
_UNITS = ("B", "kB", "MB", "GB", "TB")


def offered(instrument: Instrument) -> list[str]:
    """The survey's languages that the page has words in; English where there is none."""
    return [language for language in instrument.languages if language in CATALOGUES] or ["en"]


class Say:
    """Strings and numbers of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._strings = CATALOGUES[language].strings
        self._locale = Locale.parse(language)

    def __call__(self, key: str, **values: Any) -> str:
        """Where a string has plural forms, the whole number `n` chooses among them."""
        string = self._strings[key]
        if isinstance(string, dict):
            n: int = values["n"]
            string, values = translations.plural(string, n, self._locale), values | {"n": self.number(n)}
        return string.format(**values)

    def text(self, texts: Texts, source: str) -> str:
        """The survey's text in this language, else in its own."""
        return texts.get(self.language) or texts.get(source) or next(iter(texts.values()), "")

    def number(self, n: float) -> str:
        return format_decimal(n, format="#,##0.#" if n < 100 else "#,##0", locale=self.language)

    def date(self, day: date) -> str:
        return translations.long_date(day, self.language)

    def hundredths(self, value: float) -> str:
        """Rounded up, because it bounds."""
        return format_decimal(math.ceil(100 * value) / 100, format="0.00", locale=self.language)

    def size(self, bytes: int) -> str:
        """In the unit that leaves at most three digits before the point: 1.4 MB."""
        amount, unit = float(bytes), 0
        while amount >= 999.5 and unit < len(_UNITS) - 1:
            amount, unit = amount / 1000, unit + 1
        return f"{self.number(round(amount, 1))}\N{NO-BREAK SPACE}{_UNITS[unit]}"
