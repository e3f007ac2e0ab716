"""The interface's words together with the texts of one instrument, which may have fewer languages."""

from __future__ import annotations

import re
from functools import lru_cache

from proto.instrument import Instrument, Integer, Numeric, Texts
from proto.languages import choose
from services.intake.form.pages.words import FormWords, catalogues, words
from services.runtime.localised_text import LocalisedText


@lru_cache(maxsize=10_000)
def french(text: str) -> str:
    """The text with the signs of French typography: no line breaks before ? ! : ; » or after «, and a typographic apostrophe."""
    text = re.sub(r" (?=[?!:;»])|(?<=«) ", "\u00a0", text)
    return re.sub(r"(?<=\w)'(?=\w)", "\u2019", text)


class Voice:
    """`language` is the reader's, `tongue` that of the instrument's texts. They differ where the survey is not translated."""

    def __init__(self, words: FormWords, language: str, tongue: str, source: str) -> None:
        self.words = words
        self.language = language
        self.tongue = tongue
        self._order = tuple(dict.fromkeys((language, tongue, source)))

    def text(self, texts: Texts) -> str:
        """The best available translation, marked where it is not in the language of the page."""
        for language in self._order:
            if translation := texts.get(language):
                translation = french(translation) if language == "fr" else translation
                return translation if language == self.words.language else LocalisedText.of(translation, language)
        for language, translation in texts.items():
            return LocalisedText.of(translation, language)
        return ""

    def bounds(self, question: Integer | Numeric) -> str:
        """ "From 0 to 100, with at most 1 decimal"."""
        decimals = question.decimals if isinstance(question, Numeric) else 0
        limits = {"min": self.words.number(question.min), "max": self.words.number(question.max)}
        if decimals == 0:
            return self.words("bounds_whole", **limits)
        example = self.words.number(12 + 5 / 10)
        return self.words("bounds_decimal", count=decimals, example=example, **limits)


def voice_for(instrument: Instrument, asked: str | None, accepted: str) -> Voice:
    """The voice for a requested language (`?lang=`) and the languages that the browser accepts (Accept-Language).

    The interface speaks more languages than an instrument: the texts then come in the reader's next best.
    """
    source = instrument.source_language
    own = tuple(dict.fromkeys((source, *instrument.languages)))
    first = source if source in catalogues() else next(iter(catalogues()))
    language = choose(dict.fromkeys((first, *catalogues(), *own)), asked, accepted)
    return Voice(words(language), language, choose(own, language, accepted), source)
