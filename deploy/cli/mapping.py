"""From the cells of a row to answers: the question of each column, the code of each label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, assert_never, cast

import msgspec

from deploy.cli.rows import OURS
from proto.instrument import AnyQuestion, Date, Instrument, Integer, LongText, Matrix, Multiple, Numeric, Ranking, ShortText, Single

YES = frozenset({"1", "true", "yes", "y", "x"})
NO = frozenset({"0", "false", "no", "n"})


class ColumnMapping(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one column means. `codes` turns labels into codes; without it cells hold codes already.

    `row`: of a matrix. `option`: the cell says whether this option of a multiple choice was chosen, or its place in a ranking.
    """

    question: str
    row: str | None = None
    option: str | None = None
    codes: dict[str, str] = {}


class UnfitHeader(ValueError):
    """The columns do not fit the survey; the message says which and why."""


def from_header(columns: list[str], instrument: Instrument) -> dict[str, ColumnMapping]:
    """Columns named as the survey names its questions: `A01`, `B08.cost`, `B02.cctv`. Raises UnfitHeader."""
    known = {question.id: question for question in instrument.questions}
    mappings: dict[str, ColumnMapping] = {}
    for name in columns:
        id, dot, part = name.partition(".")
        question = known.get(id)
        if name in OURS or name == "language":
            continue
        if question is None:
            raise UnfitHeader(f"{name!r} is no question of {instrument.id}")
        if dot and part not in _parts(question):
            raise UnfitHeader(f"{id} has no {'row' if isinstance(question, Matrix) else 'option'} {part!r}")
        if isinstance(question, Matrix) and not dot:
            raise UnfitHeader(f"{id} is a matrix: name a row, such as {id}.{question.rows[0].code}")
        mappings[name] = ColumnMapping(id, part or None) if isinstance(question, Matrix) else ColumnMapping(id, option=part or None)
    return mappings


def agreeing(map_: Mapping[str, ColumnMapping], columns: list[str], instrument: Instrument) -> dict[str, ColumnMapping]:
    """The map, checked against the survey and the file's header. Raises UnfitHeader."""
    known = {question.id: question for question in instrument.questions}
    for name, column in map_.items():
        question = known.get(column.question)
        if question is None:
            raise UnfitHeader(f"the map sends {name!r} to {column.question!r}, which is no question of {instrument.id}")
        if name not in columns:
            raise UnfitHeader(f"the map names the column {name!r}, which the file does not have")
        part = column.row or column.option
        if part is not None and part not in _parts(question):
            raise UnfitHeader(f"the map sends {name!r} to {column.question}.{part}, which does not exist")
    return dict(map_)


def answers(cells: Mapping[str, str], columns: Mapping[str, ColumnMapping], instrument: Instrument) -> tuple[dict[str, Any], list[str]]:
    """Returns the answers in one row and the reasons for unreadable cells. Intake validates the answers."""
    known = {question.id: question for question in instrument.questions}
    values: dict[str, Any] = {}
    reasons: list[str] = []
    for name, column in columns.items():
        cell = cells.get(name, "")
        if not cell:
            continue
        if column.codes and cell not in column.codes:
            reasons.append(f"{name}: the map has no code for this label")
            continue
        reason = _put(values, known[column.question], column, column.codes.get(cell, cell))
        if reason:
            reasons.append(f"{name}: {reason}")
    for id, value in values.items():
        if isinstance(known[id], Ranking) and isinstance(value, dict):
            places = cast("dict[str, int]", value)
            values[id] = sorted(places, key=lambda option: (places[option], option))
    return {id: value for id, value in values.items() if value != [] or _none_applies(known[id])}, reasons


def _none_applies(question: AnyQuestion) -> bool:
    """Whether a row with "no" for every option is an answer to this question."""
    return isinstance(question, Multiple) and (question.min_choices == 0 or question.required)


def _put(values: dict[str, Any], question: AnyQuestion, column: ColumnMapping, cell: str) -> str:
    """Adds the value of a cell to `values`. Returns why it has none, or ""."""
    id = question.id
    match question:
        case Matrix():
            values.setdefault(id, {})[column.row] = cell
        case Multiple() if column.option is not None:
            if cell.lower() not in YES | NO:
                return "give 1 or 0"
            values.setdefault(id, []).extend([column.option] if cell.lower() in YES else [])
        case Ranking() if column.option is not None:
            if not cell.isdecimal():
                return "give the rank, such as 1"
            values.setdefault(id, {})[column.option] = int(cell)
        case Multiple() | Ranking():
            codes = [cell] if column.codes else [code.strip() for code in cell.split(";") if code.strip()]
            values.setdefault(id, []).extend(code for code in codes if code not in values[id] or isinstance(question, Ranking))
        case Integer() | Numeric():
            number = _number(cell)
            if number is None:
                return "this is not a number"
            values[id] = number
        case Single() | Date() | ShortText() | LongText():
            values[id] = cell
        case _:
            assert_never(question)
    return ""


def _number(cell: str) -> int | float | None:
    """Whole numbers stay whole; a decimal comma is understood, thousands separators are not guessed at."""
    match = re.fullmatch(r"([+-]?[0-9]{1,15})(?:[.,]([0-9]{1,15}))?", cell)
    if match is None:
        return None
    whole, fraction = match.groups()
    return float(f"{whole}.{fraction}") if fraction and fraction.strip("0") else int(whole)


def _parts(question: AnyQuestion) -> set[str]:
    if isinstance(question, Matrix):
        return {row.code for row in question.rows}
    return {option.code for option in question.options} if isinstance(question, Multiple | Ranking | Single) else set()
