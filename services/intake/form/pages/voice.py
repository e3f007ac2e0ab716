"""The interface's words together with the texts of one instrument, which may have fewer languages."""

from __future__ import annotations

import re
from functools import lru_cache

from proto.instrument import BIGGEST, ConstantSum, Instrument, Integer, Numeric, Texts
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

    def total(self, question: ConstantSum) -> str:
        """ "100 points"."""
        number = self.words.number(question.total)
        return f"{number} {self.text(question.unit)}" if question.unit else number

    def bounds(self, question: Integer | Numeric) -> str:
        """ "From 0 to 100, with at most 1 decimal". Of bounds that are none of the author's nothing is said."""
        words, decimals = self.words, question.decimals if isinstance(question, Numeric) else 0
        limits = {"min": words.number(question.min), "max": words.number(question.max)}
        example = words.number(12 + 5 / 10)
        if question.min > -BIGGEST and question.max < BIGGEST:
            return words("bounds_decimal", count=decimals, example=example, **limits) if decimals else words("bounds_whole", **limits)
        number = words("number_decimal", count=decimals, example=example) if decimals else words("number_whole")
        if question.min > -BIGGEST:
            return words("bounds_least", number=number, min=limits["min"])
        return words("bounds_most", number=number, max=limits["max"]) if question.max < BIGGEST else number


def voice_for(instrument: Instrument, asked: str | None, accepted: str) -> Voice:
    """The voice for a requested language (`?lang=`) and the languages that the browser accepts (Accept-Language).

    The interface speaks more languages than an instrument: the texts then come in the reader's next best.
    """
    source = instrument.source_language
    own = tuple(dict.fromkeys((source, *instrument.languages)))
    first = source if source in catalogues() else next(iter(catalogues()))
    language = choose(dict.fromkeys((first, *catalogues(), *own)), asked, accepted)
    return Voice(words(language), language, choose(own, language, accepted), source)
