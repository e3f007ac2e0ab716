"""Computed values: what is documented, exactly, wherever answers are read, and nowhere else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from proto import author
from proto.answers import Reader
from proto.codebook import CodeBook, Column, groups_of
from proto.computed import ends_of
from proto.instrument import (
    Band,
    Computed,
    ConstantSum,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Option,
    Privacy,
    Row,
    Rule,
    Section,
    Single,
    decode,
    encode,
)
from proto.version_changes import compare, type_faults
from tests.builders.no_table import no_table
from tests.proto.test_author import BASE, faults

TODAY = "2026-11-22"


def common(id: str) -> dict[str, Any]:
    return {"id": id, "var": id.lower(), "section": "A", "text": {"en": id}, "privacy": Privacy("insensitive")}


def options(*codes: str) -> tuple[Option, ...]:
    return tuple(Option(code, {"en": code}) for code in codes)


ASKED = (
    Integer(**common("I"), min=-3, max=9),
    Numeric(**common("N"), min=0.0, max=5.0, decimals=1),
    Single(**common("S"), options=options("5", "4", "3", "dk"), ordered=True, stats=("count", "share", "crosstab")),
    Single(**common("D"), options=(Option("u", {"en": "u"}, score=10), Option("v", {"en": "v"}, score=-4), Option("w", {"en": "w"}))),
    Matrix(**common("X"), rows=tuple(Row(code, {"en": code}) for code in "ab"), options=options("low", "mid", "high", "na"), ordered=True),
    Multiple(**common("M"), options=options("p", "q", "r")),
    ConstantSum(**common("T"), rows=tuple(Row(code, {"en": code}) for code in "abc"), total=20, bands=(Band("0-20", 0, 20),)),
)
ANSWERS = {
    "I": st.integers(-3, 9),
    "N": st.integers(0, 50).map(lambda tenths: tenths / 10),
    "S": st.sampled_from(["5", "4", "3", "dk"]),
    "D": st.sampled_from("uvw"),
    "X": st.dictionaries(st.sampled_from("ab"), st.sampled_from(["low", "mid", "high", "na"]), min_size=1),
    "M": st.lists(st.sampled_from("pqr"), min_size=1, unique=True),
    "T": st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda ends: shared_out(*sorted(ends))),
}
SHARES = ("T", "T.a", "T.b", "T.c")


def shared_out(one: int, other: int) -> dict[str, int]:
    """Twenty among three rows; a row that gets nothing may be left out."""
    return {"a": one, "b": other - one} | ({"c": 20 - other} if other < 20 else {})


def stored(person: dict[str, Any]) -> dict[str, Any]:
    """As answers are stored: a row that gets nothing has a nought."""
    return {**person, "T": dict.fromkeys("abc", 0) | person["T"]} if "T" in person else person


people = st.fixed_dictionaries({}, optional=ANSWERS)
WORTHS = {"u": 10, "v": -4, "5": 5, "4": 4, "3": 3, "low": 1, "mid": 2, "high": 3}
NAMES = ("I", "N", "S", "D", "X", "X.a", "X.b")


@st.composite
def values(draw: st.DrawFn, id: str = "Value") -> Computed:
    op: Any = draw(st.sampled_from(["sum", "mean", "count", "min", "max", "score"]))
    names = draw(st.lists(st.sampled_from([*NAMES, *(["M"] if op == "count" else SHARES)]), min_size=1, max_size=4, unique=True))
    bands = (Band("low", -1000, 0), Band("some", 1, 2.5), Band("high", 2.5))
    return Computed(
        **common(id),
        min=-1000,
        max=1000,
        decimals=draw(st.integers(0, 2)),
        bands=bands,
        op=op,
        of=tuple(names),
        least=draw(st.integers(1, 3)),
    )


def instrument(*computed: Any, version: str = "1.0.0", asked: tuple[Any, ...] = ASKED) -> Instrument:
    return Instrument(
        id="computed",
        version=version,
        source_language="en",
        languages=("en",),
        title={"en": "Computed"},
        sections=(Section("A", {"en": "A"}),),
        questions=(*asked, *computed),
        strata=tuple(value.var for value in computed if isinstance(value, Computed) and value.bands),
    )


def plainly(value: Computed, person: dict[str, Any]) -> float | None:
    """What docs/instrument.md says."""
    parts: list[Fraction | None] = []
    for name in value.of:
        id, _, row = name.partition(".")
        rows = [row] if row else ["a", "b"] if id == "X" else ["a", "b", "c"] if id == "T" else [""]
        for item in rows:
            given = person.get(id, {}).get(item, 0 if id == "T" and id in person else None) if item else person.get(id)
            known = len(given) if isinstance(given, list) else WORTHS.get(given) if isinstance(given, str) else given
            if value.op == "count" and known is not None and not isinstance(given, list):
                known = 1
            parts.append(None if known is None else Fraction(str(known)))
    known_parts = [part for part in parts if part is not None]
    if len(known_parts) < value.least:
        return None
    mean = sum(known_parts, Fraction(0)) / len(known_parts)
    by_op = {"mean": mean, "min": min(known_parts), "max": max(known_parts), "score": mean * len(parts)}
    return float(round(by_op.get(value.op, sum(known_parts, Fraction(0))), value.decimals))


@given(values(), people)
def test_a_value_is_what_is_documented_and_lies_between_its_ends(value: Computed, person: dict[str, Any]) -> None:
    reader = Reader(instrument(value))
    struct, refused = reader.convert(person)
    assert not refused
    expected = plainly(value, person)
    assert struct.Value == (UNSET if expected is None else expected)
    low, high = ends_of(value, reader.questions)
    assert expected is None or low <= expected <= high
    assert reader.stored(msgspec.json.encode(person)).Value == struct.Value


@pytest.mark.parametrize(
    ("op", "of", "ends"),
    [
        ("sum", ("T",), (20, 20)),
        ("sum", ("T.a", "T.b"), (0, 20)),
        ("mean", ("T",), (6.66, 6.67)),
        ("mean", ("T.a", "T.b"), (0, 10)),
        ("score", ("T.a",), (0, 20)),
        ("max", ("T.a", "T.c"), (0, 20)),
        ("sum", ("T", "I"), (17, 29)),
        ("sum", ("T", "T.c"), (20, 40)),
    ],
)
def test_rows_that_share_a_total_reach_no_more_than_it(op: Any, of: tuple[str, ...], ends: tuple[float, float]) -> None:
    least = 4 if len(of) == 2 and of[0] == "T" else 1 if op != "sum" else len(of) if "." in of[0] else 3
    value = Computed(**common("V"), min=0, max=99, decimals=2, op=op, of=of, least=least)
    assert ends_of(value, Reader(instrument()).questions) == ends


@given(values(), people)
def test_a_value_is_stored_nowhere_and_cannot_be_sent(value: Computed, person: dict[str, Any]) -> None:
    reader = Reader(instrument(value))
    struct, _ = reader.convert(person)
    before = struct.Value
    assert msgspec.json.decode(reader.canonical(struct)) == msgspec.json.decode(msgspec.json.encode(stored(person)))
    assert struct.Value == before
    for name in ("Value", "=Value"):
        found = reader.read(msgspec.json.encode({"answers": {**person, name: 3}, "consent": True}), TODAY)
        assert isinstance(found, list)
        assert [(fault.pointer, fault.code) for fault in found] == [(f"/answers/{name}", "unknown-question")]


@given(values(), values(), st.lists(people, min_size=1, max_size=6))
def test_columns_count_it_like_a_number_and_a_new_version_by_its_own_formula(
    one: Computed, other: Computed, group: list[dict[str, Any]]
) -> None:
    now, before = Reader(instrument(one)), Reader(instrument(other, version="0.9.0"))
    book = CodeBook(now)
    for reader in (now, before):
        cells, numbers = book.tabulate([reader.convert(person)[0] for person in group])
        for row, person in enumerate(group):
            expected = plainly(one, person)
            assert numbers[row, book.numbers.index("Value")] == (0 if expected is None else round(expected * 10**one.decimals))
            assert cells[row, book.index[Column("missing", "Value")]] == (expected is None)
            assert cells[row, book.of("Value")].sum() == (expected is not None)
            assert cells[row, book.of("value")].tolist() == cells[row, book.of("Value")].tolist()


def test_rules_see_computed_values() -> None:
    value = Computed(**common("Value"), min=-3, max=14, decimals=0, op="sum", of=("I", "S"), least=2)
    last = LongText(**common("Why"), show_if=Rule(q="Value", op="at_least", value=(10,)))
    reader = Reader(instrument(value, last))
    for person, expected in (({"I": 5, "S": "5"}, True), ({"I": 9, "S": "dk"}, False), ({"I": 5, "S": "4"}, False)):
        struct, _ = reader.convert(person)
        assert reader.visible(struct, "Why") is expected
        body = msgspec.json.encode({"answers": {**person, "Why": "So."}, "consent": True})
        assert isinstance(reader.read(body, TODAY), list) is not expected


COMPUTED = """computed:
  - id: Content
    label: {en: "Content", fr: "Satisfaction"}
    op: mean
    of: [Q4]
    bands: ["1-1.49", "1.5+"]
    privacy: {role: sensitive}
    stats: [count, mean, median, distribution]
