"""Answers to another version of a survey, as far as this version can count them. Pure.

Each row, tick, rank, option and number stands for itself: what this version knows too is kept as it was given, and what it does
not know takes nothing else away. Whether a question was asked is decided by the version that was answered, not by this one.

- A question, row or place in a ranking that was not there is *not asked*; so is a row that its rule hid from this respondent.
- An option or special value that is gone, and a number or date outside this version's limits, cannot be counted here, but it was not
  left out either: it is *not asked* in this version.
- A tick that is gone from a multiple choice leaves the other ticks. Without any left, the others were shown and not chosen.
- Numbers that share out a total are one answer: over other rows, or of another total, it is *not asked*.
- Limits on how many to choose, and on the length of texts, bind only those who answer from now on.
- A computed value is computed anew, by this version's formula, from the answers as they count in it.
- A question of another type under the same id is another question. Whole and decimal numbers are one type here, and so are
  short and long texts.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

import msgspec
from msgspec import UNSET

from proto.answers import Reader
from proto.computed import ComputedFormula
from proto.instrument import (
    AnyQuestion,
    Closed,
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    Rule,
    ShortText,
    Single,
    special_codes,
)
from proto.parts import Parts


class _Mark(enum.Enum):
    UNASKED = "not asked in this version"


UNASKED = _Mark.UNASKED
"""In place of an answer, a row's or a place's: this version has nothing to count, and nobody left anything out."""

Values = tuple[Any, ...]
"""One answer for each respondent. Those of a matrix are tuples with an entry per row, or UNASKED; so are numbers that share out a total."""

Convert = Callable[[Any], Any]


def same_kind(then: AnyQuestion, now: AnyQuestion) -> bool:
    """Whether answers to one can be counted as answers to the other."""
    families: tuple[tuple[type, ...], ...] = ((Integer, Numeric), (ShortText, LongText))
    if isinstance(then, Computed) or isinstance(now, Computed):
        return type(then) is type(now)
    return type(then) is type(now) or any(isinstance(then, family) and isinstance(now, family) for family in families)


class Conversion:
    """From the version that `then` reads to `now`."""

    def __init__(self, then: Reader, now: Instrument) -> None:
        self._then = then
        self._steps = [(question.id, *self._step(question)) for question in now.questions]
        self.added: frozenset[tuple[str, str]] = frozenset(
            (question.id, option.code)
            for question in now.questions
            if isinstance(question, Multiple) and (before := then.questions.get(question.id)) is not None and isinstance(before, Multiple)
            for option in question.options
            if option.code not in _codes(before)
        )
        """Options of multiple choices that nobody could tick then: question and code."""
        questions = {question.id: question for question in now.questions}
        self._formulas = {question.id: ComputedFormula(question, questions) for question in now.questions if isinstance(question, Computed)}
        self._hiding = {
            question.id: _without_hidden(then.parts[question.id], question)
            for question in now.questions
            if isinstance(question, Matrix) and question.id in then.parts
        }

    def __call__(self, answers: Sequence[Any]) -> dict[str, Values]:
        """For each question of this version everybody's answer, UNSET where it was asked and left out, or UNASKED."""
        given = dict(zip(self._then.fields, zip(*map(msgspec.structs.astuple, answers), strict=True), strict=True))
        converted: dict[str, Values] = {}
        held: dict[Rule, list[bool]] = {}
        for id, asked, convert, left_out in self._steps:
            if id in self._formulas:
                converted[id] = _computed(self._formulas[id], converted)
                continue
            if not asked:
                converted[id] = (UNASKED,) * len(answers)
                continue
            values = given[id]
            if convert is not None:
                values = tuple(value if value is UNSET else convert(value) for value in values)
            if (rule := self._then.questions[id].show_if) is not None:
                if rule not in held:  # once, however many questions hang on it
                    held[rule] = [self._then.shown[id](one) for one in answers]
                absent = (left_out if holds else UNASKED for holds in held[rule])
                values = tuple(none if value is UNSET else value for none, value in zip(absent, values, strict=True))
            elif left_out is not UNSET:
                values = tuple(left_out if value is UNSET else value for value in values)
            if id in self._hiding:
                values = tuple(map(self._hiding[id], answers, values))
            converted[id] = values
        return converted

    def _step(self, question: AnyQuestion) -> tuple[bool, Convert | None, Any]:
        """Whether it was asked, how one answer becomes one of this version (None: it stays), and what leaving it out becomes."""
        then = self._then.questions.get(question.id)
        if then is None or not same_kind(then, question):
            return False, None, UNSET
        if isinstance(question, Matrix) and isinstance(then, Matrix):
            places = [next((i for i, row in enumerate(then.rows) if row.code == row_now.code), None) for row_now in question.rows]
            if all(place is None for place in places):
                return False, None, UNSET
            whole = places == list(range(len(then.rows))) and _codes(then) <= _codes(question)
            convert = msgspec.structs.astuple if whole else _rows(places, _codes(question))
            return True, convert, tuple(UNASKED if place is None else UNSET for place in places)
        if isinstance(question, ConstantSum) and isinstance(then, ConstantSum):
            places = [next((i for i, row in enumerate(then.rows) if row.code == row_now.code), len(then.rows)) for row_now in question.rows]
            same = sorted(places) == list(range(len(then.rows))) and then.total == question.total
            return same, _shares(places), UNSET
        return True, _convert(then, question), UNSET


