"""Between what was typed into a question's fields and its answer.

What cannot be an answer is kept as it was typed: the reader of answers finds the fault, the page shows it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from msgspec import UNSET, UnsetType

from proto.instrument import AnyQuestion, Date, Integer, LongText, Matrix, Multiple, Numeric, Ranking, ShortText, Single

Fields = Mapping[str, list[str]]

LONGEST = 20_000
"""Characters kept of any one field; far above every limit of an instrument, so that what is too long can be shown and shortened."""
_SPACES = re.compile(r"[\s'\u2019]+")


def name(question: AnyQuestion, part: str | int | None = None) -> str:
    """The name of a form field: "q.A01", "q.B02.anpr" for a row, "q.F04.1" for a rank, "q.B05.year" for a part of a date."""
    return f"q.{question.id}" if part is None else f"q.{question.id}.{part}"


def shown(fields: Fields) -> frozenset[str] | None:
    """The questions that the page says it showed when it was sent; None from a page without scripts, which shows what it was made with."""
    return frozenset(fields["shown"][0].split()) if "shown" in fields else None


def read(question: AnyQuestion, fields: Fields, decimal_mark: str) -> Any | UnsetType:
    """The answer in these fields, UNSET where they are empty."""

    def text(part: str | int | None = None) -> str:
        return fields.get(name(question, part), [""])[0][:LONGEST].strip()

    match question:
        case Single():
            return text() or UNSET
        case Multiple():
            chosen = list(dict.fromkeys(value for value in fields.get(name(question), []) if value))
            return chosen[: len(question.options) + 1] or UNSET
        case Matrix():
            return {row.code: value for row in question.rows if (value := text(row.code))} or UNSET
        case Ranking():
            ranks = [text(rank) for rank in range(1, question.rank_count + 1)]
            return ranks if any(ranks) else UNSET
        case Integer():
            return number(text(), decimal_mark, 0) if text() else UNSET
        case Numeric():
            return number(text(), decimal_mark, question.decimals) if text() else UNSET
        case Date():
            return _date(text("year"), text("month"), text("day") if question.precision == "day" else None)
        case ShortText() | LongText():
            return text().replace("\r\n", "\n").replace("\r", "\n") or UNSET


def number(typed: str, decimal_mark: str, decimals: int) -> int | float | str:
    """A number as people write it: "1 250", "1.250,5", "1,250.5". What could mean two things stays as typed."""
    bare = _SPACES.sub("", typed)
    group_mark = "." if decimal_mark == "," else ","
    if re.fullmatch(rf"-?[0-9]{{1,3}}(\{group_mark}[0-9]{{3}})+(\{decimal_mark}[0-9]+)?", bare):
        bare = bare.replace(group_mark, "")
    if not re.fullmatch(rf"-?[0-9]{{1,15}}([.{decimal_mark}][0-9]{{1,10}})?", bare):
        return typed
    whole, _, fraction = bare.replace(decimal_mark, ".").partition(".")
    if len(fraction) == 3 and decimals < 3:
        return typed  # "1,250" where the comma is the decimal mark: a thousand to some, one and a quarter to others
    significant = fraction.rstrip("0")
    if len(significant) > decimals:
        return typed
    return float(f"{whole}.{significant}") if significant else int(whole)


def _date(year: str, month: str, day: str | None) -> str | UnsetType:
    """An ISO date; half a date keeps its hyphens, so that each part finds its field again."""
    parts = [year.replace("-", " "), month.replace("-", " ")] + ([] if day is None else [day.replace("-", " ")])
    if not any(parts):
        return UNSET
    padded = [part.zfill(2) if i and part.isdigit() else part for i, part in enumerate(parts)]
    return "-".join(padded)


def as_text(value: Any) -> str:
    """What a text field shows for this answer."""
    return value if isinstance(value, str) else ""


def as_number(value: Any, write: Any) -> str:
    """What a number field shows: numbers as the language writes them, anything else as it was typed."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return write(value, grouped=False)
    return as_text(value)


def as_codes(value: Any) -> list[str]:
    """What is ticked or ranked."""
    if not isinstance(value, list):
        return []
    return [item if isinstance(item, str) else "" for item in cast("list[Any]", value)]


def as_rows(value: Any) -> dict[str, str]:
    """What is chosen in each row of a matrix."""
    if not isinstance(value, dict):
        return {}
    return {row: code for row, code in cast("dict[str, Any]", value).items() if isinstance(code, str)}


def as_date(value: Any, parts: int) -> list[str]:
    """Year, month and, for three parts, day."""
    found = as_text(value).split("-") if isinstance(value, str) else []
    return [found[i] if i < len(found) else "" for i in range(parts)]
