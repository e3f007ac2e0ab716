"""The report equals a count by hand of how far rare or insensitive answers single people out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from proto.author import read
from proto.instrument import Instrument
from services.export.report.compared import ComparedVariable, Value, compare
from services.export.report.insensitive import insensitive
from services.export.report.known import known
from services.export.report.sentences import sentences, warnings
from tests.export.attacks import product, rare_answers
from tests.export.gate.test_true_values import PLACE, instrument, made, question


def test_the_report_counts_as_the_attacker_does() -> None:
    release = product("social-cohesion", 300)
    fields = [field for field in compare(release.original, release.table, release.columns) if not field.identifies]
    found = {each.answers: each for each in known(fields, 10)}
    for many in (2, 3):
        (naive, people), (ours, _) = rare_answers(many)(1)
        assert found[many].people == people > 0
        assert found[many].found_before == pytest.approx(naive / people) != 0
        assert found[many].found == ours == 0
    assert any("of at most 20 people each), 0\N{NO-BREAK SPACE}% can be found" in sentence for sentence in sentences(release.report()))


def test_a_build_that_withholds_each_rare_answer_by_itself_is_found_out() -> None:
    """Ten cells of each variable are withheld, no two in the same row but one: a withheld cell that agrees with anything hides no pair."""
    rows = np.arange(100)
    given = [np.where(rows < 3, 1, 0), np.where((rows < 1) | (rows > 97), 1, 0)]
    gone = [rows < 10, (rows < 1) | (rows > 90)]
    values = (Value("0", (0,)), Value("1", (1,)), Value("*", (0, 1)))
    fields = [
        ComparedVariable(name, {}, "insensitive", False, ("0", "1"), values, codes, np.where(hidden, 2, codes))
        for name, codes, hidden in zip("ab", given, gone, strict=True)
    ]
    one, two = known(fields, 10)
    assert (one.people, one.found) == (5, 0)
    assert (two.people, two.found_before, two.found) == (1, 1, 1)


def plain(name: str, codes: np.ndarray) -> ComparedVariable:
    answers = tuple(str(code) for code in range(10))
    return ComparedVariable(
        name, {}, "insensitive", False, answers, tuple(Value(code, (at,)) for at, code in enumerate(answers)), codes, codes
    )


def test_insensitive_answers_that_leave_rows_alone_are_found() -> None:
    dice = np.random.default_rng(1)
    table = {name: dice.integers(0, size, 400) for name, size in zip("abcdef", (9, 8, 7, 6, 2, 1), strict=True)}
    found = insensitive([plain(name, codes) for name, codes in table.items()])
    assert found is not None
    assert found.variables[:2] == ("a", "b")
    assert set(found.variables) == set("abcd")
    sizes = pd.DataFrame(table).groupby(list("abcd")).size()
    assert found.alone == (sizes == 1).sum() / 400
    assert insensitive([plain("f", table["f"])]) is None, "all gave the same"


def test_whoever_makes_a_release_is_warned_where_insensitive_answers_leave_rows_alone() -> None:
    many = ", ".join(f'{{code: "{n}", en: "{n}"}}' for n in range(6))
    asked = instrument(PLACE, *(question(f"Q{n}", f"q{n}", "single", f"options: [{many}]", "insensitive") for n in range(5)))
    found = made(asked, "public", 300).report()
    (warning,) = warnings(found)
    assert found.insensitive is not None
    assert found.insensitive.alone > 0.05
    assert warning.startswith(f"Warning: {found.insensitive.variables[0]}, ")
    assert warning in sentences(found)
    few = made(instrument(PLACE, question("Q1", "q1", "single", f"options: [{many}]", "insensitive")), "public", 300).report()
    assert warnings(few) == []


def test_whoever_makes_a_release_without_quasi_identifiers_is_told_what_that_says() -> None:
    yes = 'options: [{code: "1", en: "Yes"}, {code: "2", en: "No"}]'
    asked = read(
        (
            "format: platea-instrument/1\nid: poll\nversion: '0.1.0'\nsource_language: en\nlanguages: [en]\ntitle: {en: Poll}\n"
            "notice: {en: I agree.}\nsections: [{id: A, text: {en: You}}]\nquestions:\n"
        )
        + question("Q1", "q1", "single", yes, "insensitive"),
        "poll.yaml",
        lambda name: "",
    )
    assert isinstance(asked, Instrument), asked
    found = made(asked, "public", 60).report()
    (said,) = warnings(found)
    assert "declares no quasi-identifier" in said
    assert "all 60 rows count as one group" in said
    assert found.prosecutor.after.smallest == 60
    assert found.steps == found.utility.told == ()
