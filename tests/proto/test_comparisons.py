"""Rules on numbers and dates: server and columns say what the documentation says of comparisons and of special values, absent answers
included; authors are told what cannot be."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import author
from proto.answers import Reader
from proto.authoring.rule_satisfiability import Reach
from proto.codebook import CodeBook
from proto.comparisons import order
from proto.instrument import Date, Derived, Instrument, Integer, Multiple, Numeric, Option, Privacy, Rule, Section
from tests.builders.no_table import no_table
from tests.proto.test_author import BASE


def common(id: str) -> dict[str, Any]:
    return {"id": id, "var": id.lower(), "section": "A", "text": {"en": id}, "privacy": Privacy("insensitive")}


OPTIONS = tuple(Option(code, {"en": code}, exclusive=code == "d") for code in "abcd")
UNKNOWN = (Option("dk", {"en": "Not known"}),)
NEVER = (*UNKNOWN, Option("never", {"en": "Never"}))
CODES = {"I1": ("dk",), "D1": ("dk", "never")}
QUESTIONS = (
    Integer(**common("I1"), min=0, max=5, special=UNKNOWN),
    Integer(**common("I2"), min=-2, max=3),
    Numeric(**common("N1"), min=-1.0, max=2.0, decimals=1),
    Date(**common("D1"), min="2025-11", max="2026-02", special=NEVER),
    Date(**common("D2"), precision="day", min="2025-12-30", max="2026-01-02"),
    Multiple(**common("M1"), options=OPTIONS, min_choices=0),
)
ANSWERS = {
    "I1": st.integers(0, 5) | st.just("dk"),
    "I2": st.integers(-2, 3),
    "N1": st.integers(-10, 20).map(lambda tenths: tenths / 10),
    "D1": st.sampled_from(["2025-11", "2025-12", "2026-01", "2026-02", "dk", "never"]),
    "D2": st.sampled_from(["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02"]),
    "M1": st.one_of(st.just(["d"]), st.lists(st.sampled_from("abc"), max_size=3, unique=True)),
}
VALUES = {
    "I1": st.integers(-1, 6),
    "I2": st.integers(-3, 4),
    "N1": st.one_of(st.integers(-2, 3), st.sampled_from([-0.55, 0.1, 1.9, 2.1])),
    "D1": st.sampled_from(["2025-10", "2025-12", "2026-01", "2026-03"]),
    "D2": st.sampled_from(["2025-12", "2025-12-31", "2026-01-01", "2026-01", "2026-02"]),
    "M1": st.integers(0, 4),
}
NUMBERS, DATES = ("I1", "I2", "N1", "M1"), ("D1", "D2")
answers = st.fixed_dictionaries({}, optional=ANSWERS)


@st.composite
def comparisons(draw: st.DrawFn) -> Rule:
    if draw(st.booleans()):
        family = draw(st.sampled_from([NUMBERS, DATES]))
        one, other = draw(st.permutations(family))[:2]
        return Rule(q=one, op=draw(st.sampled_from(["same_as", "before"])), other=other)
    id = draw(st.sampled_from(list(VALUES)))
    op: Any = draw(st.sampled_from(["at_least", "at_most", "between"]))
    ends = [draw(VALUES[id]) for _ in range(2 if op == "between" else 1)]
    return Rule(q=id, op=op, value=tuple(sorted(ends)))


@st.composite
def memberships(draw: st.DrawFn) -> Rule:
    id = draw(st.sampled_from(list(CODES)))
    op: Any = draw(st.sampled_from(["in", "not_in"]))
    return Rule(q=id, op=op, value=tuple(draw(st.lists(st.sampled_from(CODES[id]), min_size=1, unique=True))))


rules = st.recursive(
    st.one_of(comparisons(), memberships(), st.sampled_from(list(VALUES)).map(lambda id: Rule(q=id, op="answered"))),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Rule(all=tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Rule(any=tuple(parts))),
        inner.map(lambda rule: Rule(not_=rule)),
    ),
    max_leaves=6,
)


def instrument(rule: Rule, questions: tuple[Any, ...] = QUESTIONS) -> Instrument:
    return Instrument(
        id="compared",
        version="1.0.0",
        source_language="en",
        languages=("en",),
        title={"en": "Compared"},
        sections=(Section("A", {"en": "A"}),),
        questions=questions,
        derived=(Derived("met", rule),),
        strata=("met",),
    )


def plainly(rule: Rule, given: dict[str, Any]) -> bool:
    """What the documentation says: a date is the days that it may be, and of a multiple choice the choices are counted."""
    if rule.all or rule.any:
        return (all if rule.all else any)(plainly(part, given) for part in rule.all or rule.any)
    if rule.not_ is not None:
        return not plainly(rule.not_, given)
    if rule.op in ("in", "not_in"):
        return (given.get(rule.q or "") in rule.value) == (rule.op == "in")
    if rule.q not in given or (rule.other is not None and rule.other not in given):
        return False
    if rule.op == "answered":
        return True
    if {"dk", "never"} & {str(given[rule.q]), str(given.get(rule.other or ""))}:
        return False
    first, last = span(given[rule.q])
    begin, end = span(given[rule.other] if rule.other else rule.value[0])
    match rule.op:
        case "at_least":
            return last >= begin
        case "at_most":
            return first <= end
        case "between":
            return last >= begin and first <= span(rule.value[1])[1]
        case "same_as":
            return last >= begin and first <= end
        case _:
            return last < begin


def span(value: Any) -> tuple[Any, Any]:
    if isinstance(value, list):
        value = len(value)
    if not isinstance(value, str):
        return value, value
    if len(value) == 10:
        return datetime.date.fromisoformat(value), datetime.date.fromisoformat(value)
    first = datetime.date.fromisoformat(f"{value}-01")
    return first, (first + datetime.timedelta(31)).replace(day=1) - datetime.timedelta(1)


@given(rules, st.lists(answers, min_size=1, max_size=8))
def test_server_and_columns_say_what_is_documented(rule: Rule, people: list[dict[str, Any]]) -> None:
    reader = Reader(instrument(rule))
    structs = [reader.convert(person)[0] for person in people]
    expected = [plainly(rule, person) for person in people]
    assert [reader.derived["met"](struct) for struct in structs] == expected
    book = CodeBook(reader)
    rows, _ = book.tabulate(structs)
    assert rows[:, book.of("met")].argmax(axis=1).tolist() == expected


@given(rules, answers)
def test_a_rule_that_somebody_meets_is_never_called_impossible(rule: Rule, person: dict[str, Any]) -> None:
    reach = Reach(instrument(rule))
    assert reach.can_hold(rule) or not plainly(rule, person)
    assert reach.can_hold(Rule(not_=rule)) or plainly(rule, person)


@given(comparisons() | memberships(), comparisons() | memberships())
def test_answers_to_one_question_are_searched_to_the_end(one: Rule, other: Rule) -> None:
    """Two tests of one question, on values or special values: called possible only if an answer, or none, meets both."""
    together = Rule(all=(one, Rule(not_=other)))
    if one.other or other.other or one.q != other.q or one.q == "M1":
        return
    everyone = {"I1": [*range(6), "dk"], "I2": range(-2, 4), "N1": [n / 10 for n in range(-10, 21)]}.get(one.q or "") or ALL_DATES[
        one.q or ""
    ]
    people = [{}, *({one.q or "": value} for value in everyone)]
    assert Reach(instrument(one)).can_hold(together) == any(plainly(together, person) for person in people)


ALL_DATES = {
    "D1": ["2025-11", "2025-12", "2026-01", "2026-02", "dk", "never"],
    "D2": ["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02"],
}


def test_what_is_not_of_one_kind_has_no_order() -> None:
    assert order(3, "2026") is None
    assert order("2026", "2026-03") == 0
    assert order("2026-04-01", "2026-03") == 1
    assert order(None, 3) is None


SHOW = "show_if: {q: Q1, op: in, value: [a, b]}"


@pytest.mark.parametrize(
    ("rule", "message", "advice"),
    [
        ("{q: Q2, op: at_least}", "at_least needs one value", "value: 1"),
        ("{q: Q2, op: between, value: [1]}", "between needs two values", "value: [1, 5]"),
        ("{q: Q2, op: between, value: [5, 1]}", "5 comes after 1", "lower end"),
        ('{q: Q2, op: at_least, value: "18"}', "'18' is not a number", "without quotes"),
        ("{q: Q1, op: at_least, value: 18}", "at_least compares numbers, dates and how many were chosen", "in, not_in, answered"),
        ("{q: Q2, op: at_least, value: 121}", "can never be shown", ""),
        ("{q: Q2, op: same_as}", "same_as needs other", "other: A02"),
        ("{q: Q2, op: before, other: Q2}", "Q2 is compared with itself", ""),
        ("{q: Q2, op: before, other: Q3}", "points to its own question", ""),
        ("{q: Q2, op: before, other: Q9}", "there is no question Q9", "known here"),
        ("{q: Q2, op: before, other: Q1}", "Q2 and Q1 cannot be compared", "numbers with numbers"),
        ("{q: Q2, op: at_least, value: 3, other: Q1}", "other belongs to same_as and before", ""),
        ("{q: Q2, op: in, value: [1]}", "in asks for special values, and Q2 has none", "at_least"),
        ("{q: Q1, op: any_in, value: [a]}", "any_in is for questions of type multiple", "in, not_in, answered"),
        ("{q: Q1, op: in, value: [1]}", "1 is not read as text", 'write it in quotes: "1"'),
    ],
)
def test_an_author_is_told_what_is_wrong_with_a_comparison(rule: str, message: str, advice: str) -> None:
    assert SHOW in BASE
    found = author.read(BASE.replace(SHOW, f"show_if: {rule}"), "small.yaml", no_table)
    assert isinstance(found, list)
    assert [fault for fault in found if message in fault.message and advice in fault.advice], found


SPECIAL = "special: [{code: dk, en: 'Not known', fr: 'Inconnu'}, {code: never, en: 'Never', fr: 'Jamais'}]"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{q: Q2, op: in, value: [dk]}", None),
        ("{q: Q2, op: not_in, value: [dk, never]}", None),
        ("{q: Q2, op: in, value: dk}", None),
        ("{q: Q2, op: in, value: [18]}", "18 is not read as text"),
        ("{q: Q2, op: in, value: [newer]}", "Q2 has no special value newer"),
        ("{all: [{q: Q2, op: in, value: [dk]}, {q: Q2, op: at_least, value: 0}]}", "can never be shown"),
        ("{all: [{q: Q2, op: not_in, value: [dk, never]}, {q: Q2, op: answered}, {not: {q: Q2, op: at_least, value: 0}}]}", "can never"),
        ("{all: [{q: Q2, op: in, value: [dk]}, {not: {q: Q2, op: answered}}]}", "can never be shown"),
    ],
)
def test_a_rule_may_ask_for_special_values_of_a_number(rule: str, message: str | None) -> None:
    special = BASE.replace("    max: 120", f"    max: 120\n    {SPECIAL}").replace(SHOW, f"show_if: {rule}")
    found = author.read(special, "small.yaml", no_table)
    if message is None:
        assert isinstance(found, Instrument), found
    else:
        assert isinstance(found, list)
        assert [fault for fault in found if message in fault.message], found


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('"2026-13"', "'2026-13' is not a date"),
        ('"2026-11-22"', "tells more than a month"),
        ("2026", "2026 is not a date"),
        ('"2026"', None),
        ('"2026-01"', None),
    ],
)
def test_a_date_is_compared_with_a_date_that_tells_no_more(value: str, message: str | None) -> None:
    dated = BASE.replace("type: integer", "type: date").replace('    min: 0\n    max: 120\n    bands: ["0-17", "18-64", "65+"]\n', "")
    dated = (
        dated.replace("stats: [count, distribution]", "stats: [count]")
        .replace("{role: quasi_identifier, hierarchy: age}", "{role: insensitive}")
        .replace(SHOW, f"show_if: {{q: Q2, op: at_most, value: {value}}}")
    )
    found = author.read(dated, "small.yaml", no_table)
    if message is None:
        assert isinstance(found, Instrument), found
    else:
        assert isinstance(found, list)
        assert any(message in fault.message for fault in found), found
