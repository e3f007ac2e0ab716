"""Options and rows that earlier answers hide: nobody can give them, nobody is missing in them, whichever version was answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from proto import author
from proto.answers import Reader
from proto.codebook import CodeBook, Column
from proto.instrument import Instrument, Integer, Matrix, Multiple, Option, Privacy, Ranking, Row, Rule, Section, Single, decode, encode
from proto.version_changes import compare
from tests.builders.no_table import no_table
from tests.proto.test_author import BASE, faults

TODAY = "2026-11-22"


def common(id: str) -> dict[str, Any]:
    return {"id": id, "var": id.lower(), "section": "A", "text": {"en": id}, "privacy": Privacy("insensitive")}


def options(codes: str, rules: dict[str, Rule]) -> tuple[Option, ...]:
    return tuple(Option(code, {"en": code}, show_if=rules.get(code)) for code in codes)


ADULT = Rule(q="Age", op="at_least", value=(18,))
USES = Multiple(**common("Uses"), options=options("abc", {}))
PICK = Single(**common("Pick"), options=options("abc", {"a": ADULT}))
SOME = Multiple(**common("Some"), options=options("abc", {"a": ADULT}), required=True)
BEST = Ranking(**common("Best"), options=options("abc", {"a": ADULT}), rank_count=2)
RATED = Matrix(
    **common("Rated"),
    rows=(*(Row(code, {"en": code}, show_if=Rule(q="Uses", op="any_in", value=(code,))) for code in "ab"), Row("z", {"en": "z"})),
    options=options("12", {}),
    required=True,
)


def instrument(*questions: Any, version: str = "1.0.0") -> Instrument:
    return Instrument(
        id="parts",
        version=version,
        source_language="en",
        languages=("en",),
        title={"en": "Parts"},
        sections=(Section("A", {"en": "A"}),),
        questions=(Integer(**common("Age"), min=0, max=99), USES, *questions),
    )


READER = Reader(instrument(PICK, SOME, BEST, RATED))


def found(**answers: Any) -> list[tuple[str, str]]:
    struct, refused = READER.convert(answers)
    assert not refused
    return [(fault.pointer, fault.code) for fault in READER.check(struct, TODAY)]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"Age": 18, "Pick": "a", "Some": ["a"], "Best": ["a", "b"], "Rated": {"z": "1"}}, []),
        ({"Age": 17, "Pick": "b", "Some": ["b"], "Best": ["c", "b"], "Rated": {"z": "1"}}, []),
        ({"Age": 17, "Pick": "a", "Some": ["b"], "Rated": {"z": "1"}}, [("/answers/Pick", "hidden")]),
        ({"Some": ["b", "a"], "Rated": {"z": "1"}}, [("/answers/Some/1", "hidden")]),
        ({"Some": ["b"], "Best": ["a", "b"], "Rated": {"z": "1"}}, [("/answers/Best/0", "hidden")]),
        ({"Some": ["b"], "Best": ["b", "b"], "Rated": {"z": "1"}}, [("/answers/Best", "duplicate")]),
        ({"Some": ["b"], "Rated": {"z": "1", "a": "2"}}, [("/answers/Rated/a", "hidden")]),
        ({"Some": ["b"], "Uses": ["a"], "Rated": {"z": "1"}}, [("/answers/Rated/a", "required")]),
        ({"Some": ["b"], "Uses": ["a"], "Rated": {"z": "1", "a": "2"}}, []),
    ],
)
def test_a_hidden_part_cannot_be_given_and_is_not_required(answers: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(**answers) == expected


codes = st.sampled_from("abc")
people = st.fixed_dictionaries(
    {},
    optional={
        "Age": st.sampled_from([3, 17, 18, 60]),
        "Uses": st.lists(codes, min_size=1, unique=True),
        "Pick": codes,
        "Some": st.lists(codes, min_size=1, unique=True),
        "Best": st.permutations("abc").map(lambda ranks: list(ranks[:2])),
        "Rated": st.dictionaries(st.sampled_from("abz"), st.sampled_from("12"), min_size=1),
    },
)


def possible(person: dict[str, Any]) -> Any:
    """What is left of somebody's answers."""
    struct, _ = READER.convert(person)
    for id, parts in READER.parts.items():
        if getattr(struct, id) is not UNSET:
            setattr(struct, id, parts.possible(struct, getattr(struct, id)))
    return struct


