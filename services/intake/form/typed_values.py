"""Converts typed form fields to answers, or back. Pure.

Text that cannot be an answer stays as it was typed: `proto.answers.Reader` finds the fault, and the page shows the text again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, assert_never, cast

from msgspec import UNSET, UnsetType

from proto.blank import is_blank
from proto.instrument import (
    AnyQuestion,
    ConstantSum,
    Date,
    Integer,
    LongText,
    Matrix,
    Measured,
    Multiple,
    Numeric,
    Ranking,
    ShortText,
    Single,
    special_codes,
)

Fields = Mapping[str, list[str]]

NONE = "[]"
"""The value of the box that says none of the options applies: no option can have this code."""

SPECIAL = "special"
"""The part of a number's or date's field that holds the special values: "q.A01.special"."""

EDGES = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""White space that is removed at both ends of an answer: the same that JavaScript's `trim` removes."""
_ALIKE = str.maketrans("\u2212\ufe63\uff0d\uff0c\uff0e\u2019" + "".join(map(chr, range(0xFF10, 0xFF1A))), "---,.'0123456789")
"""Maps minus signs, full-width digits and marks, and the typographic apostrophe to ASCII."""
_BLANKS = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")


def name(question: AnyQuestion, part: str | int | None = None) -> str:
    """The name of a form field: "q.A01", "q.B02.anpr" for a row, "q.F04.1" for a rank, "q.B05.year" for a part of a date."""
    return f"q.{question.id}" if part is None else f"q.{question.id}.{part}"


def narrow(question: Matrix, row: str) -> str:
    """The name of the list that stands for a row on a narrow screen: "narrow.B02.anpr"."""
    return f"narrow.{question.id}.{row}"


def shown(fields: Fields) -> frozenset[str] | None:
    """The ids of the questions that the page showed when it was sent; None from a page without scripts, which cannot change them."""
    return frozenset(fields["shown"][0].split()) if "shown" in fields else None


def new(fields: Fields) -> frozenset[str]:
    """The ids of the questions that the page marked as new when it was sent."""
    return frozenset(fields.get("new", [""])[0].split())


def read(question: AnyQuestion, fields: Fields, marks: str, former: object = UNSET) -> Any | UnsetType:
    """The answer in these fields, UNSET where they are empty or have only invisible characters. For `marks` see `number`.

    `former`: the answer that the page was made with. An unreadable number stays as it was typed until it is typed anew, even where
    another language could read it.
    """

    def text(part: str | int | None = None) -> str:
        return fields.get(name(question, part), [""])[0].strip(EDGES)

    match question:
        case Single():
            return text() or UNSET
        case Multiple():
            chosen = list(dict.fromkeys(value for value in fields.get(name(question), []) if value))
            if chosen == [NONE] and offers_none(question):
                return []
            return chosen[: len(question.options) + 1] or UNSET  # one more than there are is enough to be refused
        case Matrix():
            earlier = as_rows(former)
            rows = (
                (row.code, _cell(text(row.code), fields.get(narrow(question, row.code)), earlier.get(row.code, "")))
                for row in question.rows
            )
            return {row: value for row, value in rows if value} or UNSET
        case Ranking():
            ranks = [text(rank) for rank in range(1, question.rank_count + 1)]
            return ranks if any(ranks) else UNSET
        case ConstantSum():
            before = as_numbers(former)
            typed_rows = {row.code: typed for row in question.rows if (typed := text(row.code))}
            return {code: typed if typed == before.get(code) else number(typed, marks, 0) for code, typed in typed_rows.items()} or UNSET
        case Integer() | Numeric():
            typed = text()
            if typed and typed != as_measured(former)[0]:
                return _measured(question, number(typed, marks, question.decimals if isinstance(question, Numeric) else 0), fields)
            return _measured(question, typed or UNSET, fields)
        case Date():
            return _measured(question, _date([text(part) for part in date_parts(question)]), fields)
        case ShortText() | LongText():
            return UNSET if is_blank(typed := text()) else typed.replace("\r\n", "\n").replace("\r", "\n")
        case _:
            assert_never(question)


def _cell(wide: str, narrow: list[str] | None, former: str) -> str:
    """The choice in a row that a page without scripts sends twice, as buttons and as a list: only one of the two was to be seen."""
    listed = narrow[0].strip(EDGES) if narrow else former
    return wide if listed == former else listed


