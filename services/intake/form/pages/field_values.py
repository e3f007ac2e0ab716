"""What stands in a question's fields: the choices that are ticked, and the texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from proto.instrument import AnyQuestion, Date, Integer, LongText, Matrix, Multiple, Numeric, Ranking, ShortText, Single
from services.intake.form import typed_values
from services.intake.form.pages.words import Words


@dataclass(frozen=True)
class Held:
    """`ticked` names choices as "name=value", `texts` are by name; `rows` is the order of a matrix, empty for its own."""

    ticked: frozenset[str] = frozenset()
    texts: dict[str, str] = field(default_factory=dict[str, str])
    rows: tuple[str, ...] = ()


def held(words: Words, question: AnyQuestion, value: Any, mix: str) -> Held:
    """The fields of a question with this value, of any shape: it may have been tampered with. For `mix` see `rows_in_order`."""
    match question:
        case Single():
            return Held(_ticked((typed_values.name(question), typed_values.as_text(value))))
        case Multiple():
            return Held(_ticked(*((typed_values.name(question), code) for code in typed_values.as_codes(value))))
        case Matrix():
            chosen = typed_values.as_rows(value)
            ticked = _ticked(*((typed_values.name(question, row.code), chosen.get(row.code, "")) for row in question.rows))
            return Held(ticked, rows=rows_in_order(question, mix))
        case Ranking():
            return Held(_ticked(*((typed_values.name(question, rank), code) for rank, code in enumerate(typed_values.as_codes(value), 1))))
        case Integer() | Numeric():
            return Held(texts={typed_values.name(question): typed_values.as_number(value, words.number)})
        case Date():
            year, month, *day = typed_values.as_date(value, 3 if question.precision == "day" else 2)
            texts = {typed_values.name(question, "year"): year, typed_values.name(question, "day"): day[0] if day else ""}
            return Held(_ticked((typed_values.name(question, "month"), month)), texts)
        case ShortText() | LongText():
            return Held(texts={typed_values.name(question): typed_values.as_text(value)})


def rows_in_order(question: Matrix, mix: str) -> tuple[str, ...]:
    """The codes of the rows as this respondent sees them; empty where they stand as written.

    `mix` is a secret of this respondent's pages: by it the order stays the same from page to page, and nothing has to be kept.
    """
    if not question.randomise_rows or not mix:
        return ()
    return tuple(
        sorted((row.code for row in question.rows), key=lambda code: hashlib.sha256(f"{mix} {question.id} {code}".encode()).digest())
    )


def _ticked(*pairs: tuple[str, str]) -> frozenset[str]:
    return frozenset(f"{name}={value}" for name, value in pairs)
