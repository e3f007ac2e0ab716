"""A computed value that is written as a calculation of another tool has the value that it has here, for all answers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, assert_never

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from deploy.cli.exchange.export_formulas import calculation
from deploy.cli.exchange.export_rules import SurveyJs, XPath
from deploy.cli.exchange.expressions.dialects import SURVEYJS, XLSFORM
from deploy.cli.exchange.expressions.parser import parse
from deploy.cli.exchange.expressions.tree import Binary, Call, Listed, Literal, Negation, Node, Ref, Truth
from proto import author
from proto.answers import Reader
from proto.computed import ComputedFormula
from proto.instrument import Computed, Instrument
from tests.builders.no_table import no_table

SURVEY = """\
format: platea-instrument/2
id: computing
version: 1.0.0
source_language: en
languages: [en]
title: {en: Computing}
sections: [{id: A, text: {en: A}}]
questions:
  - {id: S, var: s, section: A, type: single, ordered: true, text: {en: S}, privacy: {role: insensitive}, stats: [count],
     options: [{code: "5", en: Five}, {code: "2", en: Two}, {code: dk, en: "Don't know"}]}
  - {id: W, var: w, section: A, type: single, ordered: true, text: {en: W}, privacy: {role: insensitive}, stats: [count],
     options: [{code: low, en: Low, score: -2}, {code: high, en: High, score: 7}, {code: na, en: "Not applicable"}]}
  - {id: M, var: m, section: A, type: multiple, text: {en: M}, privacy: {role: insensitive}, stats: [count],
     options: [{code: a, en: A}, {code: b, en: B}, {code: c, en: C}]}
  - {id: G, var: g, section: A, type: matrix, ordered: true, text: {en: G}, privacy: {role: insensitive}, stats: [count],
     rows: [{code: r, en: R}, {code: t, en: T}], options: [{code: bad, en: Bad}, {code: good, en: Good}, {code: dk, en: "Don't know"}]}
  - {id: N, var: n, section: A, type: integer, min: -9, max: 9, text: {en: N}, privacy: {role: insensitive}, stats: [count]}
  - {id: D, var: d, section: A, type: numeric, decimals: 1, min: -9, max: 9, text: {en: D}, privacy: {role: insensitive}, stats: [count]}
"""
NUMBERS = ["S", "W", "G", "G.t", "N", "D"]
ANSWERS: dict[str, list[Any]] = {
    "S": ["5", "2", "dk"],
    "W": ["low", "high", "na"],
    "M": [["a"], ["a", "c"], ["a", "b", "c"]],
    "G": [{"r": "bad"}, {"t": "good"}, {"r": "good", "t": "bad"}, {"r": "dk", "t": "good"}],
    "N": [-9, 0, 3],
    "D": [-1.5, 0.0, 2.3],
}
_JOINED: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "*": operator.mul,
    "/": operator.truediv,
    ">=": operator.ge,
    "=": lambda one, other: str(one) == str(other),
    "!=": lambda one, other: str(one) != str(other),
    "or": lambda one, other: one or other,
}


class Evaluator:
    """What a calculation gives for answers by the names of the other tool; one that was not given is empty text."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given

    def of(self, node: Node) -> Any:
        match node:
            case Ref():
                name = ".".join(filter(None, (node.name, node.part)))
                value = len(self.given[node.name]) if node.part == "length" else self.given.get(name, "")
                return Fraction(str(value)) if isinstance(value, int | float) else value
            case Literal():
                return Fraction(node.text) if node.number else node.text
            case Binary():
                return _JOINED[node.op](self.of(node.left), self.of(node.right))
            case Negation(Call(name="empty", arguments=(inner,))):
                return self.of(inner) != ""
            case Call(name="if" | "iif", arguments=(condition, yes, no)):
                return self.of(yes) if self.of(condition) else self.of(no)
            case Call(name="round", arguments=(inner, Literal() as places)):
                return round(self.of(inner), int(places.text))
            case Call(name="min" | "max" as name, arguments=arguments):
                return (min if name == "min" else max)(self.of(argument) for argument in arguments)
            case Call(name="count-selected" | "countInArray", arguments=(Ref() as ref,)):
                return len(self.given[ref.name])
            case Call() | Negation() | Truth() | Listed():
                raise AssertionError(node)
            case _:
                assert_never(node)


@pytest.mark.parametrize("tool", ["XLSForm", "SurveyJS"])
@settings(deadline=None, max_examples=80, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(data=st.data())
def test_a_calculation_gives_what_is_computed_here(tool: str, data: st.DataObject) -> None:
    op = data.draw(st.sampled_from(["sum", "mean", "score", "count", "min", "max"]))
    of = data.draw(st.lists(st.sampled_from([*NUMBERS, *(["M"] if op == "count" else [])]), min_size=1, max_size=4, unique=True))
    places, least = data.draw(st.integers(0, 3)), data.draw(st.integers(1, len(of)))
    text = SURVEY + f"computed: [{{id: C, label: {{en: C}}, op: {op}, of: [{', '.join(of)}], least: {least}, decimals: {places}, "
    found = author.read(text + "privacy: {role: identifying}}]\n", "computing.yaml", no_table)
    assert isinstance(found, Instrument), found
    computed = found.question("C")
    assert isinstance(computed, Computed)
    given_ = {id: answer for id, answers in ANSWERS.items() if (answer := data.draw(st.sampled_from([None, *answers]))) is not None}
    decoded, _ = Reader(found).convert(given_)
    value = ComputedFormula(computed, {question.id: question for question in found.questions}).of(decoded)

    names = {question.id: question.var for question in found.questions}
    joint = "_" if tool == "XLSForm" else "."
    rows = {"G": {code: f"g_{code}" if tool == "XLSForm" else code for code in ("r", "t")}}
    flat = {names[id]: answer for id, answer in given_.items() if id != "G"}
    flat |= {f"g{joint}{row}": code for row, code in given_.get("G", {}).items()}
    spelling, dialect = (XPath(), XLSFORM) if tool == "XLSForm" else (SurveyJs(), SURVEYJS)
    there = Evaluator(flat).of(parse(dialect, calculation(computed, found, names, rows, spelling)))
    assert (UNSET if there == "" else float(there)) == (UNSET if value is UNSET else float(value))
