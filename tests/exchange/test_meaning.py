"""A rule that is written as a condition of another tool and read again holds for the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice, product
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from msgspec import UNSET

from deploy.cli.exchange.export_rules import SurveyJs, XPath, condition
from deploy.cli.exchange.export_xlsform import Called
from deploy.cli.exchange.expressions.dialects import SURVEYJS, XLSFORM
from deploy.cli.exchange.expressions.parser import parse
from deploy.cli.exchange.expressions.rules import Scope, Target, translate
from proto.answers import Reader
from proto.instrument import (
    AnyQuestion,
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    Rule,
    Single,
)
from proto.logic import compile_rule
from tests.exchange.questionnaires import questionnaires


def target(question: AnyQuestion) -> Target:
    codes = {option.code: option.code for option in getattr(question, "options", ())}
    rows = {row.code: row.code for row in getattr(question, "rows", ())}
    match question:
        case Single():
            return Target(id=question.id, kind="single", codes=codes)
        case Multiple():
            return Target(id=question.id, kind="multiple", codes=codes)
        case Matrix():
            return Target(id=question.id, kind="matrix", codes=codes, rows=rows)
        case Ranking():
            return Target(id=question.id, kind="ranking", codes=codes)
        case ConstantSum():
            return Target(id=question.id, kind="shares", rows=rows)
        case Computed():
            return Target(id=question.id, kind="computed")
        case Integer() | Numeric():
            places = question.decimals if isinstance(question, Numeric) else 0
            return Target(id=question.id, kind="number", step=Decimal(10) ** -places, specials=codes_beside(question))
        case Date():
            return Target(id=question.id, kind="date", digits=len(question.min), specials=codes_beside(question))
        case _:
            return Target(id=question.id, kind="text")


def codes_beside(question: Integer | Numeric | Date) -> dict[str, str]:
    return {special.code: special.code for special in question.special}


def given_to(question: AnyQuestion) -> list[Any]:
    """Some answers to a question, none among them."""
    codes = [option.code for option in getattr(question, "options", ())]
    match question:
        case Single():
            return [UNSET, *codes]
        case Multiple():
            return [UNSET, *([code] for code in codes), codes[:2], codes]
        case Matrix():
            return [UNSET, *({row.code: code} for row in question.rows for code in codes)]
        case Integer() | Numeric():
            return [UNSET, 2, 3, 4, 5, 6, *codes_beside(question)]
        case Date():
            late = "2030-12-31"[: len(question.min)]
            return [UNSET, question.min, late, *codes_beside(question)]
        case Ranking():
            return [UNSET, codes[: question.rank_count]]
        case ConstantSum():
            shares = {row.code: 0 for row in question.rows}
            return [UNSET, shares | {question.rows[0].code: question.total}]
        case _:
            return [UNSET, "x"]


def mentioned(rule: Rule) -> set[str]:
    inner = [*rule.all, *rule.any, *([rule.not_] if rule.not_ else [])]
    return {name for part in inner for name in mentioned(part)} | {name for name in (rule.q, rule.other) if name}


def answers(instrument: Instrument, names: list[str]) -> Iterator[Any]:
    """Decoded answers to these questions in every combination, as many as there is patience for."""
    reader = Reader(instrument)
    for values in islice(product(*(given_to(instrument.question(name)) for name in names)), 300):
        chosen = {name: value for name, value in zip(names, values, strict=True) if value is not UNSET}
        decoded, _ = reader.convert(chosen)
        yield decoded


@pytest.mark.parametrize(("value", "there"), [("1999", "1999"), ("1999-02", "'1999-02'"), ("1999-02-03", "'1999-02-03'")])
def test_surveyjs_compares_years_as_numbers_and_months_and_days_as_texts(value: str, there: str) -> None:
    assert SurveyJs().compared("y", ">=", value, date=True) == f"{{y}} >= {there}"


@pytest.mark.parametrize("tool", ["XLSForm", "SurveyJS"])
@settings(deadline=None, max_examples=60, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(written=questionnaires())
def test_a_rule_that_goes_out_and_comes_back_holds_for_the_same_answers(tool: str, written: tuple[str, Instrument]) -> None:
    _, instrument = written
    called = Called(instrument)
    targets = {called.questions[question.id]: target(question) for question in instrument.questions}
    questions = {question.id: question for question in instrument.questions}
    if tool == "XLSForm":
        names = {row: (called.questions[id], code) for id, rows in called.rows.items() for code, row in rows.items()}
        scope, rows, spelling, dialect = Scope(targets=targets, parts=names), called.rows, XPath(), XLSFORM
    else:
        rows = {id: {code: code for code in named} for id, named in called.rows.items()}
        scope, spelling, dialect = Scope(targets=targets, loose=True), SurveyJs(), SURVEYJS
    for question in instrument.questions:
        if question.show_if is None or isinstance(question, Computed) or any("." in code for named in rows.values() for code in named):
            continue
        back = translate(parse(dialect, condition(question.show_if, instrument, called.questions, rows, spelling)), scope).rule
        assert isinstance(back, dict)
        one = compile_rule(question.show_if, questions, {})
        other = compile_rule(msgspec.convert(back, Rule), questions, {})
        for decoded in answers(instrument, sorted(mentioned(question.show_if))):
            assert one(decoded) == other(decoded), (question.show_if, back, decoded)
