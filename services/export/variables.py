"""The variables of a release: what each question becomes as columns of a flat table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from msgspec import UNSET

from proto.answers import Reader
from proto.instrument import (
    AnyQuestion,
    Band,
    Date,
    Hierarchy,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    Role,
    ShortText,
    Single,
    Texts,
)
from proto.logic import row_attribute

MISSING = "_missing"
"""The question was shown and left out."""
SKIPPED = "_skipped"
"""Skip logic hid the question, or the respondent's version did not have it."""
ABSENT_LABELS: dict[str, Texts] = {
    MISSING: {"en": "not answered", "fr": "sans réponse", "es": "sin respuesta"},
    SKIPPED: {"en": "not asked", "fr": "question non posée", "es": "no preguntado"},
}

Value = Callable[[Any], str]
Ladder = list[dict[str, str]]


@dataclass(frozen=True)
class Variable:
    """One column. `labels` explains its codes; `value` reads the code from the answer to the question."""

    name: str
    question: str
    text: Texts
    role: Role
    labels: dict[str, Texts]
    value: Value
    hierarchy: Hierarchy | None = None
    bands: tuple[Band, ...] = ()

    def ladder(self) -> Ladder:
        """What each code becomes at each level of the hierarchy between the answer itself and "*"; empty without hierarchy."""
        if self.hierarchy is None:
            return []
        between = range(1, len(self.hierarchy.levels) - 1)
        if self.hierarchy.rule == "table":
            return [{code: parents[level - 1] for code, parents in self.hierarchy.table.items()} for level in between]
        return [{band.code: _wider(band, self.hierarchy, level) for band in self.bands} for level in between]


def variables(questions: Iterable[AnyQuestion], hierarchies: dict[str, Hierarchy]) -> list[Variable]:
    """The columns of a table without identifying and free-text questions, in the questionnaire's order.

    Numbers and dates appear as their bands: an exact number can be as telling as a name.
    """
    found: list[Variable] = []
    for question in questions:
        if question.privacy.role not in ("identifying", "free_text"):
            found += _of(question, hierarchies)
    return found


def table(columns: list[Variable], rows: Iterable[tuple[Reader, Any]]) -> pd.DataFrame:
    """One row per response, one column of codes per variable. `rows`: the reader of its version, and its answers."""
    values: dict[str, list[str]] = {column.name: [] for column in columns}
    for reader, answers in rows:
        for column in columns:
            values[column.name].append(_code(column, reader, answers))
    return pd.DataFrame({name: pd.Series(codes, dtype="object") for name, codes in values.items()})


def _code(column: Variable, reader: Reader, answers: Any) -> str:
    given = getattr(answers, column.question, None)
    if given is None:
        return SKIPPED
    if given is UNSET:
        return MISSING if reader.visible(answers, column.question) else SKIPPED
    return column.value(given)


def _of(question: AnyQuestion, hierarchies: dict[str, Hierarchy]) -> list[Variable]:
    hierarchy = hierarchies[question.privacy.hierarchy] if question.privacy.hierarchy else None

    def column(name: str, text: Texts, labels: dict[str, Texts], value: Value, bands: tuple[Band, ...] = ()) -> Variable:
        return Variable(name, question.id, text, question.privacy.role, labels, value, hierarchy, bands)

    def banded(bands: tuple[Band, ...], number: Callable[[Any], float]) -> list[Variable]:
        return [column(question.var, question.text, {band.code: {} for band in bands}, _banded(bands, number), bands)]

    match question:
        case Single():
            return [column(question.var, question.text, _labels(question.options), lambda given: given)]
        case Multiple():
            return [
                column(f"{question.var}.{option.code}", _join(question.text, option.text), _YES_NO, _chosen(option.code))
                for option in question.options
            ]
        case Matrix():
            return [
                column(f"{question.var}.{row.code}", _join(question.text, row.text), _labels(question.options), _in_row(i))
                for i, row in enumerate(question.rows)
            ]
        case Ranking():
            return [
                column(f"{question.var}.{place + 1}", question.text, _labels(question.options), _at(place))
                for place in range(question.rank_count)
            ]
        case Integer() | Numeric():
            return banded(question.bands, float)
        case Date():
            return banded(question.bands, _year)
        case ShortText() | LongText():
            return []


def _wider(band: Band, hierarchy: Hierarchy, level: int) -> str:
    """The band of this level in which a published band lies. Levels finer than what is published change nothing."""
    finer = len(hierarchy.levels) - 2 - len(hierarchy.bands)
    if level <= finer:
        return band.code
    holding = [wide.code for wide in hierarchy.bands[level - finer - 1] if wide.lower <= band.lower]
    return holding[-1] if holding else band.code


_YES_NO: dict[str, Texts] = {"1": {"en": "yes", "fr": "oui", "es": "sí"}, "0": {"en": "no", "fr": "non", "es": "no"}}


def _labels(options: tuple[Any, ...]) -> dict[str, Texts]:
    return {option.code: option.text for option in options}


def _join(question: Texts, part: Texts) -> Texts:
    return {language: f"{text}: {part.get(language, '')}" for language, text in question.items()}


def _chosen(code: str) -> Value:
    return lambda given: "1" if code in given else "0"


def _in_row(index: int) -> Value:
    attribute = row_attribute(index)

    def value(given: Any) -> str:
        code = getattr(given, attribute, UNSET)
        return MISSING if code is UNSET else str(code)

    return value


def _at(place: int) -> Value:
    return lambda given: given[place] if place < len(given) else MISSING


def _banded(bands: tuple[Band, ...], number: Callable[[Any], float]) -> Value:
    def value(given: Any) -> str:
        found = MISSING
        for band in bands:
            if number(given) < band.lower:
                break
            found = band.code
        return found

    return value


def _year(date: Any) -> float:
    return float(str(date)[:4])
