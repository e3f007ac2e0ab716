"""An author is told every fault at once, with its line and what to do, and never meets an exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from proto import author
from proto.instrument import Date, Instrument, Integer, Matrix, Rule, Single
from proto.scores import scored
from tests.builders.no_table import no_table

BASE = """\
format: platea-instrument/1
id: small
version: "1.0.0"
source_language: en
languages: [en, fr]
title: {en: "Small", fr: "Petit"}
hierarchies:
  place: {levels: [place, side, "*"], map: {a: left, b: right, dk: dk}}
  age: {levels: [exact, band, "*"], bands: [["0-17", "18-64", "65+"]]}
scales:
  agree:
    - {code: "1", en: "Disagree", fr: "Pas d'accord"}
    - {code: "2", en: "Agree", fr: "D'accord"}
sections:
  - {id: A, text: {en: "You", fr: "Vous"}}
  - {id: B, text: {en: "Views", fr: "Avis"}}
questions:
  - id: Q1
    var: place
    section: A
    type: single
    required: true
    text: {en: "Where?", fr: "Où ?"}
    options:
      - {code: a, en: "Here", fr: "Ici"}
      - {code: b, en: "There", fr: "Là"}
      - {code: dk, en: "Don't know", fr: "Ne sait pas"}
    privacy: {role: quasi_identifier, hierarchy: place}
    stats: [count, share]
  - id: Q2
    var: age
    section: A
    type: integer
    text: {en: "Age?", fr: "Âge ?"}
    min: 0
    max: 120
    bands: ["0-17", "18-64", "65+"]
    privacy: {role: quasi_identifier, hierarchy: age}
    stats: [count, distribution]
  - id: Q3
    var: uses
    section: B
    type: multiple
    show_if: {q: Q1, op: in, value: [a, b]}
    text: {en: "Uses?", fr: "Usages ?"}
    max_choices: 2
    options:
      - {code: walk, en: "Walk", fr: "Promenade"}
      - {code: shop, en: "Shop", fr: "Achats"}
      - {code: none, en: "None", fr: "Aucun", exclusive: true}
    privacy: {role: insensitive}
    stats: [count, share]
  - id: Q4
    var: views
    section: B
    type: matrix
    scale: agree
    ordered: true
    show_if: {any: [{q: Q3, op: any_in, value: [walk]}, {q: agrees, op: derived, value: "1"}]}
    text: {en: "Views?", fr: "Avis ?"}
    rows:
      - {code: safe, en: "Safe", fr: "Sûr"}
      - {code: clean, en: "Clean", fr: "Propre"}
    privacy: {role: sensitive}
    stats: [count, share, mean]
  - id: Q5
    var: wish
    section: B
    type: short_text
    text: {en: "Wish?", fr: "Souhait ?"}
    privacy: {role: free_text}
derived:
  - {id: agrees, rule: {q: Q1, op: in, value: [a]}, labels: {"1": {en: "Here", fr: "Ici"}, "0": {en: "Not", fr: "Non"}}}
strata: [place.side, agrees]
soft_checks:
  - {id: s1, when: {q: Q4, op: any_row_in, rows: [safe], value: ["2"]}, text: {en: "Sure?", fr: "Sûr ?"}}
headlines:
  - {id: h1, label: {en: "Here", fr: "Ici"}, question: Q1, stat: share, of: agrees}