@given(people)
def test_what_is_left_has_no_hidden_part_and_loses_nothing_else(person: dict[str, Any]) -> None:
    struct = possible(person)
    assert not [fault for fault in READER.check(struct, TODAY) if fault.code == "hidden"]
    left, adult = msgspec.to_builtins(struct), person.get("Age", 0) >= 18
    given_rows = person.get("Rated", {})
    rows = {row: code for row, code in given_rows.items() if row == "z" or row in person.get("Uses", ())}
    assert left.get("Rated", {}) == rows
    assert left.get("Some", []) == [code for code in person.get("Some", []) if adult or code != "a"]
    assert left.get("Pick") == (None if not adult and person.get("Pick") == "a" else person.get("Pick"))
    assert left.get("Best") == (None if not adult and "a" in person.get("Best", ()) else person.get("Best"))


@given(st.lists(people, min_size=1, max_size=5), st.booleans())
def test_a_hidden_row_is_neither_counted_nor_missing(group: list[dict[str, Any]], converted: bool) -> None:
    """Under its own version, and under one in which the rows have no rules."""
    book = CodeBook(Reader(later() if converted else READER.instrument))
    cells, _ = book.tabulate([possible(person) for person in group])
    for row in "abz":
        there = [person for person in group if row == "z" or row in person.get("Uses", ())]
        answered = [person for person in there if row in person.get("Rated", {})]
        of_row = [(at, cell) for at, cell in enumerate(book.columns) if (cell.question, cell.row) == ("Rated", row)]
        counted = {cell.code or cell.kind: int(cells[:, at].sum()) for at, cell in of_row}
        assert counted["missing"] == len(there) - len(answered)
        assert counted["1"] + counted["2"] == len(answered)
    assert cells[:, book.index[Column("skipped", "Rated")]].sum() == 0


def later() -> Instrument:
    """A version in which the rows have no rules."""
    plain = msgspec.structs.replace(RATED, rows=tuple(msgspec.structs.replace(row, show_if=None) for row in RATED.rows))
    return instrument(PICK, SOME, BEST, plain, version="1.1.0")


def ruled(label: str, rule: str, text: str = BASE) -> str:
    """BASE with a rule for the option or row of this French label."""
    assert f'fr: "{label}"}}' in text
    return text.replace(f'fr: "{label}"}}', f'fr: "{label}", show_if: {{{rule}}}}}', 1)


def test_a_question_whose_rows_all_have_rules_is_asked_where_one_of_them_is_there() -> None:
    text = ruled("Propre", "q: Q2, op: at_most, value: 9", ruled("Sûr", "q: Q2, op: at_least, value: 3"))
    whole, before = (author.read(given, "small.yaml", no_table) for given in (text, BASE))
    assert isinstance(whole, Instrument), whole
    assert isinstance(before, Instrument)
    matrix = whole.question("Q4")
    assert isinstance(matrix, Matrix)
    rules = tuple(row.show_if for row in matrix.rows if row.show_if)
    assert rules == (Rule(q="Q2", op="at_least", value=(3,)), Rule(q="Q2", op="at_most", value=(9,)))
    assert matrix.show_if == Rule(all=(before.question("Q4").show_if or Rule(), Rule(any=rules)))
    assert {change.place for change in compare(before, whole)} == {"Q4", "Q4.safe", "Q4.clean"}
    assert decode(encode(whole)) == whole


@pytest.mark.parametrize(
    ("label", "rule", "message", "path"),
    [
        ("Sûr", "q: Q5, op: answered", "points forward, to Q5", "/questions/3/rows/0/show_if/q"),
        ("Sûr", "q: Q4, op: answered", "points to its own question", "/questions/3/rows/0/show_if/q"),
        ("Sûr", "q: Q2, op: at_least, value: 121", "safe of Q4 can never be shown", "/questions/3/rows/0/show_if"),
        ("Achats", "q: Q1, op: in, value: [dk]", "shop of Q3 can never be shown", "/questions/2/options/1/show_if"),
        ("D'accord", "q: Q2, op: answered", "the options of Q4 belong to all its rows", "/scales/agree/1/show_if"),
    ],
)
def test_rules_of_options_and_rows_are_checked_where_they_stand(label: str, rule: str, message: str, path: str) -> None:
    told = faults(ruled(label, rule))
    assert (told[0].path, message in told[0].message) == (path, True), told[0]


def test_as_many_options_as_are_wanted_are_there_for_everybody() -> None:
    text = ruled("Achats", "q: Q2, op: answered", ruled("Promenade", "q: Q2, op: answered"))
    assert isinstance(author.read(text, "small.yaml", no_table), Instrument)
    told = faults(text.replace("    max_choices: 2", "    min_choices: 2"))
    assert "Q3 wants 2 options, and only 1 are there for everybody" in told[0].message
