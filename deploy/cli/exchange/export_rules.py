"""Rules as conditions of XLSForm and SurveyJS. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from typing import Protocol

from proto.instrument import AnyQuestion, ConstantSum, Date, Instrument, Matrix, Multiple, Rule


class Spelling(Protocol):
    """How a tool writes each test. `ref` is the name of a question, or of a row of one."""

    def equal(self, ref: str, value: str) -> str: ...
    def chosen(self, ref: str, code: str) -> str: ...
    def answered(self, ref: str) -> str: ...
    def compared(self, ref: str, op: str, value: str | float, date: bool) -> str: ...
    def value(self, ref: str) -> str: ...
    def number_of_choices(self, ref: str) -> str: ...
    def negated(self, inner: str) -> str: ...
    def row(self, name: str, row: str) -> str: ...


def condition(
    rule: Rule, instrument: Instrument, names: Mapping[str, str], rows: Mapping[str, Mapping[str, str]], spelling: Spelling
) -> str:
    """`names` and `rows` map ids of questions, and codes of their rows, to what the other tool calls them."""
    return _ConditionWriter(instrument, names, rows, spelling).rule(rule)


class _ConditionWriter:
    def __init__(self, instrument: Instrument, names: Mapping[str, str], rows: Mapping[str, Mapping[str, str]], spelling: Spelling) -> None:
        self.questions = {question.id: question for question in instrument.questions}
        self.derived = {derived.id: derived.rule for derived in instrument.derived}
        self.names = names
        self.rows = rows
        self.spelling = spelling

    def rule(self, rule: Rule) -> str:
        if rule.all:
            return _joined([self.rule(part) for part in rule.all], "and")
        if rule.any:
            return _joined([self.rule(part) for part in rule.any], "or")
        if rule.not_ is not None:
            return self.spelling.negated(self.rule(rule.not_))
        name = rule.q or ""
        if rule.op == "derived":
            inner = self.rule(self.derived[name])
            return inner if "1" in rule.value else self.spelling.negated(inner)
        return self.test(rule, self.names[name], self.questions.get(name))

    def test(self, rule: Rule, ref: str, question: AnyQuestion | None) -> str:
        spell, values = self.spelling, rule.value
        match rule.op:
            case "in":
                return _joined([spell.equal(ref, str(value)) for value in values], "or")
            case "not_in":
                return spell.negated(_joined([spell.equal(ref, str(value)) for value in values], "or"))
            case "any_in":
                return _joined([spell.chosen(ref, str(value)) for value in values], "or")
            case "any_row_in" if isinstance(question, Matrix):
                asked = rule.rows or tuple(row.code for row in question.rows)
                parts = [spell.equal(self.row(question, ref, row), str(value)) for row in asked for value in values]
                return _joined(parts, "or")
            case "answered" if isinstance(question, Matrix | ConstantSum):
                return _joined([spell.answered(self.row(question, ref, row.code)) for row in question.rows], "or")
            case "answered":
                return spell.answered(ref)
            case "same_as" | "before":
                return f"{spell.value(ref)} {'=' if rule.op == 'same_as' else '<'} {spell.value(self.names[rule.other or ''])}"
            case "at_least" | "at_most":
                return self.bound(question, ref, ">=" if rule.op == "at_least" else "<=", values[0])
            case "between":
                return _joined([self.bound(question, ref, ">=", values[0]), self.bound(question, ref, "<=", values[-1])], "and")
            case _:
                raise AssertionError(f"no rule has the operation {rule.op}")

    def row(self, question: Matrix | ConstantSum, ref: str, code: str) -> str:
        return self.spelling.row(ref, self.rows[question.id][code])

    def bound(self, question: AnyQuestion | None, ref: str, op: str, value: str | float) -> str:
        if isinstance(question, Multiple):
            return f"{self.spelling.number_of_choices(ref)} {op} {value}"
        return self.spelling.compared(ref, op, value, isinstance(question, Date))


def _joined(parts: list[str], joint: str) -> str:
    return parts[0] if len(parts) == 1 else f"({f' {joint} '.join(parts)})"


def _quoted(text: str) -> str:
    return f"'{text}'"


class XPath:
    def equal(self, ref: str, value: str) -> str:
        return f"${{{ref}}} = {_quoted(value)}"

    def chosen(self, ref: str, code: str) -> str:
        return f"selected(${{{ref}}}, {_quoted(code)})"

    def answered(self, ref: str) -> str:
        return f"${{{ref}}} != ''"

    def compared(self, ref: str, op: str, value: str | float, date: bool) -> str:
        return f"${{{ref}}} {op} date({_quoted(whole_day(str(value), op))})" if date else f"${{{ref}}} {op} {value}"

    def negated(self, inner: str) -> str:
        return f"not({inner})"

    def row(self, name: str, row: str) -> str:
        return row

    def value(self, ref: str) -> str:
        return f"${{{ref}}}"

    def number_of_choices(self, ref: str) -> str:
        return f"count-selected(${{{ref}}})"

    def either(self, condition: str, yes: str, no: str) -> str:
        return f"if({condition}, {yes}, {no})"

    def divided(self, one: str, other: str) -> str:
        return f"({one}) div ({other})"


class SurveyJs:
    def equal(self, ref: str, value: str) -> str:
        return f"{{{ref}}} = {_quoted(value)}"

    def chosen(self, ref: str, code: str) -> str:
        return f"{{{ref}}} contains {_quoted(code)}"

    def answered(self, ref: str) -> str:
        return f"{{{ref}}} notempty"

    def compared(self, ref: str, op: str, value: str | float, date: bool) -> str:
        """A month is a text there, "2026-11", and a year a number."""
        return f"{{{ref}}} {op} {_quoted(str(value))}" if date and len(str(value)) > 4 else f"{{{ref}}} {op} {value}"

    def negated(self, inner: str) -> str:
        return f"!({inner})"

    def row(self, name: str, row: str) -> str:
        return f"{name}.{row}"

    def value(self, ref: str) -> str:
        return f"{{{ref}}}"

    def number_of_choices(self, ref: str) -> str:
        return f"{{{ref}.length}}"

    def either(self, condition: str, yes: str, no: str) -> str:
        return f"iif({condition}, {yes}, {no})"

    def divided(self, one: str, other: str) -> str:
        return f"({one}) / ({other})"


def whole_day(text: str, op: str) -> str:
    """A whole day: of a month or year the first, or the last where it is an upper end."""
    if len(text) == 10:
        return text
    year, month = int(text[:4]), int(text[5:7] or (12 if op == "<=" else 1))
    day = calendar.monthrange(year, month)[1] if op == "<=" else 1
    return f"{year:04}-{month:02}-{day:02}"