margins: [{of: place.side, source: {en: "Register", fr: "Registre"}, counts: {left: 900, right: 100}}]
policy: {minimum: 10, batch: 5}
"""


def faults(text: str, table: Callable[[str], str] | None = None) -> list[author.AuthoringFault]:
    found = author.read(text, "small.yaml", table or no_table)
    assert isinstance(found, list), "accepted"
    return found


def only(old: str, new: str) -> author.AuthoringFault:
    """The one fault of BASE with a piece replaced, which must stand in one place."""
    assert BASE.count(old) == 1, old
    (fault,) = faults(BASE.replace(old, new))
    return fault


def line_of(text: str) -> int:
    return BASE[: BASE.index(text)].count("\n") + 1


def test_a_sound_file_becomes_an_instrument() -> None:
    found = author.read(BASE, "small.yaml", no_table)
    assert isinstance(found, Instrument)
    place, age = found.question("Q1"), found.question("Q2")
    assert isinstance(place, Single)
    assert isinstance(age, Integer)
    assert place.options[0].text == {"en": "Here", "fr": "Ici"}
    assert (age.bands[0].lower, age.bands[0].upper, age.bands[2].upper) == (0, 17, None)
    assert found.hierarchies["place"].table == {"a": ("left",), "b": ("right",), "dk": ("dk",)}
    assert [(portion.code, portion.share) for portion in found.margins[0].portions] == [("left", 0.9), ("right", 0.1)]


def with_scale(codes: tuple[str, str], scores: tuple[int | None, int | None, int | None], ordered: bool = True) -> str:
    said = ["" if score is None else f", score: {score}" for score in scores]
    lines = [f'    - {{code: "{code}", en: "{code}", fr: "{code}"{score}}}' for code, score in zip((*codes, "dk"), said, strict=True)]
    begin, end = BASE.index("  agree:"), BASE.index("sections:")
    text = BASE[:begin] + "\n".join(["  agree:", *lines]) + "\n" + BASE[end:]
    text = text.replace('value: ["2"]}', f'value: ["{codes[1]}"]}}')
    return text if ordered else text.replace("    ordered: true\n", "").replace("stats: [count, share, mean]", "stats: [count, share]")


@pytest.mark.parametrize(
    ("codes", "scores", "ordered", "worth"),
    [
        (("no", "yes"), (0, 10, None), True, [("no", 0), ("yes", 10)]),
        (("no", "yes"), (10, -10, None), True, [("yes", -10), ("no", 10)]),
        (("no", "yes"), (7, 7, None), False, [("no", 7), ("yes", 7)]),
        (("1", "2"), (0, 100, None), True, [("1", 0), ("2", 100)]),
        (("1", "2"), (None, None, None), True, [("1", 1), ("2", 2)]),
    ],
)
def test_options_are_worth_what_their_author_says(
    codes: tuple[str, str], scores: tuple[int | None, int | None, int | None], ordered: bool, worth: list[tuple[str, int]]
) -> None:
    found = author.read(with_scale(codes, scores, ordered), "small.yaml", no_table)
    assert isinstance(found, Instrument), found
    question = found.question("Q4")
    assert isinstance(question, Matrix)
    assert scored(question) == worth


@pytest.mark.parametrize(
    ("codes", "scores", "message"),
    [
        (("no", "yes"), (0, None, None), "some options of Q4 have a score, but yes have none"),
        (("no", "yes"), (0, 1, 2), "dk of Q4 is never scored"),
        (("no", "yes"), (1, 1, None), "the scores of Q4 go neither up nor down"),
        (("1", "2"), (2, 1, None), "the scores of Q4 say another order than its codes"),
        (("a2", "a1"), (None, None, None), "the codes of Q4 say another order than its places"),
    ],
)
def test_scores_codes_and_places_that_contradict_each_other_are_a_fault(
    codes: tuple[str, str], scores: tuple[int | None, int | None, int | None], message: str
) -> None:
    text = with_scale(codes, scores).replace("stats: [count, share, mean]", "stats: [count, share]")
    assert [message in fault.message for fault in faults(text)] == [True], faults(text)


def test_a_number_without_bounds_and_a_special_value_that_is_out_of_them() -> None:
    text = BASE.replace("    max: 120\n", "    special: [{code: '-9', en: 'Not known', fr: 'Non connu'}]\n")
    found = author.read(text, "small.yaml", no_table)
    assert isinstance(found, Instrument), found
    age = found.question("Q2")
    assert isinstance(age, Integer)
    assert (age.min, age.max) == (0, 1_000_000_000)
    assert [(option.code, option.text["fr"]) for option in age.special] == [("-9", "Non connu")]


DATE = """\
  - id: Q6
    var: since
    section: B
    type: date
    text: {en: "Since?", fr: "Depuis ?"}
    privacy: {role: insensitive}
