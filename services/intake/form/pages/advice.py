"""Says what to do about faults: short sentences in the reader's language, and the places on the page that they lead to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from proto.instrument import (
    NON_SUBSTANTIVE,
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
)
from proto.problem import Fault
from proto.text_patterns import TextPattern
from services.intake.form import typed_values
from services.intake.form.pages.voice import Voice

_PATTERNS: dict[TextPattern, str] = {"email": "contact_unfit", "telephone": "write_telephone", "postal_code": "write_postal_code"}


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
    if faults[0].code == "exclusive":
        alone = next(row for row in question.rows if row.exclusive)
        return Advice(question.id, label, anchor(question), voice.words("exclusive", option=voice.text(alone.text)))
    there = [row for row in there if not question.rows[places[row]].exclusive]
    faulty = set(there) if [] in named else {part.replace("~1", "/").replace("~0", "~") for [part] in named}  # RFC 6901
    texts = {row.code: voice.text(row.text) for row in question.rows}
    here = voice.words("choose_here")
    rows = tuple(RowAdvice(row, texts[row], anchor(question, places[row]), here) for row in there if row in faulty)
    sentence = voice.words("rows_missing", count=len(rows), total=len(there))
    return Advice(question.id, label, rows[0].anchor if rows else anchor(question), sentence, rows)


def _sentence(
    voice: Voice,
    question: Single | Multiple | Ranking | ConstantSum | Integer | Numeric | Date | ShortText | LongText,
    code: str,
    value: object,
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
        case ConstantSum():
            return _sum(voice, question, typed_values.as_numbers(value))
        case Integer() | Numeric() | Date() if ticked := typed_values.as_measured(value)[1]:
            alone = next((option for option in question.special if option.code in ticked), question.special[0])
            return words("exclusive", option=voice.text(alone.text)), everything
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
            if code == "bad-pattern" and isinstance(question, ShortText) and question.pattern:
                return words(_PATTERNS[question.pattern]), everything
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
    if typed_values.NONE in chosen:
        return voice.words("exclusive", option=voice.words("none_of_these"))
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


def _sum(voice: Voice, question: ConstantSum, shares: Mapping[str, object]) -> tuple[str, frozenset[int]]:
    """Says which rows hold no share, or else how much is missing of the total, or too much."""
    given = {place: shares[row.code] for place, row in enumerate(question.rows) if row.code in shares}
    wrong = frozenset(place for place, share in given.items() if not isinstance(share, int) or not 0 <= share <= question.total)
    if wrong:
        return voice.words("write_bounds", bounds=voice.words("bounds_whole", min=0, max=question.total)), wrong
    together = sum(share for share in given.values() if isinstance(share, int))
    key = "sum_more" if together > question.total else "sum_less"
    difference = abs(question.total - together)
    return voice.words(key, total=voice.total(question), given=together, difference=difference), frozenset(range(len(question.rows)))


def _date(voice: Voice, question: Date, code: str, value: object) -> tuple[str, frozenset[int]]:
    """Says which part is wrong. The parts are in the order of the page: day and month (where they are asked), year."""
    words, asked = voice.words, typed_values.date_parts(question)
    if code == "too-small":
        return words("date_early", min=words.date(question.min)), frozenset()
    if code == "too-large":
        return words("date_late", max=words("today") if question.max == "today" else words.date(question.max)), frozenset()
    typed = dict(zip(asked, typed_values.as_date(value, len(asked)), strict=True))
    if code == "required" or not any(typed.values()):
        return words({"day": "date_day", "month": "date_month", "year": "date_no_year"}[question.precision]), frozenset()
    wrong = [part for part in reversed(asked) if re.fullmatch(_PARTS[part][0], typed[part]) is None]
    parts = [index for index, part in enumerate(reversed(asked)) if part in wrong]
    if not wrong:
        return words("date_no_such_day"), frozenset((0,))
    return " ".join(words(_PARTS[part][1]) for part in wrong), frozenset(parts)


_PARTS = {
    "day": ("0?[1-9]|[12][0-9]|3[01]", "date_no_day"),
    "month": ("0[1-9]|1[0-2]", "date_no_month"),
    "year": ("(?!0000)[0-9]{4}", "date_no_year"),
}
"""What each part of a date is written like, and what to say where it is not."""


def _repeated(chosen: list[str]) -> int:
    """The index of the first code that occurs a second time."""
    return next((i for i, code in enumerate(chosen) if code in chosen[:i]), 0)
