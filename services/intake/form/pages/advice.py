"""Says what to do about faults: short sentences in the reader's language, and the places on the page that they lead to."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
class RowAdvice:
    """A row of a matrix without an answer. `anchor` is its element id."""

    code: str
    label: str
    anchor: str
    sentence: str


@dataclass(frozen=True)
class Advice:
    """What to do about one question. `sentence` stands beside the field, and after the question in the summary, which links to `anchor`.

    `rows`: of a matrix, those at fault, in the order of the page. `parts`: of a date or a ranking, the indices of the fields at fault.
    """

    question: str
    label: str
    anchor: str
    sentence: str
    rows: tuple[RowAdvice, ...] = ()
    parts: frozenset[int] = frozenset()

    @property
    def named_rows(self) -> tuple[RowAdvice, ...]:
        """The rows that the summary names: while they are few."""
        return self.rows if len(self.rows) <= ROWS_NAMED else ()


ROWS_NAMED = 5
"""Up to this many rows of a matrix are named in the summary; all of them are marked in the matrix."""


def anchor(question: AnyQuestion, part: str | int = 0, choice: int = 0) -> str:
    """The id of an element on the page. It is made of positions, since codes may have characters that links cannot have."""
    return f"{question.id}-{part}" if choice == 0 else f"{question.id}-{part}-{choice}"


def advise(voice: Voice, question: AnyQuestion, faults: Sequence[Fault], value: object, rows: Sequence[str] = ()) -> Advice:
    """`faults`: all of this question, at least one. `value`: its answer. `rows`: the codes of its rows, as the page has them."""
    label, code = voice.text(question.text), faults[0].code
    if isinstance(question, Matrix):
        return _matrix(voice, question, label, faults, rows)
    sentence, parts = _sentence(voice, question, code, value)
    return Advice(question.id, label, anchor(question, min(parts, default=0)), sentence, parts=parts)


def _matrix(voice: Voice, question: Matrix, label: str, faults: Sequence[Fault], order: Sequence[str]) -> Advice:
    """One fault of the whole question means that no row has an answer."""
    places = {row.code: index for index, row in enumerate(question.rows)}
    named = [fault.pointer.split("/")[3:4] for fault in faults]
    there = list(order or places)
    faulty = set(there) if [] in named else {part.replace("~1", "/").replace("~0", "~") for [part] in named}  # RFC 6901
    texts = {row.code: voice.text(row.text) for row in question.rows}
    here = voice.words("choose_here")
    rows = tuple(RowAdvice(row, texts[row], anchor(question, places[row]), here) for row in there if row in faulty)
    sentence = voice.words("rows_missing", count=len(rows), total=len(there))
    return Advice(question.id, label, rows[0].anchor if rows else anchor(question), sentence, rows)


def _sentence(
    voice: Voice, question: Single | Multiple | Ranking | Integer | Numeric | Date | ShortText | LongText, code: str, value: object
) -> tuple[str, frozenset[int]]:
    """The sentence, and the parts of the question that it is about."""
    words, everything = voice.words, frozenset[int]()
    match question:
        case Single():
            return _choose(voice, "choose_here", question.options), everything
        case Multiple():
            return _multiple(voice, question, code, value), everything
        case Ranking():
            return _ranking(voice, question, code, typed_values.as_codes(value))
        case Integer() | Numeric():
            if code in ("too-small", "too-large"):
                least = code == "too-small"
                return words("number_least", min=question.min) if least else words("number_most", max=question.max), everything
            return words("write_bounds", bounds=voice.bounds(question)), everything
        case Date():
            return _date(voice, question, code, value)
        case ShortText() | LongText():
            if code == "too-long":
                over = len(typed_values.as_text(value)) - question.max_chars
                return words("shorten", over=words("characters_over", count=over)), everything
            return words("bad_character" if code == "bad-character" else "write_text"), everything
        case _:
            assert_never(question)


def _choose(voice: Voice, key: str, options: tuple[Option, ...]) -> str:
    """ "Choose one answer, or 'Don't know'": names the first non-substantive option, if there is one."""
    for option in options:
        if option.code in NON_SUBSTANTIVE:
            return voice.words(f"{key}_or", way_out=voice.text(option.text))
    return voice.words(key)


def _multiple(voice: Voice, question: Multiple, code: str, value: object) -> str:
    chosen = typed_values.as_codes(value)
    if code == "exclusive":
        alone = next((option for option in question.options if option.exclusive and option.code in chosen), question.options[-1])
        return voice.words("exclusive", option=voice.text(alone.text))
    if code == "too-many":
        return voice.words("choose_at_most", count=question.max_choices or len(question.options))
    if code == "too-few" and question.min_choices > 1:
        return voice.words("choose_at_least", count=question.min_choices)
    return _choose(voice, "choose_some", question.options)


def _ranking(voice: Voice, question: Ranking, code: str, chosen: list[str]) -> tuple[str, frozenset[int]]:
    if code == "duplicate":
        return voice.words("rank_hint"), frozenset((_repeated(chosen),))
    empty = [rank for rank, item in enumerate(chosen) if not item]
    if empty and code != "required":
        return voice.words("rank_empty", rank=empty[0] + 1), frozenset(empty)
    return voice.words("rank_all", count=question.rank_count), frozenset()


def _date(voice: Voice, question: Date, code: str, value: object) -> tuple[str, frozenset[int]]:
    """Says which part is wrong. The parts are in the order of the page: day (if it is asked), month, year."""
    words, has_day = voice.words, question.precision == "day"
    if code == "too-small":
        return words("date_early", min=words.date(question.min)), frozenset()
    if code == "too-large":
        return words("date_late", max=words("today") if question.max == "today" else words.date(question.max)), frozenset()
    year, month, *day = typed_values.as_date(value, 3 if has_day else 2)
    if code == "required" or not any((year, month, *day)):
        return words("date_day" if has_day else "date_month"), frozenset()
    faults = {
        "date_no_day": has_day and re.fullmatch("0?[1-9]|[12][0-9]|3[01]", day[0]) is None,
        "date_no_month": re.fullmatch("0[1-9]|1[0-2]", month) is None,
        "date_no_year": re.fullmatch("(?!0000)[0-9]{4}", year) is None,
    }
    wrong = [key for key, there in faults.items() if there]
    parts = [index for index, key in enumerate(key for key in faults if has_day or key != "date_no_day") if key in wrong]
    if not wrong:
        return words("date_no_such_day"), frozenset((0,))
    return " ".join(map(words, wrong)), frozenset(parts)


def _repeated(chosen: list[str]) -> int:
    """The index of the first code that occurs a second time."""
    return next((i for i, code in enumerate(chosen) if code in chosen[:i]), 0)
