"""What a row says is true: held against the answers as they were given, by other code than that which turned them into codes.

Claim: of the responses that are looked at, each code that protection starts from is the answer itself, or a band that holds it, or says
that the question was left out, or hidden, where it was. `release` holds every released cell against these codes in turn: it is the same, or
coarser, or withheld. So no released value is untrue. Looked at are some of each batch, and all of a short survey; a fault of a question or
of a type of question shows in any of them. Assumes that the current version's rules decide whether a question was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, assert_never

import numpy as np
import pandas as pd
from msgspec import UNSET
from numpy.typing import NDArray

from proto.instrument import (
    AnyQuestion,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    ShortText,
    Single,
    special_codes,
)
from proto.logic import compile_rule, row_attribute
from services.export.dataset.variables import MISSING, SKIPPED, Variable
from services.export.gate.quasi_identifiers import members

ALL, SOME = 500, 16
"""The first responses are all looked at, of each later batch some."""

Told = Callable[[Any], str]
Codes = NDArray[np.integer[Any]]


class Untrue(Exception):
    """A released column differs from what respondents answered: a fault in this program. Nothing may be released."""


class Witness:
    """Recomputes what each column must hold for a response to this version of the questionnaire."""

    def __init__(self, instrument: Instrument, columns: Sequence[Variable]) -> None:
        questions = {question.id: question for question in instrument.questions}
        derived = {item.id: item for item in instrument.derived}
        self._columns, self._seen = columns, 0
        self._told = [
            _teller(column, compile_rule(column.rule, questions, derived) if column.rule is not None else _always) for column in columns
        ]

    def judge(self, answers: Sequence[Any], codes: Codes) -> None:
        """Compares codes with answers. `codes[c][r]`: of column c and response r, as a place among the column's codes. Raises Untrue."""
        many = len(answers) if self._seen < ALL else SOME
        self._seen += len(answers)
        for column, tell, places in zip(self._columns, self._told, codes, strict=True):
            for given, place in zip(answers[:many], places[:many].tolist(), strict=True):
                if column.codes[place] != tell(given):
                    raise Untrue(f"The column {column.name} would tell something else than was answered.")


def _always(_: Any) -> bool:
    return True


def _teller(column: Variable, shown: Callable[[Any], bool]) -> Told:
    """Returns a function from answers to the code that this column must hold."""
    id, value = column.question.id, _value(column)

    def tell(answers: Any) -> str:
        given = getattr(answers, id)
        code = MISSING if given is UNSET or given is None else value(given)
        return SKIPPED if code == MISSING and not shown(answers) else code

    return tell


def _value(column: Variable) -> Callable[[Any], str]:
    """Of an answer that was given."""
    question: AnyQuestion = column.question
    last = column.name.removeprefix(f"{question.var}.")
    match question:
        case Single():
            return str
        case Multiple():
            return lambda given: "1" if last in given else "0"
        case Matrix():
            attribute = row_attribute(next(place for place, row in enumerate(question.rows) if row.code == last))
            return lambda given: MISSING if getattr(given, attribute) is UNSET else getattr(given, attribute)
        case Ranking():
            return lambda given: given[int(last) - 1]
        case ConstantSum():
            share = row_attribute(next(place for place, row in enumerate(question.rows) if row.code == last))
            return lambda given: _band(column, getattr(given, share))
        case Integer() | Numeric():
            return lambda given: given if isinstance(given, str) else _band(column, given)
        case Date():
            special = special_codes(question)
            return lambda given: given if given in special else _band(column, int(given[:4]))
        case ShortText() | LongText():
            return lambda given: MISSING
        case _:
            assert_never(question)


def _band(column: Variable, number: float) -> str:
    """Bands have no gaps in what can be answered: a number between the ends of two belongs to the lower."""
    holding = [band for band in column.bands if band.lower <= number]
    beyond = not holding or (holding[-1] is column.bands[-1] and holding[-1].upper is not None and holding[-1].upper < number)
    return MISSING if beyond else holding[-1].code


def unlike(columns: Sequence[Variable], given: Callable[[Variable], Codes], released: pd.DataFrame) -> str | None:
    """The first column in which a released cell is neither what was given, nor neighbours that hold it, nor withheld.

    `given`: places among the column's codes, row by row as in `released`."""
    for column in columns:
        shown = pd.Categorical(released[column.name], copy=False)
        if not members(column, [*shown.categories])[shown.codes, given(column)].all():
            return column.name
    return None
