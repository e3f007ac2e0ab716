"""Answers in words, as the review page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from markupsafe import escape

from proto.instrument import (
    AnyQuestion,
    ConstantSum,
    Date,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Option,
    Ranking,
    ShortText,
    Single,
    special_codes,
)
from services.intake.form import typed_values
from services.intake.form.pages.voice import Voice
from services.runtime.localised_text import LocalisedText


@dataclass(frozen=True)
class AnswerInWords:
    """A question and its answer: one text, a list, a ranking, or pairs of row and choice. All empty: no answer."""

    question: str
    text: str = ""
    unit: str = ""
    items: tuple[str, ...] = ()
    ranks: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The options, the places, or the rows of a matrix, or the text."""
        return self.items or self.ranks or tuple(row for row, _ in self.pairs) or ((self.text,) if self.text else ())

    @property
    def nothing(self) -> bool:
        return not (self.text or self.items or self.ranks or self.pairs)


def say(voice: Voice, question: AnyQuestion, value: Any, texts: Mapping[str, str] | None = None) -> AnswerInWords:
    """`texts`: what was written in the texts that options open, by code."""
    label = voice.text(question.text)
    match question:
        case Single():
            return AnswerInWords(label, text=_specified(voice, question.options, typed_values.as_text(value), texts))
        case Multiple():
            if value == []:
                return AnswerInWords(label, items=(voice.words("none_of_these"),))
            codes = [code for code in typed_values.as_codes(value) if code]
            return AnswerInWords(label, items=tuple(_specified(voice, question.options, code, texts) for code in codes))
        case Matrix():
            chosen = typed_values.as_rows(value)
            rows = [(voice.text(row.text), chosen[row.code]) for row in question.rows if row.code in chosen]
            return AnswerInWords(label, pairs=tuple((row, _label(voice, question.options, code)) for row, code in rows))
        case Ranking():
            return AnswerInWords(label, ranks=_labels(voice, question.options, typed_values.as_codes(value)))
        case ConstantSum():
            given = typed_values.as_numbers(value)
            unit = f" {voice.text(question.unit)}" if question.unit else ""
            shares = [(voice.text(row.text), given.get(row.code, 0)) for row in question.rows] if given else []
            return AnswerInWords(label, pairs=tuple((row, f"{voice.words.number(share)}{unit}") for row, share in shares))
        case Integer() | Numeric() | Date() if isinstance(value, str) and value in special_codes(question):
            return AnswerInWords(label, text=_label(voice, question.special, value))
        case Integer() | Numeric():
            if isinstance(value, str | bool) or not isinstance(value, int | float):
                return AnswerInWords(label, text=typed_values.as_text(value))
            return AnswerInWords(label, text=voice.words.number(value), unit=voice.text(question.unit))
        case Date():
            return AnswerInWords(label, text=voice.words.date(typed_values.as_text(value)))
        case ShortText() | LongText():
            return AnswerInWords(label, text=typed_values.as_text(value))
        case _:
            assert_never(question)


def _label(voice: Voice, options: tuple[Option, ...], code: str) -> str:
    return next((voice.text(option.text) for option in options if option.code == code), code)


def _specified(voice: Voice, options: tuple[Option, ...], code: str, texts: Mapping[str, str] | None) -> str:
    """ "Other – a festival": the option, and what was written about it."""
    label, typed = _label(voice, options, code), (texts or {}).get(code, "")
    if not typed:
        return label
    return LocalisedText.mixed(f"{label} – {typed}", escape(label) + " – " + escape(typed))


def _labels(voice: Voice, options: tuple[Option, ...], codes: list[str]) -> tuple[str, ...]:
    return tuple(_label(voice, options, code) for code in codes if code)
