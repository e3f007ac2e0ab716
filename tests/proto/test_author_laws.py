"""Whatever happens to an author's file, it is an instrument or has faults: never an exception, never a silent loss."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from proto import author, instrument
from proto.answers import Reader
from proto.authoring.rule_satisfiability import Reach
from proto.codebook import CodeBook
from proto.instrument import Instrument
from tests.builders.no_table import no_table
from tests.proto.test_author import BASE

WHOLE: dict[str, Any] = yaml.safe_load(BASE)
ODD = st.sampled_from(
    [None, True, 0, -1, 3.5, 10**30, "", "a", "dk", "Q1", "Q4", "agrees", "*", "0-17", "no\x00", "😀", [], {}, ["x"], {"en": "x"}, [[]]]
)


def written(root: Any) -> str:
    return yaml.dump(root, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True, sort_keys=False)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


def reach(root: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        root = root[part]
    return root


EVERYWHERE = places(WHOLE)[1:]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """BASE with one to three things dropped, renamed, retyped, repeated or swapped with a piece from elsewhere."""
    root = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(EVERYWHERE))
        try:
            holder, key = reach(root, path[:-1]), path[-1]
            match draw(st.sampled_from(["drop", "rename", "retype", "repeat", "graft"])):
                case "drop":
                    del holder[key]
                case "rename":
                    holder[draw(st.sampled_from(["id", "text", "x", "min", "enabled", "ordered"]))] = holder.pop(key)
                case "retype":
                    holder[key] = draw(ODD)
                case "repeat" if isinstance(holder, list):
                    holder.insert(key, copy.deepcopy(holder[key]))
                case _:
                    holder[key] = copy.deepcopy(reach(WHOLE, draw(st.sampled_from(EVERYWHERE))))
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier mutation took the place away
    return written(root)


def judged(text: str) -> Instrument | None:
    found = author.read(text, "mutated.yaml", no_table)
    if isinstance(found, Instrument):
        return found
    assert found
    lines = len(text.splitlines()) + 1
    assert all(1 <= fault.line <= lines and fault.message for fault in found)
    return None


@pytest.mark.slow
@settings(deadline=None, max_examples=120)
@given(mutated())
def test_a_mutated_file_is_an_instrument_that_compiles_or_has_faults(text: str) -> None:
    found = judged(text)
    if found is not None:
        assert instrument.decode(instrument.encode(found)) == found
        CodeBook(Reader(found))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(BASE)), st.integers(0, 40), st.text(max_size=10))
def test_a_file_with_scribbles_is_read_or_refused(start: int, length: int, scribble: str) -> None:
    judged(BASE[:start] + scribble + BASE[start + length :])


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    judged(text)


RULE = st.recursive(
    st.one_of(
        st.builds(
            lambda op, value: {"q": "Q1", "op": op, "value": value},
            st.sampled_from(["in", "not_in"]),
            st.lists(st.sampled_from(["a", "b", "dk"]), min_size=1),
        ),
        st.builds(
            lambda value: {"q": "Q3", "op": "any_in", "value": value}, st.lists(st.sampled_from(["walk", "shop", "none"]), min_size=1)
        ),
        st.builds(lambda value: {"q": "agrees", "op": "derived", "value": value}, st.sampled_from(["0", "1"])),
        st.sampled_from(["Q1", "Q2", "Q3"]).map(lambda q: {"q": q, "op": "answered"}),
        st.builds(
            lambda test, value: {"q": test[0], "op": test[1], "value": value},
            st.sampled_from([("Q2", "at_least"), ("Q2", "at_most"), ("Q3", "at_least"), ("Q3", "at_most")]),
            st.sampled_from([0, 1, 2, 3, 17, 64, 120, 121]),
        ),
        st.sampled_from([[0, 17], [18, 64], [1, 120], [0, 120], [120, 300]]).map(
            lambda ends: {"q": "Q2", "op": "between", "value": list(ends)}
        ),
    ),
    lambda rules: st.one_of(
        st.lists(rules, min_size=1, max_size=3).map(lambda them: {"all": them}),
        st.lists(rules, min_size=1, max_size=3).map(lambda them: {"any": them}),
        rules.map(lambda it: {"not": it}),
    ),
    max_leaves=5,
)
ANSWERS = [
    {name: value for name, value in (("Q1", one), ("Q2", age), ("Q3", many)) if value is not None}
    for age in (None, 0, 1, 2, 3, 4, 16, 17, 18, 63, 64, 65, 119, 120)
    for one in (None, "a", "b", "dk")
    for many in (None, ["walk"], ["shop"], ["none"], ["walk", "shop"])
    if many is None or one in ("a", "b")  # Q3 is shown to those
]


@pytest.mark.slow
@settings(deadline=None, max_examples=120)
@given(RULE)
def test_a_rule_is_refused_exactly_when_no_respondent_can_meet_it(rule: dict[str, Any]) -> None:
    root = copy.deepcopy(WHOLE)
    root["questions"][3]["show_if"] = rule
    found = author.read(written(root), "small.yaml", no_table)
    accepted = isinstance(found, Instrument)
    reader = Reader(instrument_with(rule))
    met = any(reader.visible(reader.convert(answers)[0], "Q4") for answers in ANSWERS)
    assert accepted == met
    if not accepted:
        assert all("can never be shown" in fault.message for fault in found)


def instrument_with(rule: dict[str, Any]) -> Instrument:
    """BASE with this rule on Q4, built past the checks."""
    whole = author.read(BASE, "small.yaml", no_table)
    assert isinstance(whole, Instrument)
    given_ = msgspec.convert(_tuples(rule), instrument.Rule)
    questions = tuple(msgspec.structs.replace(q, show_if=given_) if q.id == "Q4" else q for q in whole.questions)
    made = msgspec.structs.replace(whole, questions=questions)
    assert Reach(made).can_hold(instrument.Rule(q="Q1", op="answered"))
    return made


def _tuples(rule: dict[str, Any]) -> dict[str, Any]:
    made = dict(rule)
    if isinstance(made.get("value"), str | int):
        made["value"] = [made["value"]]
    for key in ("all", "any"):
        if key in made:
            made[key] = [_tuples(child) for child in made[key]]
    if "not" in made:
        made["not"] = _tuples(made["not"])
    return made
