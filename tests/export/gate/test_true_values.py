"""Every released cell is what was answered, something coarser, withheld, or says truly why there is no answer; numbers stay."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyreadstat
import pytest

from proto.answers import Reader
from proto.author import bundled, load, read
from proto.codebook import CodeBook
from proto.instrument import Band, Hierarchy, Instrument, Single
from services.export import release
from services.export.dataset.numbering import numbers
from services.export.dataset.profiles import PROFILES
from services.export.dataset.variables import MISSING, SKIPPED, Encoder, Variable, left_out, variables, with_bands
from services.export.gate import after
from services.export.gate.ledger import LedgerKeys
from services.export.gate.quasi_identifiers import codes_of
from services.export.gate.truth import Untrue, Witness, unlike
from services.export.pipeline import protected_table
from services.export.report.compared import ComparedVariable, Value
from services.export.report.report import Facts, Share, report
from services.export.report.sentences import sentences
from services.export.report.utility import cut_off
from tests.export.tables import Made, answers, every_kind

WITHOUT_BANDS = """
format: platea-instrument/1
id: no-bands
version: "0.1.0"
source_language: en
languages: [en]
title: {en: No bands}
notice: {en: I agree.}
hierarchies:
  age: {levels: [exact, band, "*"], bands: [["0-29", "30-49", "50+"]]}
  born: {levels: [month, year, period, "*"], periods: ["1940-1969", "1970-1989", "1990+"]}
  place: {levels: [place, "*"]}
