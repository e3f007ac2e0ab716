"""The values of a question's form fields: ticked choices and texts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, assert_never

from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
    ConstantSum,
    Date,
    Integer,
    LongText,
    Matrix,
    Measured,
    Multiple,
    Numeric,
    Option,
    Ranking,
    ShortText,
    Single,
    special_codes,
)
from services.intake.form import typed_values
from services.intake.form.pages.words import FormWords


@dataclass(frozen=True)
class FieldValues:
    """`ticked` names choices as "name=value"; `texts` are by field name; `order` is that of rows or options, or empty."""

    ticked: frozenset[str] = frozenset()
    texts: dict[str, str] = field(default_factory=dict[str, str])
    order: tuple[str, ...] = ()


def values_of(words: FormWords, question: AnyQuestion, value: Any, order: tuple[str, ...]) -> FieldValues:
    """The field values that show this answer. It may have any shape: it comes from the browser. For `order` see `own_order`."""
    match question:
        case Single():
            return FieldValues(_ticked((typed_values.name(question), typed_values.as_text(value))), order=order)
        case Multiple():
            chosen = [typed_values.NONE] if value == [] else typed_values.as_codes(value)
            return FieldValues(_ticked(*((typed_values.name(question), code) for code in chosen)), order=order)
        case Matrix():
            chosen = typed_values.as_rows(value)
            names = (typed_values.name, typed_values.narrow)
            ticked = _ticked(*((name(question, row), code) for row, code in chosen.items() for name in names))
            return FieldValues(ticked, order=order)
        case Ranking():
            ranks = enumerate(typed_values.as_codes(value), 1)
            return FieldValues(_ticked(*((typed_values.name(question, rank), code) for rank, code in ranks)), order=order)
        case ConstantSum():
            given = typed_values.as_numbers(value)
            numbers = {row.code: typed_values.as_number(given.get(row.code), words.number) for row in question.rows}
            return FieldValues(texts={typed_values.name(question, code): text for code, text in numbers.items()})
        case Integer() | Numeric():
            typed, special = _measured(question, value)
            return FieldValues(_ticked(*special), {typed_values.name(question): typed_values.as_number(typed, words.number)})
        case Date():
            typed, special = _measured(question, value)
            names = [typed_values.name(question, part) for part in typed_values.date_parts(question)]
            parts = dict(zip(names, typed_values.as_date(typed, len(names)), strict=True))
            return FieldValues(_ticked(*parts.items(), *special), parts)
        case ShortText() | LongText():
            return FieldValues(texts={typed_values.name(question): typed_values.as_text(value)})
        case _:
            assert_never(question)


def _measured(question: Measured, value: Any) -> tuple[Any, list[tuple[str, str]]]:
    """What the field of the number or date shows, and which special values are ticked, by field name and code."""
    typed, ticked = ("", [value]) if isinstance(value, str) and value in special_codes(question) else typed_values.as_measured(value)
    return typed, [(typed_values.name(question, typed_values.SPECIAL), code) for code in ticked]


def own_order(question: AnyQuestion, mix: str, opening: Collection[str] = ()) -> tuple[str, ...]:
    """The codes of the rows, or of the options, in the order that this respondent sees; empty where that is the order as written.

    `mix` is a secret on this respondent's pages. The order is derived from it, so it stays the same and nothing has to be stored.
    `opening`: codes of options that open a text; they come last, before those that stand alone or say that there is no answer.
    """
    if not mix:
        return ()

    def mixed(codes: Iterable[str]) -> list[str]:
        return sorted(codes, key=lambda code: hashlib.sha256(f"{mix} {question.id} {code}".encode()).digest())

    match question:
        case Matrix() if question.randomise_rows:
            alone = [row.code for row in question.rows if row.exclusive]
            return (*mixed(row.code for row in question.rows if not row.exclusive), *alone)
        case Single() | Multiple() | Ranking() if question.randomise_options:
            last = [option.code for option in standing_last(question.options, opening)]
            none = (typed_values.NONE,) if isinstance(question, Multiple) and typed_values.offers_none(question) else ()
            return (*mixed(option.code for option in question.options if option.code not in last), *last, *none)
        case _:
            return ()


def standing_last(options: tuple[Option, ...], opening: Collection[str]) -> list[Option]:
    """The options that keep their place behind the others."""
    alone = [option for option in options if option.exclusive or option.code in NON_SUBSTANTIVE]
    return [option for option in options if option.code in opening and option not in alone] + alone


def _ticked(*pairs: tuple[str, str]) -> frozenset[str]:
    return frozenset(f"{name}={value}" for name, value in pairs if value)
