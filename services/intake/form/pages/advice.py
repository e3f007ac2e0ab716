"""Turns a fault into a sentence that tells the respondent what to do, in their language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
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
)
from proto.problem import Fault
from services.intake.form import typed_values
from services.intake.form.pages.voice import Voice


@dataclass(frozen=True)
class Advice:
    """`sentence` is for the summary at the top of the page, `beside` for the place beside the question; `anchor` is the field's element id.

    `part`: the row of a matrix, or "".
    """

    question: str
    part: str
    anchor: str
    sentence: str
    beside: str


def anchor(question: AnyQuestion, part: str | int = 0, choice: int = 0) -> str:
    """The id of an element on the page. It is made of positions, since codes may have characters that links cannot have."""
    return f"{question.id}-{part}" if choice == 0 else f"{question.id}-{part}-{choice}"


def advise(voice: Voice, question: AnyQuestion, fault: Fault, value: object) -> Advice:
    """`value` is the answer with the fault."""
    parts = fault.pointer.split("/")
    part = parts[3] if len(parts) > 3 else ""
    sentence, field = _sentence(voice, question, fault.code, part, value)
    if part and isinstance(question, Matrix):
        return Advice(question.id, part, field, sentence, _choose(voice, "choose_here", "", question.options))
    return Advice(question.id, "", field, sentence, sentence)


def _sentence(voice: Voice, question: AnyQuestion, code: str, part: str, value: object) -> tuple[str, str]:
    words, label, first = voice.words, voice.text(question.text), anchor(question)
    match question:
        case Single():
            return _choose(voice, "choose_one", label, question.options), first
        case Matrix():
            for index, row in enumerate(question.rows):
                if row.code == part:
                    return _choose(voice, "choose_one", voice.text(row.text), question.options), anchor(question, index)
            return words("choose_every_row", question=label), first
        case Multiple():
            return _multiple(voice, question, code, label, value), first
        case Ranking():
            if code == "duplicate":
                return words("rank_twice", question=label), anchor(question, _repeated(typed_values.as_codes(value)))
            empty = [i for i, item in enumerate(typed_values.as_codes(value)) if not item]
            if empty and code != "required":
                return words("rank_empty", rank=empty[0] + 1, question=label), anchor(question, empty[0])
            return words("rank_all", count=question.rank_count, question=label), first
        case Integer() | Numeric():
            return words("write_number", question=label, bounds=voice.bounds(question)), first
        case Date():
            return _date(voice, question, code, label), first
        case ShortText() | LongText():
            if code == "too-long":
                length = len(typed_values.as_text(value))
                return words("shorten", question=label, max=question.max_chars, count=length), first
            return words("bad_character" if code == "bad-character" else "write_text", question=label), first
        case _:
            assert_never(question)


def _choose(voice: Voice, key: str, label: str, options: tuple[Option, ...], **values: object) -> str:
    """ "Choose one answer for '…', or 'Don't know'": names the first non-substantive option, if there is one."""
    for option in options:
        if option.code in NON_SUBSTANTIVE:
            return voice.words(f"{key}_or", question=label, way_out=voice.text(option.text), **values)
    return voice.words(key, question=label, **values)


def _multiple(voice: Voice, question: Multiple, code: str, label: str, value: object) -> str:
    chosen = typed_values.as_codes(value)
    if code == "exclusive":
        alone = next((option for option in question.options if option.exclusive and option.code in chosen), question.options[-1])
        return voice.words("exclusive", question=label, option=voice.text(alone.text))
    if code == "too-many":
        return voice.words("choose_at_most", question=label, count=question.max_choices or len(question.options))
    if code == "too-few" and question.min_choices > 1:
        return voice.words("choose_at_least", question=label, count=question.min_choices)
    return _choose(voice, "choose_some", label, question.options)


def _date(voice: Voice, question: Date, code: str, label: str) -> str:
    words = voice.words
    if code == "too-small":
        return words("date_early", question=label, min=words.date(question.min))
    if code == "too-large":
        last = words("today") if question.max == "today" else words.date(question.max)
        return words("date_late", question=label, max=last)
    return words("date_month" if question.precision == "month" else "date_day", question=label)


def _repeated(chosen: list[str]) -> int:
    """The index of the first code that occurs a second time."""
    return next((i for i, code in enumerate(chosen) if code in chosen[:i]), 0)