sections: [{id: A, text: {en: You}}]
questions:
"""


def question(id: str, var: str, type: str, rest: str, privacy: str) -> str:
    return f"  - {{id: {id}, var: {var}, section: A, type: {type}, text: {{en: {var}}}, {rest}, privacy: {{role: {privacy}}}}}\n"


YES = 'options: [{code: "1", en: "Yes"}, {code: "2", en: "No"}]'
AGE = question("A1", "age", "integer", "min: 0, max: 120", "quasi_identifier, hierarchy: age")
BORN = question("A2", "born", "date", "min: 1940-01", "quasi_identifier, hierarchy: born")
REST = (
    question("A3", "income", "numeric", "min: 0, max: 90000", "sensitive")
    + question("A4", "ok", "single", YES, "insensitive")
    + question("A5", "rooms", "integer", 'min: 0, max: 30, show_if: {q: A4, op: in, value: ["1"]}', "insensitive")
)
PLACE = question("P1", "place", "single", "options: [{code: a, en: A}, {code: b, en: B}]", "quasi_identifier, hierarchy: place")
SECOND = PLACE.replace("P1", "P2").replace("var: place", "var: other")
TEXT = question("T1", "said", "long_text", "max_chars: 3000", "free_text")


def instrument(*questions: str) -> Instrument:
    found = read(WITHOUT_BANDS + "".join(questions), "no-bands.yaml", lambda name: "")
    assert isinstance(found, Instrument), found
    return found


def encoded(asked: Instrument, count: int, seed: int = 3) -> tuple[list[Variable], list[Any], np.ndarray[Any, Any], pd.DataFrame]:
    columns = variables(asked)
    reader, given = answers(asked, count, seed)
    encoder = Encoder(CodeBook(reader), columns)
    codes = encoder.add(given)
    return columns, given, codes, encoder.table()


def made(asked: Instrument, profile: str, count: int, seed: int = 3) -> Made:
    columns, _, _, original = encoded(asked, count, seed)
    keys = LedgerKeys(bytes(32), asked.id)
    people = keys.people([uuid.UUID(int=n).bytes for n in range(count)])
    protected = protected_table(columns, original, PROFILES[profile], people, keys)
    return Made(asked, columns, original, protected, release.table_of(1, asked, columns, protected, PROFILES[profile], count))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["every-kind", "no-bands", *sorted(bundled())])
def test_every_code_that_protection_starts_from_is_what_was_answered(name: str) -> None:
    asked = {"every-kind": every_kind, "no-bands": lambda: instrument(AGE, BORN, REST)}.get(name, lambda: load(bundled()[name]))()
    assert isinstance(asked, Instrument)
    asked = with_bands(asked)
    columns, given, codes, _ = encoded(asked, 120)
    Witness(asked, columns).judge(given, codes)


def test_a_column_that_says_not_answered_of_those_who_answered_is_found() -> None:
    """As numbers without bands once were: every cell "_missing"."""
    asked = with_bands(every_kind())
    columns, given, codes, original = encoded(asked, 300)
    for name in ("age", "since", "reasons.market", "statements.safe", "rank.2", "district"):
        place = next(place for place, column in enumerate(columns) if column.name == name)
        wrong = codes.copy()
        wrong[place] = columns[place].codes.index(MISSING)
        with pytest.raises(Untrue, match=name):
            Witness(asked, columns).judge(given, wrong)
    keys = LedgerKeys(bytes(32), asked.id)
    people = keys.people([uuid.UUID(int=n).bytes for n in range(300)])
    true = after._released

    def lying(*given: Any) -> pd.DataFrame:
        table = true(*given)
        return table.assign(**{"rank.1": table["rank.1"].cat.remove_categories(["c"]).fillna("a")})

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(after, "_released", lying)
        with pytest.raises(Untrue, match=r"rank\.1"):
            protected_table(columns, original, PROFILES["public"], people, keys)


def test_a_number_without_bands_takes_those_of_its_hierarchy_or_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    asked = instrument(AGE, BORN, REST, PLACE)
    assert left_out(asked) == ("income", "rooms")
    assert [column.name for column in variables(asked)] == ["ok", "place"], "without bands nothing can be told"
    asked = with_bands(asked)
    found = made(asked, "public", 300)
    manifest = found.write(tmp_path)
    assert manifest.left_out == ("income", "rooms")
    csv = pd.read_csv(tmp_path / "data.csv", dtype=str, keep_default_na=False)
    assert list(csv.columns) == ["age", "born", "ok", "place"]
    assert set(csv["age"]) <= {"0-29", "30-49", "50+", "*", MISSING}
    assert set(csv["age"]) & {"0-29", "30-49", "50+"}
    assert (found.original["age"] == MISSING).sum() < 150
    for page in ("codebook.html", "report.html"):
        text = (tmp_path / page).read_text("utf-8")
        assert "income" in text
        assert "without bands" in text


def test_a_band_is_told_as_a_wider_one_only_where_that_holds_all_of_it() -> None:
    """16-29, 30-49 within 16-39, 40+: who is 45 is not "16-39"."""
    age = next(column for column in variables(every_kind()) if column.name == "age")
    wide = Hierarchy(
        ("exact", "wide", "wider", "*"), "bands", {}, ((Band("16-39", 16, 39), Band("40+", 40)), (Band("16-49", 16, 49), Band("50+", 50)))
    )
    ladder = Variable("age", age.question, {}, age.labels, age.cells, ordered=True, hierarchy=wide, bands=age.bands).ladder()
    assert ladder[0] == {"16-29": "16-39", "30-49": "16-49", "50-64": "40+", "65+": "40+"}
    narrow = Hierarchy(("exact", "wide", "*"), "bands", {}, ((Band("16-39", 16, 39), Band("40+", 40)),))
    (ladder_,) = Variable("age", age.question, {}, age.labels, age.cells, ordered=True, hierarchy=narrow, bands=age.bands).ladder()
    assert ladder_["30-49"] == "*"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "questions",
    [
        (PLACE,),
        (PLACE, SECOND),
        (PLACE, TEXT),
        (PLACE, SECOND, TEXT),
        (AGE, TEXT),
        (PLACE, REST),
        (REST,),
        (REST, TEXT),
    ],
)
def test_a_survey_of_few_questions_is_released(questions: tuple[str, ...], profile: str, tmp_path: Path) -> None:
    found = made(with_bands(instrument(*questions)), profile, 120)
    manifest = found.write(tmp_path)
    assert manifest.released == 120
    assert all("0 two-way" not in sentence for sentence in sentences(found.report()))
    assert "two-way" not in (tmp_path / "report.html").read_text("utf-8") or len(found.columns) > 1


def test_a_share_of_answers_that_are_told_as_one_is_that_of_all_of_them_once() -> None:
    """50 of 200 chose 1, 2 or 3, and no file tells which of them."""
    field = ComparedVariable(
        "s",
        {},
        "insensitive",
        True,
        ("1", "2", "3", "4", MISSING, SKIPPED),
        (Value("1|2|3", (0, 1, 2)), Value("4", (3,)), Value("*", (0, 1, 2, 3, 4, 5))),
        np.repeat([0, 1, 2, 3], [10, 15, 25, 150]),
        np.repeat([0, 1, 2], [45, 145, 10]),
    )
    shares = tuple(Share({"en": code}, "s", (code,)) for code in "1234")
    heads = report([field], Facts(1, "s", "1", {}, "en", "public", 10, shares)).utility.headlines
    assert [(head.label, head.answered, head.share, head.untold) for head in heads] == [
        ("1 (1|2|3)", 190, round(45 / 190, 4), 10),
        ("4", 190, round(145 / 190, 4), 10),
    ]
    assert {head.moved for head in heads} == {0.1}, "the least step above 10 of 190"


def numbered(found: Made) -> dict[str, dict[str, int]]:
    return {column.name: {each.code: each.number for each in column.categories} for column in found.table.columns}


def test_a_number_means_the_same_in_every_release_of_a_survey() -> None:
    """Whatever is found: public and scientific, few people and many, before and after more came."""
    asked = load(bundled()["social-cohesion"])
    assert isinstance(asked, Instrument)
    meanings: dict[tuple[str, int], str] = {}
    for profile, count, seed in (("public", 60, 3), ("public", 300, 3), ("scientific", 120, 4)):
        for name, codes in numbered(made(asked, profile, count, seed)).items():
            assert len(set(codes.values())) == len(codes)
            for code, number in codes.items():
                assert meanings.setdefault((name, number), code) == code, f"{number} of {name}"


def test_neighbours_told_as_one_have_a_number_of_their_own_in_every_version() -> None:
    scale = [f'{{code: "{n}", en: "{n}"}}' for n in range(5)]
    first, second = (
        variables(instrument(question("N1", "s", "single", f"ordered: true, options: [{', '.join(options)}]", "insensitive")))[0]
        for options in (scale, [*scale[:2], "{code: new, en: New}", *scale[2:]])
    )
    one, two = numbers(first), numbers(second, [first])
    assert one.items() <= two.items()
    assert one["0|1"] == 1001
    assert one["1|2|3"] == 1103
    assert "0|1|2|3|4" not in one, "of all answers nothing would be told"
    assert len(set(two.values())) == len(two)
    assert two["1|new"] == 1105
    assert two["1|new|2"] not in one.values(), "other answers than 1|2"


def test_a_later_version_keeps_the_numbers_of_the_earlier_one() -> None:
    asked = every_kind()
    district = next(question for question in asked.questions if question.var == "district")
    assert isinstance(district, Single)
    first = next(column for column in variables(asked) if column.name == "district")
    one = numbers(first)
    assert one == {"old": 1, "harbour": 2, "hill": 3, "north": 1001, "south": 1002}
    new = msgspec.structs.replace(district.options[0], code="new")
    options = (new, district.options[2], district.options[0])
    hierarchy = asked.hierarchies["district"]
    wider = msgspec.structs.replace(hierarchy, table={"new": ("east",), **hierarchy.table})
    later = msgspec.structs.replace(
        asked,
        questions=tuple(msgspec.structs.replace(district, options=options) if each is district else each for each in asked.questions),
        hierarchies={**asked.hierarchies, "district": wider},
    )
    second = next(column for column in variables(later) if column.name == "district")
    assert numbers(second, [first]) == one | {"new": 4, "east": 1003}
    statement = next(column for column in variables(asked) if column.name == "statements.safe")
    assert numbers(statement) == {"1": 1, "2": 2}, "codes that are numbers stand for themselves"


def test_the_report_tells_the_share_that_the_files_give() -> None:
    asked = with_bands(every_kind())
    found = made(asked, "public", 300)
    columns = {column.name: column for column in found.table.columns}
    codes = {name: [column.categories[code].code for code in column.codes.tolist()] for name, column in columns.items()}
    heads = found.report().utility.headlines
    assert heads
    for head in heads:
        if columns[head.variable].level is None:
            told = [code for code in codes[head.variable] if code not in (MISSING, SKIPPED, "*")]
            assert head.answered == len(told)
            assert head.untold == codes[head.variable].count("*")
            assert any(head.share == pytest.approx(told.count(code) / len(told), abs=1e-4) for code in set(told))


def test_rare_ends_of_a_scale_are_told_as_one_answer_and_the_net_promoter_score_stays(tmp_path: Path) -> None:
    """Eleven-point scale, the low end of which few chose: 40 of 200 people, none of whose answers more than 10 gave."""
    scale = ", ".join(f'{{code: "{n}", en: "Level {n}"}}' for n in range(11))
    asked = instrument(PLACE, question("N1", "nps", "single", f"ordered: true, options: [{scale}]", "insensitive"))
    columns = variables(asked)
    reader = Reader(asked)
    given = [reader.stored(msgspec.json.encode({"P1": "ab"[n % 2], "N1": str(10 - n % 3) if n >= 40 else str(n % 7)})) for n in range(200)]
    encoder = Encoder(CodeBook(reader), columns)
    encoder.add(given)
    original, keys = encoder.table(), LedgerKeys(bytes(32), asked.id)
    people = keys.people([uuid.UUID(int=n).bytes for n in range(200)])
    protected = protected_table(columns, original, PROFILES["public"], people, keys)
    found = Made(asked, columns, original, protected, release.table_of(1, asked, columns, protected, PROFILES["public"], 200))
    (nps,) = (column for column in found.table.columns if column.name == "nps")
    codes = [nps.categories[code].code for code in nps.codes.tolist()]
    assert (protected.withheld, protected.merged) == (0, 1)
    assert sum(code in ("9", "10") for code in codes) == sum(1 for n in range(40, 200) if n % 3 < 2)
    low = [each for each in nps.categories if not each.absent and "|" in each.code]
    assert sum(code in {each.code for each in low} for code in codes) == 40, "0 to 6, and none of those who chose more"
    assert [each.code for each in nps.categories if not each.absent] == [*(each.code for each in low), "7", "8", "9", "10"]
    assert all(each.labels["en"] in ("Level 0 / Level 1", "Level 2 / Level 3", "Level 4 … Level 6") for each in low)
    assert found.report().utility.cut_off == ()
    assert any("On 1 scale neighbouring answers are told as one" in reason for reason in found.protected.reasons)
    manifest = found.write(tmp_path)
    assert manifest.policy["merged_scales"] == 1
    csv = pd.read_csv(tmp_path / "data.csv", dtype=str, keep_default_na=False)
    assert sorted(csv["nps"]) == sorted(codes)
    sav, described = pyreadstat.read_sav(tmp_path / "data.sav")
    labels = described.variable_value_labels["nps"]
    assert sorted(labels[number] for number in sav["nps"]) == sorted(nps.shown("en")[code] for code in nps.codes.tolist())
    assert {labels[number] for number in (9.0, 10.0)} == {"Level 9", "Level 10"}


def test_neighbours_that_do_not_hold_the_answer_are_found() -> None:
    scale = ", ".join(f'{{code: "{n}", en: "{n}"}}' for n in range(4))
    asked = instrument(PLACE, question("N1", "s", "single", f"ordered: true, options: [{scale}]", "insensitive"))
    columns, _, _, original = encoded(asked, 60)
    column, given = columns[1], codes_of(original, columns[1])
    for wrong, name in (
        (original["s"].cat.rename_categories({"0": "0|1"}), None),
        (original["s"].cat.rename_categories({"0": "1|2"}), "s"),
    ):
        assert unlike([column], lambda _: given, original.assign(s=wrong)) == name
    assert column.merged("0|1") == ("0", "1")
    assert column.merged("0|2") == column.merged("1|0") == column.merged("0|x") == column.merged(MISSING) == ()


def test_an_end_of_a_scale_that_is_withheld_is_said() -> None:
    """Three answers, of one of which few were given: two steps are left, so that the third is withheld."""
    asked = instrument(PLACE, question("N1", "ok", "single", f"ordered: true, {YES}", "insensitive"))
    field = ComparedVariable("ok", {}, "insensitive", True, ("1", "2", "3", MISSING, SKIPPED), (), np.zeros(0), np.zeros(0))
    shown = (Value("1|2", (0, 1)), Value("*", (0, 1, 2, 3, 4)))
    assert cut_off(replace(field, released=shown, after=np.array([0, 0, 1])))
    assert not cut_off(replace(field, released=(*shown, Value("3", (2,))), after=np.array([0, 2, 1])))
    assert variables(asked)[1].merged("1|2") == ("1", "2")
