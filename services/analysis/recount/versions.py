"""Recount of answers to another version of a survey. Pure.

The rules are those of `proto.conversion`, implemented again over plain JSON, one response at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

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
    Row,
    ShortText,
    Single,
)

Answers = Mapping[str, Any]
Place = tuple[str, ...]
"""A question, or a question and a row of its matrix."""


def fitting(
    now: Instrument, then: Instrument, answers: Answers, shown: Callable[[AnyQuestion | Row, Answers], bool]
) -> tuple[dict[str, Any], set[Place]]:
    """Returns what counts of answers to the version `then`, and the questions and rows that were not asked.

    `shown`: returns whether the skip rule of a question or row of that version showed it.
    """
    answers_left: dict[str, Any] = {}
    unasked: set[Place] = set()
    asked = {question.id: question for question in then.questions}
    for question in now.questions:
        before, value = asked.get(question.id), answers.get(question.id)
        if isinstance(question, Computed):
            continue  # computed anew
        if before is None or _family(before) != _family(question) or (value is None and not shown(before, answers)):
            unasked.add((question.id,))
        elif isinstance(question, Matrix) and isinstance(before, Matrix):
            there = {row.code for row in before.rows if shown(row, answers)}
            rows, gone = _rows(question, before, there, value or {})
            unasked |= gone
            answers_left |= {question.id: rows} if rows else {}
        elif value is not None:
            left = _value(question, value) if not _stands_in(before, value) else value if _stands_in(question, value) else None
            if left is None:
                unasked.add((question.id,))
            else:
                answers_left[question.id] = left
    for question in now.questions:
        if isinstance(question, Computed) and all(_gone(now, part, unasked) for part in question.of):
            unasked.add((question.id,))
    return answers_left, unasked


def _gone(now: Instrument, part: str, unasked: set[Place]) -> bool:
    """Returns whether nothing of a part of a computed value was asked."""
    id, _, row = part.partition(".")
    question = now.question(id)
    rows = [item.code for item in question.rows if row in ("", item.code)] if isinstance(question, Matrix) else []
    return (id,) in unasked or (bool(rows) and all((id, code) in unasked for code in rows))


def _family(question: AnyQuestion) -> str:
    match question:
        case Integer() | Numeric():
            return "number"
        case ShortText() | LongText():
            return "text"
        case ConstantSum():
            return f"{question.total} over {sorted(row.code for row in question.rows)}"
        case Single() | Multiple() | Matrix() | Ranking() | Date():
            return type(question).__name__
        case _:
            assert_never(question)


def _rows(question: Matrix, before: Matrix, rows: set[str], value: Answers) -> tuple[dict[str, str], set[Place]]:
    """`rows`: the codes of those that this respondent was asked."""
    options = {option.code for option in question.options}
    rows_left: dict[str, str] = {}
    gone: set[Place] = set()
    for row in (row.code for row in question.rows):
        if row not in rows or (row in value and value[row] not in options):
            gone.add((question.id, row))
        elif row in value:
            rows_left[row] = value[row]
    if not {row.code for row in before.rows} & {row.code for row in question.rows}:
        gone = {(question.id,)}
    return rows_left, gone


def _value(question: AnyQuestion, value: Any) -> Any:
    """Returns the part of the answer that the question still has; None where nothing is left."""
    codes = {option.code for option in question.options} if isinstance(question, Closed) else set[str]()
    match question:
        case Multiple():
            return [code for code in value if code in codes]
        case Ranking():
            ranks = [code if code in codes else None for code in value[: question.rank_count]]
            return ranks if any(ranks) else None
        case Integer():
            return value if question.min <= value <= question.max and value == int(value) else None
        case Numeric():
            return value if question.min <= value <= question.max and round(value, question.decimals) == value else None
        case Date():
            return _date(question, value)
        case Single() | Matrix():
            return value if value in codes else None
        case ShortText() | LongText() | ConstantSum():
            return value
        case _:
            assert_never(question)


def _stands_in(question: AnyQuestion, value: Any) -> bool:
    """Returns whether this is a special value of a number or date."""
    return isinstance(question, Integer | Numeric | Date) and any(option.code == value for option in question.special)


def _date(question: Date, value: str) -> str | None:
    """A day is also a month, and a month a year. Whether a month lies within limits that are days is judged by the month."""
    shortened = value[: {"year": 4, "month": 7, "day": 10}[question.precision]]

    def before(one: str, other: str) -> bool:
        both = min(len(one), len(other))
        return one[:both] < other[:both]

    late = question.max != "today" and before(question.max, shortened)
    return None if late or before(shortened, question.min) else shortened