"""


@pytest.mark.parametrize(
    ("precision", "least"), [("", "1900-01"), ("    precision: day\n", "1900-01-01"), ("    precision: year\n", "1900")]
)
def test_the_earliest_date_is_as_precise_as_its_question(precision: str, least: str) -> None:
    found = author.read(BASE.replace("derived:", DATE + precision + "derived:"), "small.yaml", no_table)
    assert isinstance(found, Instrument), found
    question = found.question("Q6")
    assert isinstance(question, Date)
    assert question.min == least


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('    precision: year\n    min: "2000-01"\n', "2000-01 is not a year"),
        ('    precision: month\n    min: "2000"\n', "2000 is not a month"),
        ('    precision: year\n    special: [{code: "2000", en: A, fr: A}]\n', "2000 of Q6 is also a possible answer"),
    ],
)
def test_a_date_of_another_precision_is_a_fault(keys: str, message: str) -> None:
    found = faults(BASE.replace("derived:", DATE + keys + "derived:"))
    assert [message in fault.message for fault in found] == [True], found


def test_a_fault_names_file_line_place_and_advice() -> None:
    fault = only("    max: 120", "    maxx: 120\n    max: 120")
    assert (fault.file, fault.line, fault.path) == ("small.yaml", line_of("    max: 120"), "/questions/1/maxx")
    assert str(fault) == f"small.yaml:{fault.line}: unknown key maxx (did you mean max?)"


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    broken = (
        BASE.replace('version: "1.0.0"', "version: 1.0")
        .replace("max_choices: 2", "max_choices: two")
        .replace("value: [a, b]", "value: [a, c]")
        .replace("minimum: 10", "minimum: 0")
    )
    found = faults(broken)
    assert [fault.path for fault in found] == ["/version", "/questions/2/show_if/value", "/questions/2/max_choices", "/policy/minimum"]
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)


@pytest.mark.parametrize(
    ("old", "new", "message", "advice"),
    [
        ("    max: 120", "    max: 120\n    max: 130", "stands here a second time", "first is in line"),
        ("minimum: 10", "&m minimum: 10", "anchors are refused", ""),
        ("stats: [count, distribution]", "stats: &s [count]", "anchors are refused", ""),
        ("rule: {q: Q1, op: in, value: [a]}", "rule: *r", "aliases are refused", ""),
        ('version: "1.0.0"', 'version: !!str "1.0.0"', "tags are refused", ""),
        ('{code: "1", en', "{code: 1, en", "not read as text", 'quotes: "1"'),
        ("{code: a, en", "{code: no, en", "not read as text", 'quotes: "no"'),
        ("{code: shop, en", '{code: "sh op", en', "does not fit", "a code"),
        ("{code: shop, en", "{code: walk, en", "code in Q3 walk is used twice", "first in line"),
        ("  - id: Q5", "  - id: q5", "does not fit", "a question id"),
        ("  - id: Q5", "  - id: Q2", "question id Q2 is used twice", "line"),
        ("    var: wish", "    var: age", "variable age is used twice", "line"),
        ("    var: wish", "    var: agrees", "variable agrees is used twice", "line"),
        ("id: small", "id: Small", "does not fit", "a survey id"),
        ("    required: true", '    required: "true"', "neither true nor false", ""),
        ("    max: 120", '    max: "120"', "not a whole number", "without quotes"),
        ('    text: {en: "Wish?", fr: "Souhait ?"}\n', "", "the key text is missing", ""),
        ('{en: "Age?", fr: "Âge ?"}', '{en: "Age?"}', "text in fr is missing", "every declared language"),
        ('{en: "Age?", fr: "Âge ?"}', '{en: "Age?", fr: ""}', "the text is empty", ""),
        ('{en: "Age?", fr: "Âge ?"}', '{en: "Age?", fr: "Âge ?", de: "Alter?"}', "de is not a declared language", "known here: en, fr"),
        ('{code: walk, en: "Walk", fr: "Promenade"}', '{code: walk, en: "Walk"}', "text in fr is missing", ""),
        ('{code: clean, en: "Clean", fr: "Propre"}', '{code: clean, en: "Clean", fx: "Propre", fr: "P"}', "unknown key fx", ""),
        ('{id: B, text: {en: "Views", fr: "Avis"}}', '{id: B, text: {en: "Views"}}', "text in fr is missing", ""),
        ('title: {en: "Small", fr: "Petit"}', 'title: {en: "Small", fr: "\\u0000"}', "control character", ""),
        ("type: short_text", "type: text", "text is not a type of question", "did you mean"),
        ("type: short_text\n", "type: short_text\n    rank_count: 2\n", "unknown key rank_count", "known here"),
        ("    section: A\n    type: integer", "    section: C\n    type: integer", "there is no section C", "known here: A, B"),
        (
            "    section: B\n    type: matrix",
            "    section: A\n    type: matrix",
            "Q4 belongs to section A, which is already over",
            "section by section",
        ),
        (
            "show_if: {q: Q1, op: in, value: [a, b]}",
            "show_if: {q: Q9, op: in, value: [a]}",
            "there is no question Q9",
            "known here: Q1, Q2",
        ),
        ("show_if: {q: Q1, op: in, value: [a, b]}", "show_if: {q: Q1, op: in, value: [a, z]}", "Q1 has no code z", "known here"),
        (
            "show_if: {q: Q1, op: in, value: [a, b]}",
            "show_if: {q: Q1, op: any_in, value: [a]}",
            "any_in is for questions of type multiple",
            "in, not_in, answered",
        ),
        ("show_if: {q: Q1, op: in, value: [a, b]}", "show_if: {q: Q4, op: answered}", "points forward, to Q4", "earlier"),
        ("show_if: {q: Q1, op: in, value: [a, b]}", "show_if: {q: Q3, op: answered}", "points to its own question", "earlier"),
        (
            "show_if: {q: Q1, op: in, value: [a, b]}",
            'show_if: {q: agree, op: derived, value: "1"}',
            "no derived variable agree",
            "did you mean agrees?",
        ),
        ("show_if: {q: Q1, op: in, value: [a, b]}", "show_if: {q: Q1, op: in}", "in needs a value", ""),
        ("show_if: {q: Q1, op: in, value: [a, b]}", "show_if: {q: Q1}", "the test lacks op", ""),
        ("show_if: {q: Q1, op: in, value: [a, b]}", "show_if: {}", "a rule is one test", ""),
        (
            "show_if: {q: Q1, op: in, value: [a, b]}",
            "show_if: {all: [{q: Q1, op: in, value: [a]}, {q: Q1, op: in, value: [b]}]}",
            "can never be shown",
            "",
        ),
        ("rows: [safe], value", "rows: [saft], value", "Q4 has no row saft", "did you mean safe?"),
        ("rule: {q: Q1, op: in, value: [a]}", 'rule: {q: Q4, op: any_row_in, value: ["1"]}', "points to its own question", "earlier"),
        ("rule: {q: Q1, op: in, value: [a]}", 'rule: {q: agrees, op: derived, value: "1"}', "not from another derived", ""),
        ("{role: quasi_identifier, hierarchy: place}", "{role: quasi_identifier}", "without a hierarchy", "generalised"),
        (
            "{role: quasi_identifier, hierarchy: place}",
            "{role: quasi_identifier, hierarchy: plaice}",
            "no hierarchy plaice",
            "did you mean place?",
        ),
        ("{role: quasi_identifier, hierarchy: age}", "{role: quasi_identifier, hierarchy: place}", "does not fit Q2", "bands"),
        ("map: {a: left, b: right, dk: dk}", "map: {a: left, b: right}", "leaves out dk of Q1", "every code"),
        ('[exact, band, "*"]', "[exact, band]", "", ""),
        ('bands: [["0-17", "18-64", "65+"]]', 'bands: [["0-17", "19-64", "65+"]]', "gap between the bands 0-17 and 19-64", "steps of 1"),
        ('bands: [["0-17", "18-64", "65+"]]', 'bands: [["0-18", "18-64", "65+"]]', "overlap", ""),
        ('bands: [["0-17", "18-64", "65+"]]', 'bands: [["0-17", "18-64"]]', "ends below the greatest", '"18+"'),
        ('bands: [["0-17", "18-64", "65+"]]', 'bands: [["5-17", "18-64", "65+"]]', "begins above the least", ""),
        ('bands: [["0-17", "18-64", "65+"]]', 'bands: [["0-17", "18-64", "65 up"]]', "does not fit", "a band"),
        ("    min: 0", "    min: 200", "", ""),
        ("    min: 0\n", "", "", "say with min"),
        ("    max: 120", "    max: 120\n    special: [{code: '99', en: 'No', fr: 'Non'}]", "99 of Q2 is also a possible answer", "dk"),
        ("    max: 120", "    max: 120\n    special: [{code: 18-64, en: 'No', fr: 'Non'}]", "18-64 of Q2 is also one of its bands", "dk"),
        ("    max: 120", "    max: 120\n    special: [{code: dk, en: A, fr: A}, {code: dk, en: B, fr: B}]", "dk", ""),
        ("    max: 120", "    max: 120\n    special: [{code: dk, en: A}]", "the text in fr is missing", ""),
        ("strata: [place.side, agrees]", "strata: [place.sides, agrees]", "place.sides is neither", "did you mean place.side?"),
        ("strata: [place.side, agrees]", "strata: [place.side, uses]", "uses is neither", ""),
        ("stats: [count, distribution]", "stats: [count, share]", "share does not fit Q2", "distribution"),
        ("stats: [count, distribution]", "stats: [count, avg]", "'avg' is not known", "known here"),
        ('    bands: ["0-17", "18-64", "65+"]\n', "", "published over bands, and it has none", "for example"),
        ("    ordered: true\n", "", "mean of Q4 needs ordered options", "ordered: true"),
        ("    scale: agree\n", "", "Q4 has no options", "one of options, scale"),
        ("    scale: agree\n", "    scale: agre\n", "there is no scale agre", "did you mean agree?"),
        ("    max_choices: 2", "    max_choices: 4", "4 choices out of 3", ""),
        ("question: Q1, stat: share", "question: Q1, stat: median", "only the share", ""),
        ("question: Q1, stat: share, of: agrees", "question: Q2, stat: mean", "mean is not among the statistics of Q2", ""),
        ("question: Q1, stat: share, of: agrees", "question: Q1, stat: share, options: [a, z]", "Q1 has no option z", "known here"),
        ("question: Q1, stat: share, of: agrees", "question: Q3, stat: share, options: [walk, shop]", "do not add up", "one option"),
        ("question: Q1, stat: share, of: agrees", "question: Q4, stat: mean, options: ['1']", "told as their share", ""),
        (
            "question: Q1, stat: share, of: agrees",
            "question: Q4, stat: share, row: saft, options: ['1']",
            "no row saft",
            "did you mean safe?",
        ),
        ("question: Q1, stat: share, of: agrees", "question: Q4, stat: share, row: safe", "of a row", "options"),
        ("margins: [{of: place.side", "margins: [{of: place.sde", "neither a stratum nor a question", "did you mean place.side?"),
        ("margins: [{of: place.side", "margins: [{of: Q3", "neither a stratum nor a question", ""),
        ("{left: 900, right: 100}", "{left: 900, right: 90, middle: 10}", "place.side has no group middle", "known here: left, right, dk"),
        ("{left: 900, right: 100}", "{left: 900, rigth: 100}", "place.side has no group rigth", "did you mean right?"),
        ("{left: 900, right: 100}", "{left: 900, right: 0}", "the group right is empty", "leave it out"),
        ("{left: 900, right: 100}", "{left: 900, right: -1}", "out of bounds", "from 0"),
        ("{left: 900, right: 100}", "{left: 900}", "two groups at least", ""),
        ("counts: {left: 900, right: 100}", "shares: {left: 0.9, right: 0.2}", "add up to 1.1", "1"),
        ("counts: {left: 900, right: 100}", "counts: {left: 1, right: 1}, shares: {left: 0.5, right: 0.5}", "either counts or shares", ""),
        (", counts: {left: 900, right: 100}", "", "either counts or shares", ""),
        ('source: {en: "Register", fr: "Registre"}, ', "", "the key source is missing", ""),
        ("{role: free_text}", "{role: insensitive}", "is free text but its role is insensitive", "free_text"),
        ("minimum: 10", "minimum: 0", "out of bounds", "from 1"),
        ("minimum: 10", "minimum: 9999999999999999999999", "is not a whole number", ""),
        ("source_language: en", "source_language: de", "de is not among the languages", ""),
    ],
)
def test_each_fault_is_told_in_plain_words(old: str, new: str, message: str, advice: str) -> None:
    found = faults(BASE.replace(old, new, 1))
    assert message in found[0].message
    assert advice in found[0].advice
    if message:
        assert len(found) == 1, "\n".join(map(str, found))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1",
        "a: [",
        "a: b: c",
        "\t",
        "%YAML 9.9\n---\n",
        "--- a\n--- b",
        "[" * 5000,
        "{a: " * 3000,
        "- " * 3000 + "x",
        "\x00",
        "a: \ud800",
        "? [a]\n: b",
        "!!python/object:os.system {}",
    ],
)
def test_text_that_is_no_instrument_is_refused_with_a_line(text: str) -> None:
    found = faults(text)
    assert found
    assert all(fault.line >= 1 and fault.message for fault in found)


def test_an_alias_bomb_does_not_grow() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n" for n in range(50))
    assert len(faults(bomb)) < 1001


def test_a_long_list_of_questions_is_refused_without_reading_on() -> None:
    question = BASE[BASE.index("  - id: Q5") : BASE.index("derived:")]
    many = "".join(question.replace("Q5", f"Q{n}").replace("wish", f"w{n}") for n in range(5, 2010))
    found = faults(BASE.replace(question, many))
    assert found[0].path == "/questions"
    assert "at most 2,000" in found[0].message


def test_a_question_that_is_not_enabled_is_checked_and_left_out() -> None:
    off = BASE.replace("    var: wish\n", "    var: wish\n    enabled: false\n")
    found = author.read(off, "small.yaml", no_table)
    assert isinstance(found, Instrument)
    assert [question.id for question in found.questions] == ["Q1", "Q2", "Q3", "Q4"]
    assert faults(off.replace("type: short_text", "type: short_text\n    max_chars: 0"))[0].path == "/questions/4/max_chars"
    hidden = BASE.replace("    var: uses\n", "    var: uses\n    enabled: false\n")
    assert "Q3 is not enabled" in faults(hidden)[0].message


def test_options_come_from_a_table_with_a_column_per_language() -> None:
    start, end = BASE.index("    options:\n      - {code: a"), BASE.index("    privacy: {role: quasi_identifier, hierarchy: place}")
    text = BASE[:start] + "    options_from: {file: places.csv, code: c, label: {en: n, fr: f}}\n" + BASE[end:]
    table = "\ufeffc,n,f\na,Here,Ici\nb,There,Là\ndk,Don't know,Ne sait pas\n"
    assert author.read(text, "small.yaml", lambda name: table) == author.read(BASE, "small.yaml", no_table)
    assert "places.csv cannot be read" in faults(text)[0].message
    (fault,) = faults(text.replace("en: n,", "en: nn,"), lambda name: table)
    assert (fault.message, fault.advice) == ("places.csv has no column nn", "did you mean n?")
    for outside in ("../secret.csv", "/etc/passwd.csv", "a/../../b.csv"):
        assert "does not fit" in faults(text.replace("places.csv", outside))[0].message


def test_a_file_is_read_with_the_tables_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(BASE, encoding="utf-8")
    assert isinstance(author.load(path), Instrument)
    path.write_bytes(b"\xff\xfe\x00")
    refused = author.load(path)
    assert isinstance(refused, list)
    (fault,) = refused
    assert "UTF-8" in fault.message


@pytest.mark.parametrize("file", author.bundled().values(), ids=lambda file: file.stem)
def test_a_file_of_format_1_says_the_same_in_format_2(file: Path, tmp_path: Path) -> None:
    words = file.read_text(encoding="utf-8").replace("format: platea-instrument/2", "format: platea-instrument/1")
    words = re.sub(r"\{([A-Z][A-Z0-9]*)\}", r"\1", words)  # braces in texts are what format 2 has a meaning for
    assert "format: platea-instrument/1" in words
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(words, encoding="utf-8")
    new.write_text(words.replace("format: platea-instrument/1", "format: platea-instrument/2"), encoding="utf-8")
    read = author.load(new)
    assert isinstance(read, Instrument)
    assert read == author.load(old)


SECTION_B = '{id: B, text: {en: "Views", fr: "Avis"}}'


def test_the_rule_of_a_section_is_one_of_each_of_its_questions() -> None:
    ruled = BASE.replace(SECTION_B, SECTION_B.replace("}}", "}, show_if: {q: Q2, op: at_least, value: 16}}"))
    found = author.read(ruled, "small.yaml", no_table)
    assert isinstance(found, Instrument), found
    adult, before = Rule(q="Q2", op="at_least", value=(16,)), author.read(BASE, "small.yaml", no_table)
    assert isinstance(before, Instrument)
    assert [found.question(id).show_if for id in ("Q1", "Q2")] == [None, None]
    assert found.question("Q3").show_if == Rule(all=(adult, Rule(q="Q1", op="in", value=("a", "b"))))
    assert found.question("Q4").show_if == Rule(all=(adult, before.question("Q4").show_if or Rule()))
    assert found.question("Q5").show_if == adult


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{q: Q3, op: answered}", "points to its own question"),
        ("{q: Q5, op: answered}", "points forward, to Q5"),
        ("{q: Q2, op: at_least, value: 121}", "the section B can never be shown"),
        ("{q: Q1, op: in, value: [z]}", "Q1 has no code z"),
    ],
)
def test_the_rule_of_a_section_is_checked_once_and_at_its_place(rule: str, message: str) -> None:
    found = faults(BASE.replace(SECTION_B, SECTION_B.replace("}}", f"}}, show_if: {rule}}}")))
    assert message in found[0].message
    assert found[0].path.startswith("/sections/1/show_if")
    assert all("can never be shown" in fault.message for fault in found[1:])


def test_a_question_that_its_section_rules_out_can_never_be_shown() -> None:
    ruled = BASE.replace(SECTION_B, SECTION_B.replace("}}", "}, show_if: {q: Q1, op: in, value: [dk]}}"))
    found = faults(ruled)
    assert all("can never be shown" in fault.message for fault in found)
    assert [fault.path for fault in found] == ["/questions/2/show_if", "/questions/3/show_if", "/soft_checks/0/when"]
