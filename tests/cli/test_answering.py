"""Cells into answers: numbers, tokens, several choices and places as other programs write them. What is unclear is refused."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import cells as reading
from deploy.cli import import_map, import_report, mapping
from deploy.cli.answering import Answering
from deploy.cli.import_map import ImportMap
from deploy.cli.mapping import ColumnMapping, UnfitHeader
from proto import author
from proto.instrument import Instrument

WALK = """\
format: platea-instrument/1
id: walk
version: 1.0.0
source_language: en
languages: [en]
title: {en: Walk}
sections: [{id: A, text: {en: A}}]
questions:
  - {id: S1, var: s1, section: A, type: single, text: {en: Dog}, privacy: {role: insensitive}, stats: [count],
     options: [{code: "no", en: "No"}, {code: "yes", en: "Yes"}, {code: dk, en: "Not sure"}, {code: other, en: Other}]}
  - {id: S1_other, var: s1_other, section: A, type: short_text, text: {en: Which}, privacy: {role: free_text}, stats: [count]}
  - {id: N1, var: n1, section: A, type: integer, min: 0, max: 1000000, text: {en: Steps}, privacy: {role: insensitive}, stats: [count]}
  - {id: N3, var: n3, section: A, type: numeric, decimals: 3, min: -1000, max: 1000000, text: {en: Fare}, privacy: {role: insensitive},
     stats: [count]}
  - {id: D1, var: d1, section: A, type: date, precision: day, min: "2020-01-01", max: "2030-01-01", text: {en: Day},
     privacy: {role: insensitive}, stats: [count]}
  - {id: D2, var: d2, section: A, type: date, precision: month, min: "2020-01", max: "2030-01", text: {en: Month},
     privacy: {role: insensitive}, stats: [count]}
  - {id: N4, var: n4, section: A, type: integer, text: {en: Cats}, privacy: {role: insensitive}, stats: [count],
     special: [{code: dk, en: Not known}]}
  - {id: D3, var: d3, section: A, type: date, precision: year, text: {en: Year}, privacy: {role: insensitive}, stats: [count],
     special: [{code: never, en: Never}]}
  - {id: T1, var: t1, section: A, type: short_text, text: {en: Word}, privacy: {role: free_text}, stats: [count]}
  - {id: M1, var: m1, section: A, type: multiple, text: {en: Why}, privacy: {role: insensitive}, stats: [count],
     options: [{code: work, en: Work}, {code: fun, en: Fun}, {code: park, en: "Park, north"}, {code: other, en: Other}]}
  - {id: M1_other, var: m1_other, section: A, type: short_text, text: {en: What else}, privacy: {role: free_text}, stats: [count]}
  - {id: R1, var: r1, section: A, type: ranking, rank_count: 3, text: {en: Best}, privacy: {role: insensitive}, stats: [count],
     options: [{code: park, en: Park}, {code: river, en: River}, {code: hill, en: Hill}]}
  - {id: X1, var: x1, section: A, type: matrix, text: {en: Agree}, privacy: {role: insensitive}, stats: [count],
     rows: [{code: safe, en: Safe}, {code: nice, en: Nice}], options: [{code: "1", en: "Yes"}, {code: "2", en: "No"}]}