def number(typed: str, marks: str, decimals: int) -> int | float | str:
    """A number as people write it: "1 250", "1.250,5", "1,250.5". Ambiguous text is returned unchanged.

    `marks`: the language's decimal mark, followed by its thousands mark if that is a point or a comma. In every language the other one of
    the two is read as a thousands mark where nothing else is possible: twice, or before the decimal mark.
    """
    decimal, other = marks[0], "." if marks[0] == "," else ","
    bare = _BLANKS.sub(" ", typed.translate(_ALIKE)).strip().replace("- ", "-")
    for between, ends in ((" ", f".{decimal}"), ("'", f".{decimal}"), (other, decimal)):
        if match := re.fullmatch(rf"-?[1-9][0-9]{{0,2}}((?:\{between}[0-9]{{3}})+)([{ends}][0-9]+)?", bare):
            if between == other and len(match[1]) == 4 and not match[2] and (decimals > 2 or other not in marks):
                return typed  # "1,250" with three decimals: a thousand to some, one and a quarter to others
            bare = bare.replace(between, "")
            break
    if not (match := re.fullmatch(rf"(-?[0-9]{{1,15}})(?:([.{decimal}])([0-9]{{1,10}}))?", bare)):
        return typed
    whole, mark, fraction = match[1], match[2], match[3] or ""
    if len(fraction) == 3 and (decimals < 3 or mark != decimal):
        return typed  # also ambiguous: the mark may be the decimal one
    significant = fraction.rstrip("0")
    if len(significant) > decimals:
        return typed
    return float(f"{whole}.{significant}") if significant else int(whole)


def _measured(question: Measured, typed: Any | UnsetType, fields: Fields) -> Any | UnsetType:
    """The number or date, or the special value that is ticked in its place; both, for `Reader` to refuse, where there is more than one."""
    codes = special_codes(question)
    ticked = [code for code in dict.fromkeys(fields.get(name(question, SPECIAL), [])) if code in codes]
    if not ticked:
        return {"typed": typed} if isinstance(typed, str) and typed in codes else typed
    return ticked[0] if typed is UNSET and len(ticked) == 1 else {"typed": "" if typed is UNSET else typed, SPECIAL: ticked}


def offers_none(question: Multiple) -> bool:
    """Whether the form has a box for "none of these": it is an answer, and no option says so already."""
    return question.min_choices == 0 and not question.required and not any(option.exclusive for option in question.options)


def date_parts(question: Date) -> tuple[str, ...]:
    """The parts of a date that are asked for, the greatest first."""
    return ("year", "month", "day")[: {"year": 1, "month": 2, "day": 3}[question.precision]]


def _date(typed: list[str]) -> str | UnsetType:
    """An ISO date. An incomplete date keeps its hyphens, so that each part returns to its field."""
    parts = [part.replace("-", " ") for part in typed]
    if not any(parts):
        return UNSET
    padded = [part.zfill(2) if i and part.isdigit() else part for i, part in enumerate(parts)]
    return "-".join(padded)


def as_text(value: Any) -> str:
    """The text that a text field shows for this answer."""
    return value if isinstance(value, str) else ""


def as_number(value: Any, write: Any) -> str:
    """The text that a number field shows: numbers as the language writes them, other text as it was typed. `write`: `Words.number`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return write(value, grouped=False)
    return as_text(value)


def as_measured(value: Any) -> tuple[Any, list[str]]:
    """What was typed and which special values were ticked, of an answer that has both; any other answer is what was typed."""
    if not isinstance(value, dict):
        return value, []
    both = cast("dict[str, Any]", value)
    return both.get("typed", ""), as_codes(both.get(SPECIAL))


def as_codes(value: Any) -> list[str]:
    """The codes that are ticked, or ranked in order."""
    if not isinstance(value, list):
        return []
    return [item if isinstance(item, str) else "" for item in cast("list[Any]", value)]


def as_rows(value: Any) -> dict[str, str]:
    """The chosen code of each row of a matrix."""
    if not isinstance(value, dict):
        return {}
    return {row: code for row, code in cast("dict[str, Any]", value).items() if isinstance(code, str)}


def as_numbers(value: Any) -> dict[str, Any]:
    """The number of each row that has one; text that is none stays as it was typed."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_date(value: Any, parts: int) -> list[str]:
    """Year, month and, for three parts, day."""
    typed = as_text(value).split("-") if isinstance(value, str) else []
    return [typed[i] if i < len(typed) else "" for i in range(parts)]