derived:"""


def computed(old: str = "", new: str = "") -> str:
    assert old in COMPUTED
    return BASE.replace("derived:", COMPUTED.replace(old, new) if old else COMPUTED)


def test_a_value_stands_behind_its_parts_and_is_as_they_are() -> None:
    text = computed().replace("headlines:\n", 'headlines:\n  - {id: content, label: {en: "C", fr: "S"}, question: Content, stat: mean}\n')
    whole = author.read(text, "small.yaml", no_table)
    assert isinstance(whole, Instrument), whole
    assert [question.id for question in whole.questions] == ["Q1", "Q2", "Q3", "Q4", "Content", "Q5"]
    value = whole.question("Content")
    assert isinstance(value, Computed)
    assert (value.var, value.section, value.decimals, value.least, value.min, value.max) == ("content", "B", 2, 1, 1, 2)
    assert value.show_if == whole.question("Q4").show_if
    assert decode(encode(whole)) == whole
    CodeBook(Reader(whole))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("derived:", "derived:", None),
        ('    bands: ["1-1.49", "1.5+"]\n', "", "Content has no bands"),
        ("role: sensitive", "role: identifying", "Content is identifying, so no figures are broken down by it"),
        ("id: Content", "id: Contented", "content is neither a derived variable, nor a computed value"),
    ],
)
def test_figures_are_broken_down_by_the_bands_of_a_value(old: str, new: str, message: str | None) -> None:
    text = computed(old, new)
    assert "strata: [" in text
    text = text.replace("strata: [", "strata: [content, ")
    if message is None:
        found = author.read(text, "small.yaml", no_table)
        assert isinstance(found, Instrument), found
        assert groups_of(found, "content") == ["1-1.49", "1.5+"]
    else:
        assert any(message in fault.message for fault in faults(text)), faults(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[Q4]", "[Q4, Q9]", "there is no question Q9"),
        ("[Q4]", "[Q4.saft]", "Q4 has no row saft"),
        ("[Q4]", "[Q3]", "Q3 has no number for mean"),
        ("[Q4]", "[Q1]", "Q1 has no number for mean"),
        ("[Q4]", "[Q4, Q4]", "part of Content Q4 is used twice"),
        ("[Q4]", "[Content]", "there is no question Content"),
        (
            "derived:",
            "  - {id: More, label: {en: M, fr: M}, op: sum, of: [Content], privacy: {role: sensitive}}\nderived:",
            "is computed itself",
        ),
        ("sensitive", "insensitive", "Content is insensitive, and Q4 is sensitive"),
        ("op: mean", "op: mean\n    least: 3", "3 of 2 parts can never be known"),
        ('"1-1.49"', '"1.2-1.49"', "begins above the least answer, 1"),
        ("id: Content", "id: Q2", "question id Q2 is used twice"),
        ("id: Content", "id: Age", "variable age is used twice"),
    ],
)
def test_what_is_wrong_with_a_computed_value_is_told(old: str, new: str, message: str) -> None:
    found = faults(computed(old, new))
    assert any(message in fault.message for fault in found), found


def test_a_rule_on_a_value_that_cannot_be_reached_is_a_fault() -> None:
    rule = "    type: short_text\n    show_if: {q: Content, op: at_least, value: 2.5}\n"
    found = faults(computed().replace("    type: short_text\n", rule))
    assert ["can never be shown" in fault.message for fault in found] == [True]


def test_versions_tell_that_a_value_is_computed_otherwise() -> None:
    one = instrument(Computed(**common("V"), min=0, max=9, op="sum", of=("I",)))
    other = instrument(Computed(**common("V"), min=0, max=5, op="mean", of=("I", "N")), version="1.1.0")
    assert [(change.place, change.loses) for change in compare(one, other)] == [("V", False)]
    assert [(change.place, change.loses) for change in compare(one, instrument(version="1.1.0"))] == [("V", False)]
    asked = instrument(Numeric(**common("V"), min=0, max=9), version="1.1.0")
    assert [fault.code for fault in type_faults([one], asked)] == ["type-changed"]