def _computed(formula: ComputedFormula, converted: Mapping[str, Values]) -> Values:
    """By this version's formula, from what is left of the answers; not asked where no part of it was."""
    parts = [
        values if part.row is None else tuple(value if value is UNASKED or value is UNSET else value[part.row] for value in values)
        for part in formula.parts
        for values in [converted[part.id]]
    ]
    return tuple(UNASKED if all(value is UNASKED for value in given) else formula(given) for given in zip(*parts, strict=True))


def _convert(then: AnyQuestion, now: AnyQuestion) -> Convert | None:
    match now:
        case Single() if not _codes(then) <= (known := _codes(now)):
            return lambda code: code if code in known else UNASKED
        case Multiple() if not _codes(then) <= (known := _codes(now)):
            return lambda codes: [code for code in codes if code in known]
        case Ranking() if isinstance(then, Ranking) and not (then.rank_count == now.rank_count and _codes(then) <= _codes(now)):
            return _ranks(now.rank_count, _codes(now))
        case Integer() | Numeric() if isinstance(then, Integer | Numeric) and not _within(then, now):
            return _number(now)
        case Date() if isinstance(then, Date) and not _same_dates(then, now):
            return _date(then, now)
        case Single() | Multiple() | Matrix() | Ranking() | ConstantSum() | Integer() | Numeric() | Date() | ShortText() | LongText():
            return None  # answers stay as they are
        case _:
            assert_never(now)


def _without_hidden(parts: Parts, now: Matrix) -> Callable[[Any, Any], Any]:
    """Rows that were hidden from a respondent were not asked."""

    def convert(answers: Any, value: Any) -> Any:
        if value is UNASKED or not (hidden := parts.hidden(answers)):
            return value
        return tuple(UNASKED if code is UNSET and row.code in hidden else code for row, code in zip(now.rows, value, strict=True))

    return convert


def _rows(places: Sequence[int | None], known: frozenset[str]) -> Convert:
    def convert(value: Any) -> Any:
        given = msgspec.structs.astuple(value)
        codes = (UNASKED if place is None else given[place] for place in places)
        return tuple(code if code in known or code is UNSET else UNASKED for code in codes)

    return convert


def _shares(places: Sequence[int]) -> Convert:
    def convert(value: Any) -> tuple[int, ...]:
        given = msgspec.structs.astuple(value)
        return tuple(given[place] for place in places)

    return convert


def _ranks(count: int, known: frozenset[str]) -> Convert:
    def convert(value: list[str]) -> Any:
        places = [value[at] if at < len(value) and value[at] in known else UNASKED for at in range(count)]
        return UNASKED if all(place is UNASKED for place in places) else places

    return convert


def _number(now: Integer | Numeric) -> Convert:
    decimals, special = _decimals(now), special_codes(now)

    def convert(value: int | float | str) -> Any:
        if isinstance(value, str):
            return value if value in special else UNASKED
        return value if now.min <= value <= now.max and round(value, decimals) == value else UNASKED

    return convert


def _within(then: Integer | Numeric, now: Integer | Numeric) -> bool:
    known = special_codes(then) <= special_codes(now)
    return known and now.min <= then.min and then.max <= now.max and _decimals(then) <= _decimals(now)


def _same_dates(then: Date, now: Date) -> bool:
    same_limits = (then.precision, then.min, then.max) == (now.precision, now.min, now.max)
    return same_limits and special_codes(then) <= special_codes(now)


def _decimals(question: Integer | Numeric) -> int:
    return question.decimals if isinstance(question, Numeric) else 0


def _date(then: Date, now: Date) -> Convert:
    """Compares days, months and years by their common part. "today" has passed for any accepted answer."""
    special, before = special_codes(now), special_codes(then)
    latest = "9999" if now.max == "today" else now.max

    def convert(value: str) -> Any:
        if value in special or value in before:
            return value if value in special else UNASKED
        date = value[: now.length]
        return UNASKED if date < now.min[: len(date)] or date[: len(latest)] > latest[: len(date)] else date

    return convert


def _codes(question: AnyQuestion) -> frozenset[str]:
    return frozenset(option.code for option in question.options) if isinstance(question, Closed) else frozenset()
