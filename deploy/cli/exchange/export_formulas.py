"""Computed values as calculations of XLSForm and SurveyJS: absent where ours are, and the same where these round a half as we do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from proto.instrument import AnyQuestion, Computed, Instrument, Matrix, Multiple, Single
from proto.scores import scored

_NOTHING = "1000000000000000"
"""Further off than any number that can be given."""


class FormulaSpelling(Protocol):
    """How a tool writes the parts of a calculation. `ref` is the name of a question, or of a row of one."""

    def value(self, ref: str) -> str: ...
    def number_of_choices(self, ref: str) -> str: ...
    def equal(self, ref: str, value: str) -> str: ...
    def answered(self, ref: str) -> str: ...
    def either(self, condition: str, yes: str, no: str) -> str: ...
    def divided(self, one: str, other: str) -> str: ...
    def row(self, name: str, row: str) -> str: ...


def calculation(
    question: Computed, instrument: Instrument, names: Mapping[str, str], rows: Mapping[str, Mapping[str, str]], spelling: FormulaSpelling
) -> str:
    """`names` and `rows` map ids of questions, and codes of their rows, to what the other tool calls them."""
    questions = {asked.id: asked for asked in instrument.questions}
    parts: list[tuple[str, str]] = []
    for named in question.of:
        id, _, row = named.partition(".")
        asked = questions[id]
        if isinstance(asked, Matrix):
            codes = [row] if row else [item.code for item in asked.rows]
            parts += [_part(asked, spelling.row(names[id], rows[id][code]), spelling, question.op) for code in codes]
        else:
            parts.append(_part(asked, names[id], spelling, question.op))
    known = " + ".join(spelling.either(condition, "1", "0") for condition, _ in parts)
    total = " + ".join(spelling.either(condition, worth, "0") for condition, worth in parts)
    match question.op:
        case "sum" | "count":
            value = total
        case "mean":
            value = spelling.divided(total, known)
        case "score":
            value = spelling.divided(f"({total}) * {len(parts)}", known)
        case "min":
            value = f"min({', '.join(spelling.either(condition, worth, _NOTHING) for condition, worth in parts)})"
        case "max":
            value = f"max({', '.join(spelling.either(condition, worth, f'-{_NOTHING}') for condition, worth in parts)})"
    return spelling.either(f"{known} >= {max(1, question.least)}", f"round({value}, {question.decimals})", "''")


def _part(question: AnyQuestion, ref: str, spelling: FormulaSpelling, op: str) -> tuple[str, str]:
    """When an answer counts, and what it is worth."""
    if isinstance(question, Single | Matrix):
        table = scored(question)
        condition = " or ".join(spelling.equal(ref, code) for code, _ in table)
        worth = "0"
        for code, score in reversed(table):
            worth = spelling.either(spelling.equal(ref, code), str(score), worth)
        return f"({condition})", "1" if op == "count" else worth
    if isinstance(question, Multiple):
        return spelling.answered(ref), spelling.number_of_choices(ref)
    return spelling.answered(ref), "1" if op == "count" else spelling.value(ref)
