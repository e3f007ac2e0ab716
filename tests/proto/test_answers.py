"""Reading answers: what fits is kept as it is, what does not is named, all of it, each with its place."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader, Submission
from proto.problem import Fault, Problem
from tests.builders.every_type import INSTRUMENT, TODAY, any_answers, damaged_answers, good_answers

READER = Reader(INSTRUMENT)


def read(answers: Any, **envelope: Any) -> Submission | list[Fault]:
    return READER.read(json.dumps({"answers": answers, "consent": True} | envelope).encode(), TODAY)


def judged(body: bytes) -> Submission | list[Fault] | Problem:
    try:
        return READER.read(body, TODAY)
    except Problem as problem:
        return problem


def malformed(found: Submission | list[Fault] | Problem) -> bool:
    return isinstance(found, Problem) and found.code == "malformed-json" and len(found.detail) < 300


def faults(answers: Any, **envelope: Any) -> set[tuple[str, str]]:
    found = read(answers, **envelope)
    assert isinstance(found, list), "this should have been refused"
    return {(fault.pointer, fault.code) for fault in found}


def test_a_row_that_is_left_out_of_a_sum_has_nothing_of_it() -> None:
    found = read({"Q1": "dk", "Q15": {"r1": 15, "row-1": 5}})
    assert isinstance(found, Submission), found
    assert json.loads(READER.canonical(found.answers))["Q15"] == {"row-1": 5, "row~/2": 0, "r1": 15}


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"r1": 19}, "/answers/Q15", "sum-too-small"),
        ({"r1": 19, "row-1": 2}, "/answers/Q15", "sum-too-large"),
        ({}, "/answers/Q15", "sum-too-small"),
        ({"r1": 21}, "/answers/Q15/r1", "too-large"),
        ({"r1": 20.5}, "/answers/Q15/r1", "wrong-type"),
        ({"row~/2": -1}, "/answers/Q15/row~0~12", "too-small"),
        ({"r2": 20}, "/answers/Q15/r2", "unknown-row"),
    ],
)
def test_numbers_that_do_not_add_up_to_the_total_say_why(given: dict[str, Any], pointer: str, code: str) -> None:
    found = read({"Q1": "dk", "Q15": given})
    assert isinstance(found, list)
    assert [(fault.pointer, fault.code) for fault in found] == [(pointer, code)]


@given(good_answers())
def test_answers_that_fit_are_kept_as_they_are(answers: dict[str, Any]) -> None:
    found = read(answers)
    assert isinstance(found, Submission), found
    assert json.loads(READER.canonical(found.answers)) == answers


@given(good_answers(), st.randoms())
def test_the_canonical_text_does_not_depend_on_order_or_spelling(answers: dict[str, Any], random: Any) -> None:
    items = list(answers.items())
    random.shuffle(items)
    spelt = json.dumps({"answers": dict(items), "consent": True}, indent=2, ensure_ascii=False).encode()
    one, other = read(answers), READER.read(spelt, TODAY)
    assert isinstance(one, Submission)
    assert isinstance(other, Submission)
    text = READER.canonical(one.answers)
    assert text == READER.canonical(other.answers)
    assert READER.canonical(READER.stored(text)) == text


@pytest.mark.slow
@settings(max_examples=200)
@given(st.one_of(any_answers, damaged_answers()))
def test_the_quick_way_and_the_explanation_agree(answers: dict[str, Any]) -> None:
    """`read` refuses exactly what convert and check find fault with, and names the same faults."""
    struct, refused = READER.convert(answers)
    but = frozenset(fault.pointer.split("/")[2] for fault in refused)
    explained = refused + READER.check(struct, TODAY, but)
    found = read(answers)
    assert isinstance(found, list) == bool(explained)
    if isinstance(found, list):
        assert sorted(found, key=repr) == sorted(explained, key=repr)


@pytest.mark.slow
@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for body in (value, {"answers": value}, {"answers": {"Q1": value}, "consent": True}, {"answers": {"Q1": "yes"}, "consent": value}):
        found = judged(json.dumps(body).encode())
        if isinstance(found, list):
            assert all(fault.pointer == "" or fault.pointer.startswith("/") for fault in found)
        else:
            assert isinstance(found, Submission) or malformed(found)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_order(body: bytes) -> None:
    found = judged(body)
    assert isinstance(found, list) or malformed(found)


@pytest.mark.parametrize(
    ("id", "value", "place", "code"),
    [
        ("Q1", "maybe", "", "unknown-code"),
        ("Q1", 1, "", "wrong-type"),
        ("Q1", None, "", "wrong-type"),
        ("Q2", [], "", "too-few"),
        ("Q2", ["a", "b", "c", "a"], "", "too-many"),
        ("Q2", ["a", "a"], "", "duplicate"),
        ("Q2", ["a", "none"], "", "exclusive"),
        ("Q2", ["a", "zz"], "/1", "unknown-code"),
        ("Q2", "a", "", "wrong-type"),
        ("Q3", {}, "", "empty"),
        ("Q3", {"row-1": "9"}, "/row-1", "unknown-code"),
        ("Q3", {"row~/2": "9"}, "/row~0~12", "unknown-code"),
        ("Q3", {"row-9": "1"}, "/row-9", "unknown-row"),
        ("Q3", ["1"], "", "wrong-type"),
        ("Q4", ["x"], "", "too-few"),
        ("Q4", ["x", "y", "z"], "", "too-many"),
        ("Q4", ["x", "x"], "", "duplicate"),
        ("Q5", -1, "", "too-small"),
        ("Q5", 101, "", "too-large"),
        ("Q5", 10**40, "", "too-large"),
        ("Q5", 1.5, "", "wrong-type"),
        ("Q5", "5", "", "wrong-type"),
        ("Q5", True, "", "wrong-type"),
        ("Q6", 0.125, "", "too-precise"),
        ("Q6", -1.51, "", "too-small"),
        ("Q6", 1e300, "", "too-large"),
        ("Q6", 10**400, "", "too-large"),
        ("Q6", 1_000_001, "", "too-large"),
        ("Q7", "2026-13", "", "bad-date"),
        ("Q7", "2026-11-22", "", "bad-date"),
        ("Q7", "2026-12", "", "too-large"),
        ("Q7", "1999-12", "", "too-small"),
        ("Q8", "2026-02-30", "", "bad-date"),
        ("Q8", "2026-11", "", "bad-date"),
        ("Q8", "2031-01-01", "", "too-large"),
        ("Q9", "", "", "empty"),
        ("Q9", "   ", "", "empty"),
        ("Q9", "x" * 21, "", "too-long"),
        ("Q9", "a\0b", "", "bad-character"),
    ],
)
def test_each_type_names_its_faults(id: str, value: Any, place: str, code: str) -> None:
    assert (f"/answers/{id}{place}", code) in faults({"Q1": "yes"} | {id: value})


def test_all_faults_are_told_at_once() -> None:
    told = faults({"Q2": ["zz", "yy"], "Q5": 999, "Q9": "", "Z": 1}, consent=False, language="tlh", extra=1)
    assert told >= {
        ("/answers/Q1", "required"),
        ("/answers/Q2/0", "unknown-code"),
        ("/answers/Q2/1", "unknown-code"),
        ("/answers/Q5", "too-large"),
        ("/answers/Q9", "empty"),
        ("/answers/Z", "unknown-question"),
        ("/consent", "consent-required"),
        ("/language", "unknown-language"),
        ("/extra", "unknown-member"),
    }


def test_a_hidden_answer_must_be_absent_and_a_shown_required_one_present() -> None:
    assert faults({"Q1": "dk", "Q3": {"row-1": "1"}}) == {("/answers/Q3", "hidden")}
    assert faults({"Q1": "yes", "Q10": "text"}) == {("/answers/Q10", "hidden")}
    assert faults({"Q1": "no"}) == {("/answers/Q11", "required")}
    assert faults({"Q1": "no", "Q11": {"r1": "lo"}}) == {("/answers/Q11/r2", "required")}
    assert isinstance(read({"Q1": "yes"}), Submission)


def test_consent_must_be_true_and_nothing_that_looks_like_it() -> None:
    for consent in (1, "true", None, [], 0, False):
        assert "/consent" in {pointer for pointer, _ in faults({"Q1": "yes"}, consent=consent)}


@pytest.mark.parametrize(
    "body",
    [
        b'{"answers":{"Q9":"\\ud800"},"consent":true}',
        b'{"answers":{"Q9":"\\udc00\\ud800"},"consent":true}',
        b'{"answers":{"Q9":"\xed\xa0\x80"},"consent":true}',
        b'{"answers":{"Q9":"\xff"},"consent":true}',
        b'{"answers":{"Q6":NaN},"consent":true}',
        b'{"answers":{"Q6":Infinity},"consent":true}',
        b'{"answers":{"Q6":1e999},"consent":true}',
        b'{"answers":{"Q6":-1e999},"consent":true}',
        b'{"answers":{"Q5":' + b"9" * 5000 + b'},"consent":true}',
        b'{"answers":{"Q6":' + b"9" * 5000 + b'},"consent":true}',
        b'{"answers":{"Q6":0.' + b"0" * 5000 + b'1},"consent":true}',
        b'{"answers":' + b"[" * 50_000,
        b'{"answers":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"answers":{"Q3":' + b'{"row-1":' * 20_000 + b"1" + b"}" * 20_000 + b"}}",
        b'{"answers":{"Q1":"yes"},"consent":true} x',
        b'\xef\xbb\xbf{"answers":{"Q1":"yes"},"consent":true}',
        b"",
        b"null",
        b'"',
    ],
)
def test_hostile_bodies_are_refused(body: bytes) -> None:
    found = judged(body)
    assert malformed(found) or (isinstance(found, list) and found)


def test_what_is_refused_is_not_quoted_at_length() -> None:
    found = READER.read(msgspec.json.encode({"answers": {"x" * 50_000: 1, "Q1": "y" * 50_000}, "consent": True}), TODAY)
    assert isinstance(found, list)
    assert len(msgspec.json.encode(found)) < 2_000


def test_faults_of_very_many_unknown_questions_are_told_in_bounds() -> None:
    found = READER.read(msgspec.json.encode({"answers": {f"x{i}": 1 for i in range(10_000)}, "consent": True}), TODAY)
    assert isinstance(found, list)
    assert len(found) <= 1_000


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u2800", "\u3164", "\u00ad", "\u200f", " \u2060\n", "\u115f\ufe0f", "\U000e0041"])
def test_a_text_in_which_nothing_is_to_be_seen_is_empty(unseen: str) -> None:
    found = read({"Q1": "no", "Q11": {"r1": "lo", "r2": "hi"}, "Q9": unseen})
    assert isinstance(found, list)
    assert [(fault.pointer, fault.code) for fault in found] == [("/answers/Q9", "empty")]
    assert not isinstance(read({"Q1": "no", "Q11": {"r1": "lo", "r2": "hi"}, "Q9": f"{unseen}x"}), list)
