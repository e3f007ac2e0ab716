"""Conditions of other tools become rules that the same answers meet, or are refused with a reason."""

from __future__ import annotations

import contextlib
import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli.exchange.expressions.dialects import LIMESURVEY, REDCAP, SURVEYJS, XLSFORM
from deploy.cli.exchange.expressions.parser import Dialect, parse, read
from deploy.cli.exchange.expressions.rules import Scope, Target, Translated, translate
from deploy.cli.exchange.expressions.tree import Untranslatable

DIALECTS = {dialect.name: dialect for dialect in (XLSFORM, SURVEYJS, LIMESURVEY, REDCAP)}
VECTORS = list(csv.DictReader(Path(__file__).with_name("expressions.csv").read_text("utf-8").splitlines()))


def same(*codes: str) -> dict[str, str]:
    return {code: code for code in codes}


TARGETS = {
    "a": Target(id="A", kind="single", codes=same("yes", "no", "other") | {"-oth-": "other"}),
    "m": Target(id="M", kind="multiple", codes=same("x", "y", "none")),
    "n": Target(id="N", kind="single", codes=same("1", "2", "3")),
    "age": Target(id="AGE", kind="number"),
    "weight": Target(id="WEIGHT", kind="number", step=Decimal("0.01")),
    "day": Target(id="DAY", kind="date"),
    "t": Target(id="T", kind="text"),
    "yn": Target(id="YN", kind="single", codes={"true": "yes", "false": "no"}),
    "g": Target(id="G", kind="matrix", codes=same("1", "2", "3", "4", "5"), rows=same("r1", "r2")),
}
LOUD = {name.upper(): target for name, target in TARGETS.items()}
SCOPES = {
    "XLSForm": Scope(targets=TARGETS | {"../a": TARGETS["a"]}, later=frozenset({"later"})),
    "SurveyJS": Scope(targets=TARGETS, loose=True),
    "LimeSurvey": Scope(targets=LOUD, loose=True, joint="_", numbered={"111X2X3": "A", "111X2X4": "M"}),
    "REDCap": Scope(targets=TARGETS, loose=True),
}


def translated(dialect: str, condition: str) -> Translated:
    return translate(parse(DIALECTS[dialect], condition), SCOPES[dialect])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['dialect']} {vector['condition']}")
def test_every_condition_becomes_the_rule_that_means_the_same_or_is_refused(vector: dict[str, str]) -> None:
    if not vector["condition"]:
        assert vector["rule"] == "always"
        assert read(DIALECTS[vector["dialect"]], vector["condition"], "here") is None
        return
    if vector["rule"] == "refused":
        with pytest.raises(Untranslatable) as refusal:
            translated(vector["dialect"], vector["condition"])
        assert refusal.value.reason
        return
    found = translated(vector["dialect"], vector["condition"])
    wanted = {"always": True, "never": False}.get(vector["rule"])
    assert found.rule == (json.loads(vector["rule"]) if wanted is None else wanted)
    assert found.changed == (vector["told"] == "changed")


@pytest.mark.parametrize(
    ("dialect", "condition", "reason"),
    [
        ("XLSForm", "${n} = '1.0'", "n has no code 1.0"),
        ("XLSForm", "selected(${a}, 'yse')", "a has no code yse (did you mean yes?)"),
        ("XLSForm", "${nobody} = '1'", "there is no question nobody"),
        ("XLSForm", "${later} = '1'", "later stands after it"),
        ("XLSForm", "${age} + 1 > 18", "it computes"),
        ("XLSForm", "${a} == 'yes'", "== is not XPath; meant is ="),
        ("XLSForm", "selected(${a}, 'yes'", "a bracket is not closed"),
        ("SurveyJS", "{m} = ['x','y']", "it asks for exactly these choices"),
        ("SurveyJS", "{panel.a} = 'yes'", "it speaks of a dynamic panel"),
        ("LimeSurvey", 'A_other.NAOK != ""', "the text of an option is not asked by a rule"),
        ("LimeSurvey", 'A.shown == "Yes"', ".shown is asked of a question"),
        ("REDCap", "[visit_arm_1][a] = 'yes'", "[a] is not understood"),
    ],
)
def test_a_refusal_says_why(dialect: str, condition: str, reason: str) -> None:
    with pytest.raises(Untranslatable) as refusal:
        translated(dialect, condition)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("count-selected(${m}) < 2", {"not": {"q": "M", "op": "at_least", "value": [2]}}),
        ("count-selected(${m}) = 0", {"not": {"q": "M", "op": "answered"}}),
        ("${weight} > 2.5", {"q": "WEIGHT", "op": "at_least", "value": [2.51]}),
        ("${age} < 17.5", {"q": "AGE", "op": "at_most", "value": [17]}),
        ("${age} != 18", {"not": {"q": "AGE", "op": "between", "value": [18, 18]}}),
        (
            "${day} > today()",
            {"all": [{"q": "DAY", "op": "answered"}, {"not": {"q": "DAY", "op": "at_most", "value": ["today"]}}]},
        ),
        ("18 <= ${age}", {"q": "AGE", "op": "at_least", "value": [18]}),
        ("coalesce(${a}, 'no') = 'no'", {"any": [{"q": "A", "op": "in", "value": ["no"]}, {"not": {"q": "A", "op": "answered"}}]}),
    ],
)
def test_bounds_say_what_an_absent_answer_means(condition: str, rule: dict[str, object]) -> None:
    assert translated("XLSForm", condition).rule == rule


@given(st.sampled_from(list(DIALECTS.values())), st.text(alphabet="${}[]()'\".,=<>!&|abmn19 -*/oradntXY_", max_size=40))
def test_whatever_stands_there_is_a_rule_or_is_refused(dialect: Dialect, condition: str) -> None:
    with contextlib.suppress(Untranslatable):
        assert isinstance(translate(parse(dialect, condition), SCOPES[dialect.name]).rule, dict | bool)


@pytest.mark.parametrize("condition", ["(" * 5_000, "not(" * 1_000 + "true()" + ")" * 1_000, "${a}='yes' or " * 400 + "true()"])
def test_a_bomb_is_refused_and_no_stack_overflows(condition: str) -> None:
    with pytest.raises(Untranslatable):
        parse(XLSFORM, condition)


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("{y} = 1999", {"q": "Y", "op": "between", "value": ["1999", "1999"]}),
        ("{y} > 1999", {"q": "Y", "op": "at_least", "value": ["2000"]}),
        ("{y} < 1999", {"q": "Y", "op": "at_most", "value": ["1998"]}),
        ("{y} >= '1999-01-01'", {"q": "Y", "op": "at_least", "value": ["1999"]}),
        ("{m} >= '1999-12'", {"q": "M", "op": "at_least", "value": ["1999-12"]}),
        ("{m} > '1999-12'", {"q": "M", "op": "at_least", "value": ["2000-01"]}),
        ("{m} < '1999-01'", {"q": "M", "op": "at_most", "value": ["1998-12"]}),
    ],
)
def test_years_and_months_are_compared_as_such(condition: str, rule: dict[str, object]) -> None:
    targets = {"y": Target(id="Y", kind="date", digits=4), "m": Target(id="M", kind="date", digits=7)}
    assert translate(parse(SURVEYJS, condition), Scope(targets=targets, loose=True)).rule == rule