"""


def walk() -> Instrument:
    found = author.read(WALK, "walk.yaml", lambda name: "")
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    return found


SURVEY = walk()


def read(columns: dict[str, dict[str, Any]], *rows: dict[str, str], **said: Any) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """Answers and reasons of each row."""
    checked = mapping.agreeing({name: ColumnMapping(**entry) for name, entry in columns.items()}, list(columns), SURVEY)
    map_ = ImportMap("platea-import/2", "walk", checked, **said)
    answering = Answering(checked, SURVEY, rows, map_)
    found = [answering.answers(row, line) for line, row in enumerate(rows, 2)]
    return [answers for answers, _ in found], [reasons for _, reasons in found]


def column(question: str, *cells: str, **said: Any) -> list[Any]:
    """What each cell of one column answers; a refused one as its reason."""
    of_map = {key: said.pop(key) for key in ("numbers", "dates", "missing", "apart") if key in said}
    answers, reasons = read({"Q": {"question": question, **said}}, *({"Q": cell} for cell in cells), **of_map)
    return [why[0].removeprefix("Q: ") if why else given.get(question) for given, why in zip(answers, reasons, strict=True)]


def test_special_values_stand_in_place_of_numbers_and_years() -> None:
    assert column("N4", "dk", "7", "Not known", codes={"Not known": "dk"}) == ["dk", 7, "dk"]
    assert column("N1", "dk") == ["'dk' is not a number"]
    assert column("D3", "2024", "2024-05", "never", "24") == ["2024", "2024", "never", "'24' is not a day"]


ASK = "can mean {} or {}: say `numbers` in the map"


def test_thousands_that_could_be_decimals_are_asked_about() -> None:
    assert column("N1", "12,500", "1,000", "12.500", "1.000", "12500") == [
        "'12,500' " + ASK.format("12500", "12.5"),
        "'1,000' " + ASK.format("1000", "1"),
        "'12.500' " + ASK.format("12500", "12.5"),
        "'1.000' " + ASK.format("1000", "1"),
        12500,
    ]
    assert column("N1", "1,000", "+5,000", "100,000", "1,000,000", "12.000") == [
        1000,
        5000,
        100000,
        1000000,
        "'12.000' " + ASK.format("12000", "12"),
    ]
    assert column("N3", "2,107", "950") == ["'2,107' " + ASK.format("2107", "2.107"), 950]
    assert column("N3", "1 250,5", "1\u00a0250", "1\u202f250", "\u20ac12", "12%", "20 25", "\u22125", "0,250", ".5") == [
        1250.5,
        1250,
        1250,
        "'\u20ac12' is not a number",
        "'12%' is not a number",
        "'20 25' is not a number",
        -5,
        0.25,
        0.5,
    ]


def test_a_column_tells_its_own_marks_and_the_map_decides() -> None:
    assert column("N3", "1.250", "0.977", "2.5") == [1.25, 0.977, 2.5]
    assert column("N3", "1,234.5", "1,250", "7") == [1234.5, 1250, 7]
    assert column("N3", "10,5", "11.25", "1,250") == [10.5, 11.25, "'1,250' " + ASK.format("1250", "1.25")]
    comma, point = mapping.NumberMarks(",", "."), mapping.NumberMarks(".", ",")
    assert column("N3", "1.250", "1.250,5", "1,250", numbers=comma) == [1250, 1250.5, 1.25]
    assert column("N3", "1.250", "1,250", "1 250", numbers=point) == [1.25, 1250, "'1 250' is not a number"]
    assert column("N1", "1.000", "22.0", numbers=mapping.NumberMarks(".")) == [1, 22]


def test_ticks_in_one_cell_are_no_number() -> None:
    assert column("N3", "1,3,2", "1;3") == ["'1,3,2' is not a number", "'1;3' is not a number"]


number = st.decimals(-(10**9), 10**9, places=3, allow_nan=False, allow_infinity=False)


@given(number, st.sampled_from([(".", ","), (",", "."), (".", ""), (",", ""), (".", " "), (",", "'")]))
def test_a_number_written_under_any_marks_is_among_its_readings(value: Decimal, marks: tuple[str, str]) -> None:
    decimal, thousands = marks
    text = f"{value:,.3f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)
    found = reading.readings(text)
    assert value in found
    assert len(found) == 1 or len(text.split(decimal)[-1]) == 3


@given(st.text("0123456789.,' -+", max_size=12))
def test_a_cell_has_at_most_one_reading_for_each_decimal_mark(cell: str) -> None:
    assert reading.readings(cell) == reading.readings(cell, ".") | reading.readings(cell, ",")
    assert len(reading.readings(cell, ".")) <= 1 >= len(reading.readings(cell, ","))


TOKENS = ["NA", "N/A", "#N/A", "NaN", "NULL", ".", "-", "\\N", "#DIV/0!"]


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_missing_only_where_it_is_declared(token: str) -> None:
    undeclared = f"{token!r} is no answer by its looks: declare it under `missing`, or give it a code"
    for question in ("S1", "N1", "D1", "M1", "R1"):
        assert column(question, token) == [undeclared]
        assert column(question, token, missing=(token,)) == [None]
    assert column("S1", token, codes={token: "no"}) == ["no"]


def test_a_word_that_is_a_code_of_the_questionnaire_is_an_answer() -> None:
    single = WALK.replace('{code: dk, en: "Not sure"}', '{code: na, en: "Not applicable"}')
    special = single.replace("text: {en: Steps}", 'text: {en: Steps}, special: [{code: na, en: "Cannot walk"}]')
    found = author.read(special, "walk.yaml", lambda name: "")
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    answering = Answering({name: ColumnMapping(name) for name in ("S1", "N1")}, found)
    assert answering.answers({"S1": "na", "N1": "na"}) == ({"S1": "na", "N1": "na"}, [])
    assert len(answering.answers({"S1": "NA", "N1": "NA"})[1]) == 2
    assert answering.tallies["S1"].suspect == {"NA": 1}


def test_numbers_that_stand_for_no_answer_are_told() -> None:
    columns = {"Q": ColumnMapping("N3", missing=("-98",))}
    rows = [{"Q": cell} for cell in ("-99", "5", "-98", "-99")]
    answering = Answering(columns, SURVEY, rows, None)
    found = [answering.answers(row)[0] for row in rows]
    assert found == [{"N3": -99}, {"N3": 5}, {}, {"N3": -99}]
    assert (answering.tallies["Q"].suspect, answering.tallies["Q"].missing) == ({"-99": 2}, {"-98": 1})
    assert column("S1", "-99", "no", apart={"-99": "dk"}) == ["dk", "no"]
    assert reading.outlying(["18", "77", "88", "91", "99"]) == {"99"}
    assert reading.outlying(["1", "7", "-9", "77"]) == {"-9", "77"}


def test_days_are_never_turned_round() -> None:
    unclear = "is a day whose order is not known: say `dates` in the map"
    assert column("D1", "2026-02-03", "03/02/2026", "2026-02-03 00:00:00", "2024-11-22T10:00:00Z") == [
        "2026-02-03",
        f"'03/02/2026' {unclear}",
        "2026-02-03",
        "2024-11-22",
    ]
    assert column("D1", "46056", "2026-02-30") == ["'46056' is not a day", "'2026-02-30' is not a day"]
    assert column("D1", "03/02/2026", "3.2.2026", dates=mapping.DateOrder("dmy")) == ["2026-02-03", "2026-02-03"]
    american = column("D1", "03/01/2026 10:00:00 AM", "22/11/2024", dates=mapping.DateOrder("mdy"))
    assert american == ["2026-03-01", f"'22/11/2024' {unclear}"]
    assert column("D2", "2026-02-03", "2026-02") == ["2026-02", "2026-02"]


def test_labels_without_a_code_are_named_with_the_nearest() -> None:
    codes = {"Rather often": "yes", "Never": "no"}
    assert column("S1", "Rather not", codes=codes) == ["'Rather not' has no code in the map; nearest: 'Rather often' (yes)"]
    assert column("S1", "Yes") == ["'Yes' is no option of S1; nearest: 'yes' (yes)"]
    assert column("S1", "Not\u00a0 sure", "Not sure\u200b", codes={"Not sure": "dk"}) == ["dk", "dk"]
    assert column("S1", "2.0", codes={"2": "no"}) == ["no"]
    assert column("S1", "2.0", codes={"2": "no", "2.0": "yes"}) == ["yes"]


COMMAS = {"Park, north": "park", "Work": "work", "Park": "fun"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"work,fun": ["work", "fun"], "work;fun": ["work", "fun"], "work ; fun;": ["work", "fun"], "fun work": ["fun", "work"]}),
        ({}, {"work|work": ["work"]}),
        ({"split": ",", "codes": {"1": "work", "2": "fun", "3": "park"}}, {"1,3": ["work", "park"], "2": ["fun"], "1, 2": ["work", "fun"]}),
        ({"split": ", ", "codes": COMMAS}, {"Park, north, Work": ["park", "work"], "Work, Park": ["work", "fun"], "Park, north": ["park"]}),
        ({"split": ";", "codes": {"Work": "work", "Fun": "fun"}}, {"Work;Fun;": ["work", "fun"], "Fun;": ["fun"]}),
        ({"codes": {"Work": "work"}}, {"Work": ["work"]}),
    ],
)
def test_several_choices_in_one_cell(said: dict[str, Any], expected: dict[str, list[str]]) -> None:
    assert column("M1", *expected, **said) == list(expected.values())


def test_what_is_left_of_a_cell_is_the_text_of_other_or_refused() -> None:
    said: dict[str, Any] = {"question": "M1", "split": ", ", "codes": {"Park, north": "park", "Work": "work"}}
    assert read({"Q": said}, {"Q": "Work, Swimming"})[1] == [["Q: 'Swimming' has no code in the map"]]
    answers, reasons = read({"Q": {**said, "other": "other"}}, {"Q": "Work, Swimming, Park, north"}, {"Q": "Swimming, Running"})
    assert answers[0] == {"M1": ["work", "park", "other"], "M1_other": "Swimming"}
    assert reasons[1] == ["Q: 'Swimming' has no code in the map"]
    answers, _ = read({"Q": {"question": "S1", "codes": {"No": "no"}, "other": "other"}}, {"Q": "A cat"})
    assert answers == [{"S1": "other", "S1_other": "A cat"}]


def test_a_text_without_its_option_is_refused() -> None:
    columns = {"Q": {"question": "M1", "split": ","}, "Q_TEXT": {"question": "M1", "specify": "other"}}
    answers, reasons = read(columns, {"Q": "work,other", "Q_TEXT": "Swim"}, {"Q": "work", "Q_TEXT": "Swim"})
    assert answers[0] == {"M1": ["work", "other"], "M1_other": "Swim"}
    assert reasons == [[], ["Q_TEXT: a text stands here, but the option 'other' was not chosen"]]


@pytest.mark.parametrize(
    ("yes", "no", "said"),
    [
        ("1", "0", {}),
        ("1.0", "0.0", {}),
        ("TRUE", "FALSE", {}),
        ("Checked", "Unchecked", {}),
        ("Yes", "No", {}),
        ("Selected", "Not selected", {}),
        ("Y", "", {}),
        ("Fun", "", {}),
        ("fun", "", {}),
        ("Fun", "Not selected", {"codes": {"Fun": "1", "Not selected": "0"}}),
        ("Quoted", "-", {"ticked": ("Quoted",), "unticked": ("-",)}),
        ("x", "NA", {"missing": ("NA",)}),
    ],
)
def test_a_column_of_one_option_as_eleven_tools_write_it(yes: str, no: str, said: dict[str, Any]) -> None:
    columns: dict[str, dict[str, Any]] = {"work": {"question": "M1", "option": "work"}, "fun": {"question": "M1", "option": "fun", **said}}
    rows = [{"work": work, "fun": fun} for work, fun in (("1", yes), ("1", no), ("0", no), ("1", "?"))]
    answers, reasons = read(columns, *rows)
    assert answers[:3] == [{"M1": ["work", "fun"]}, {"M1": ["work"]}, {}]
    assert not any(reasons[:3])
    assert len(reasons[3]) == 1


def test_rows_with_nothing_ticked_are_counted() -> None:
    columns = {f"M1.{code}": ColumnMapping("M1", option=code) for code in ("work", "fun")}
    answering = Answering(columns, SURVEY, [])
    for row in ({"M1.work": "0", "M1.fun": "0"}, {"M1.work": "1", "M1.fun": "0"}, {}):
        answering.answers(row)
    assert answering.none_ticked == {"M1": 1}


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (("1", "2", "3"), ["park", "river", "hill"]),
        (("3", "1", "2"), ["river", "hill", "park"]),
        (("1.0", "2.0", ""), ["park", "river"]),
        (("1", "1", ""), "two options stand in place 1"),
        (("1", "3", ""), "the places 1, 3 are not 1 to 2, each once"),
        (("2", "3", ""), "the places 2, 3 are not 1 to 2, each once"),
        (("0", "1", "2"), "give the place, such as 1"),
        (("10", "20", "30"), "the places 10, 20, 30 are not 1 to 3, each once"),
    ],
)
def test_places_are_1_to_n_each_once(places: tuple[str, ...], expected: Any) -> None:
    names = ("park", "river", "hill")
    columns = {name: {"question": "R1", "option": name} for name in names}
    answers, reasons = read(columns, dict(zip(names, places, strict=True)))
    if isinstance(expected, list):
        assert answers == [{"R1": expected}]
        assert reasons == [[]]
    else:
        assert [why.partition(": ")[2] for why in reasons[0]] == [expected]


def test_rankings_by_place_and_in_one_cell() -> None:
    by_place = {f"{place}": {"question": "R1", "place": place, "codes": {"The park": "park", "Hill": "hill"}} for place in (1, 2)}
    answers, reasons = read(by_place, {"1": "Hill", "2": "The park"}, {"1": "", "2": "Hill"}, {"1": "Hill", "2": "Hill"})
    assert answers[0] == {"R1": ["hill", "park"]}
    assert reasons[1] == ["1: the places 2 are not 1 to 1, each once"]
    assert reasons[2] == ["1: an option stands in two places"]
    assert column("R1", "hill park river", "river;hill") == [["hill", "park", "river"], ["river", "hill"]]
    assert column("R1", "Hill;Park;", split=";", codes={"Hill": "hill", "Park": "park"}) == [["hill", "park"]]
    assert column("R1", "hill hill") == ["an option stands in two places"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"X": {"question": "X1"}}, "that has rows: name one of its rows, such as safe"),
        ({"X": {"question": "X1", "option": "1"}}, "does not exist"),
        ({"A": {"question": "N1"}, "B": {"question": "N1"}}, "the columns 'A' and 'B' answer the same, N1"),
        (
            {"A": {"question": "X1", "row": "safe"}, "B": {"question": "X1", "row": "safe"}},
            "the columns 'A' and 'B' answer the same, X1.safe",
        ),
        ({"A": {"question": "R1"}, "B": {"question": "R1", "option": "park"}}, "'A' and 'B' both answer R1, whole and in parts"),
        ({"B": {"question": "M1", "option": "work"}, "A": {"question": "M1"}}, "'A' and 'B' both answer M1, whole and in parts"),
        ({"A": {"question": "S1", "option": "yes"}}, "an option has a column of its own only in a multiple choice or a ranking"),
        ({"A": {"question": "M1", "option": "work", "place": 1}}, "only one of row, option, place and specify can be said"),
        ({"A": {"question": "S1", "codes": {"Y": "maybe"}}}, "'maybe', the code of 'Y', is no option of it"),
        ({"A": {"question": "S1", "specify": "no"}}, "'no' is no option of it that asks for a text"),
        ({"A": {"question": "S1", "split": ","}}, "its cells hold one answer each and cannot be split"),
        (
            {"A": {"question": "M1", "split": ",", "codes": {"Work, Fun": "park", "Work": "work", "Fun": "fun"}}},
            "the label 'Work, Fun' can also be read as several others",
        ),
    ],
)
def test_columns_that_do_not_fit_are_a_sentence(columns: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(UnfitHeader, match=re.escape(message)):
        read(columns, {})


def test_headers_whole_and_in_parts_or_with_an_option_of_a_single_choice_are_a_sentence() -> None:
    for header in (["R1", "R1.park"], ["R1.park", "R1"], ["M1", "M1.work"]):
        with pytest.raises(UnfitHeader, match="whole and in parts"):
            mapping.from_header(header, SURVEY)
    with pytest.raises(UnfitHeader, match="an option has a column of its own only"):
        mapping.from_header(["S1.yes", "T1"], SURVEY)


def test_a_dry_run_tells_years_without_a_mark_of_thousands_and_what_became_of_known_rows() -> None:
    columns = {"Year": ColumnMapping("N1"), "Spent": ColumnMapping("N3")}
    answering = Answering(columns, SURVEY, [])
    for line, year in enumerate(("1932", "1975", "2007"), 2):
        assert answering.answers({"Year": year, "Spent": f"{year}0.5"}, line)[1] == []
    told = [line.split("  ")[-1].strip() for line in import_report.lines(answering, None, [])]
    assert told == ["1932 to 2007, median 1975", "19,320.5 to 20,070.5, median 19,750.5"]
    before = import_report.there_before
    assert before({"same": 1200, "withdrawn": 2}, False) == " Of these rows 1,200 were there before; 2 were withdrawn since and stay so."
    assert before({"other": 3}, True) == " Of these rows 3 were there before with other answers, which --replace changes."
    assert before({}, False) == " None of these rows was there before."


MAP = "format: platea-import/1\nsurvey: walk\ncolumns:\n"


def test_the_words_of_yaml_are_cells_and_codes() -> None:
    found = import_map.read(f"{MAP}  Dog: {{question: S1, codes: {{Yes: yes, No: no, 1: dk}}}}\n  2026: {{question: T1}}\n", "m.yaml")
    assert isinstance(found, ImportMap)
    assert found.columns == {"Dog": ColumnMapping("S1", codes={"Yes": "yes", "No": "no", "1": "dk"}), "2026": ColumnMapping("T1")}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('  Dog:\n    question: S1\n    codes: {"Y": "yes", "N": "no", "Y": "no"}\n', 6, "the key Y stands here a second time"),
        ("  Dog: {question: S1}\n  Word: {question: T1}\n  Dog: {question: T1}\n", 6, "the key Dog stands here a second time"),
        ("  Dog: {question: S1, cods: {}}\n", 4, "unknown key cods"),
        ("  Dog: &a {question: S1}\n", 4, "anchors are refused"),
        ("  Dog: {question: R1, place: first}\n", 4, "'first' is not a whole number"),
        ("  Dog: {question: S1}\nweight: {column: w, least: 0.2}\n", 5, "unknown key least"),
    ],
)
def test_a_faulty_map_is_told_by_its_line(text: str, line: int, message: str) -> None:
    found = import_map.read(MAP + text, "m.yaml", 10)
    assert isinstance(found, list)
    assert [(fault.line, message in fault.message) for fault in found] == [(line + 10, True)]
