"""Recount of computed values. Pure.

The definitions are those of docs/instrument.md, implemented again over plain JSON with fractions, one response at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from proto.instrument import NON_SUBSTANTIVE, Computed, ConstantSum, Instrument, Matrix, Single

Answers = Mapping[str, Any]


def computed_from(instrument: Instrument, answers: Answers) -> Answers:
    """Returns the answers with the computed values that there are of them."""
    values = {
        question.id: value
        for question in instrument.questions
        if isinstance(question, Computed) and (value := _value(question, instrument, answers)) is not None
    }
    return {**answers, **values} if values else answers


def _value(question: Computed, instrument: Instrument, answers: Answers) -> int | float | None:
    parts = [part for name in question.of for part in _parts(name, question.op == "count", instrument, answers)]
    known = [part for part in parts if part is not None]
    if not known or len(known) < question.least:
        return None
    total = sum(known, Fraction(0))
    match question.op:
        case "sum" | "count":
            exact = total
        case "mean":
            exact = total / len(known)
        case "score":
            exact = total / len(known) * len(parts)
        case "min":
            exact = min(known)
        case "max":
            exact = max(known)
    rounded = round(exact, question.decimals)
    return float(rounded) if question.decimals else int(rounded)


def _parts(name: str, counts: bool, instrument: Instrument, answers: Answers) -> Iterator[Fraction | None]:
    """Yields what each part is worth, None where it is absent or has no number."""
    id, _, row = name.partition(".")
    question, given = instrument.question(id), answers.get(id)
    if isinstance(question, Matrix):
        cells: dict[str, str] = given or {}
        worths = [_score(question, cells[item.code]) if item.code in cells else None for item in question.rows if row in ("", item.code)]
    elif isinstance(question, ConstantSum):
        shares: dict[str, int] | None = given
        worths = [None if shares is None else Fraction(shares.get(item.code, 0)) for item in question.rows if row in ("", item.code)]
    elif isinstance(given, list):
        yield Fraction(len(given))  # pyright: ignore[reportUnknownArgumentType]
        return
    elif isinstance(question, Single):
        worths = [None if given is None else _score(question, given)]
    else:
        worths = [None if given is None or isinstance(given, str) else Fraction(str(given))]
    yield from (Fraction(1) if counts and worth is not None else worth for worth in worths)


def _score(question: Matrix | Single, code: str) -> Fraction | None:
    """Returns the score that the code was given; else the number that it is, where all are different whole numbers, else its place. None
    for don't know and the like."""
    codes = [option.code for option in question.options if option.code not in NON_SUBSTANTIVE]
    if code not in codes:
        return None
    declared = {option.code: option.score for option in question.options}
    if any(score is not None for score in declared.values()):
        score = declared[code]
        return None if score is None else Fraction(score)
    whole = all(re.fullmatch("[+-]?[0-9]{1,9}", each) for each in codes) and len({int(each) for each in codes}) == len(codes)
    return Fraction(int(code) if whole else codes.index(code) + 1)
