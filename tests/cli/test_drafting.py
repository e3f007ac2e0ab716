"""Drafts of data as eleven tools write them: each column becomes what it is, people are recognised, and every guess is marked."""

from __future__ import annotations

import pytest

from deploy.cli import review_marks
from deploy.cli.import_map import WeightColumn
from proto.instrument import Integer, Matrix, Multiple, Numeric
from tests.cli.drafts import drafted, kinds, options, table, times

SELECTED, NOT, ON, OFF, NA = "Selected", "Not selected", "Checked", "Unchecked", "N/A"
TICKED = [
    pytest.param({"Q_1": times("1", "0"), "Q_2": times("0", "1", "1")}, ["Q_1", "Q_2"], id="0 and 1"),
    pytest.param({"Q___1": times("1", "0"), "Q___2": times("0", "1", "1")}, ["Q___1", "Q___2"], id="redcap raw"),
    pytest.param({"Q_1": times("1.0", "0.0", ""), "Q_2": times("0.0", "1.0", "1.0")}, ["Q_1", "Q_2"], id="pandas"),
    pytest.param({"Q_1": times("TRUE", "FALSE"), "Q_2": times("FALSE", "TRUE", "TRUE")}, ["Q_1", "Q_2"], id="spss"),
    pytest.param({"Q_1": times(SELECTED, NOT), "Q_2": times(NOT, SELECTED, SELECTED)}, ["Q_1", "Q_2"], id="selected"),
    pytest.param({"Q (choice=Bus)": times(ON, OFF), "Q (choice=Tram)": times(OFF, ON, ON)}, ["Bus", "Tram"], id="redcap labels"),
    pytest.param({"Q/bus": times("1", "0"), "Q/tram": times("0", "1", "1")}, ["bus", "tram"], id="kobo"),
    pytest.param({"Q[SQ001]": times("Yes", "No"), "Q[SQ002]": times("No", "Yes", "Yes")}, ["Q[SQ001]", "Q[SQ002]"], id="limesurvey"),
    pytest.param({"Q_SQ001": times("Y", ""), "Q_SQ002": times("", "Y", "Y")}, ["Q_SQ001", "Q_SQ002"], id="limesurvey codes"),
    pytest.param({"Q[S1]. Why? [Bus]": times("Yes", NA), "Q[S2]. Why? [Tram]": times(NA, "Yes", "Yes")}, ["Bus", "Tram"], id="limes 3"),
    pytest.param({"Q_0001": times("Bus", NOT), "Q_0002": times(NOT, "Tram", "Tram")}, ["Bus", "Tram"], id="label or not"),
    pytest.param({"Q [Bus]": times("Bus", ""), "Q [Tram]": times("", "Tram", "Tram")}, ["Bus", "Tram"], id="label or empty"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "labels"), TICKED)
def test_a_column_for_each_option_is_one_multiple_choice(columns: dict[str, list[str]], labels: list[str]) -> None:
    instrument, _, answers, _ = drafted(table(columns))
    assert kinds(instrument) == {"Q": "Multiple"}
    assert options(instrument, "Q") == labels
    question = instrument.question("Q")
    assert isinstance(question, Multiple)
    one, other = [option.code for option in question.options]
    assert sum(one in given.get("Q", ()) for given in answers) == (20 if columns == TICKED[2].values[0] else 30)
    assert sum(other in given.get("Q", ()) for given in answers) == 40


@pytest.mark.parametrize("between", [", ", ";", " ", "|"])
def test_several_labels_in_a_cell_are_one_multiple_choice(between: str) -> None:
    cells = [between.join(parts) for parts in (("bus", "tram"), ("bus",), ("tram", "foot"), ("foot",), ("bus", "foot"), ())]
    instrument, map_, answers, _ = drafted(table({"Which": times(*cells), "N": times("1", "2")}))
    assert kinds(instrument)["Which"] == "Multiple"
    assert options(instrument, "Which") == ["bus", "tram", "foot"]
    assert sum("bus" in given.get("Which", ()) for given in answers) == 30
    assert map_.columns["Which"].split == (between.strip() or " ")


@pytest.mark.parametrize(
    "names",
    [
        ("How safe? [Day]", "How safe? [At night]"),
        ("How safe_1", "How safe_2"),
        ("S[SQ1]. How safe? [Day]", "S[SQ2]. How safe? [At night]"),
    ],
)
def test_columns_of_one_scale_are_a_matrix(names: tuple[str, str]) -> None:
    columns = {names[0]: times("Safe", "Unsafe", "Not sure", ""), names[1]: times("Unsafe", "Safe"), "Dog": times("yes", "no")}
    instrument, map_, answers, _ = drafted(table(columns))
    assert list(kinds(instrument).values()) == ["Matrix", "Single"]
    question = instrument.questions[0]
    assert isinstance(question, Matrix)
    assert question.text["en"].rstrip("?") == "How safe"
    rows = [map_.columns[name].row for name in names]
    assert [row.code for row in question.rows] == rows
    if "Day" in names[0]:
        assert [row.text["en"] for row in question.rows] == ["Day", "At night"]
    assert [option.code for option in question.options] == ["safe", "unsafe", "dk"]
    assert [sum(given[question.id].get(row) == "safe" for given in answers) for row in rows] == [15, 30]


def test_numbers_in_columns_named_alike_and_other_labels_are_no_matrix() -> None:
    columns = {"Paid_1": times("10", "20"), "Paid_2": times("30", "10"), "Where_1": times("park", "river"), "Where_2": times("bus", "tram")}
    assert list(kinds(drafted(table(columns))[0]).values()) == ["Integer", "Integer", "Single", "Single"]


def test_ticks_by_number_are_no_decimals() -> None:
    instrument, _, answers, text = drafted(table({"Q1": times("5", "4", "2"), "Q2": times("3", "1,3", "2,3", "1")}))
    assert kinds(instrument) == {"Q1": "Integer", "Q2": "Multiple"}
    assert sum("3" in given["Q2"] for given in answers) == 45
    assert "or are these numbers?" in text


@pytest.mark.parametrize(
    ("separator", "cells", "kind", "total"),
    [
        (",", ["2,107", "950", "2,114", "11,823"], Integer, 2107 + 950 + 2114 + 11823),
        (";", ["2.107", "950", "2.114", "11.823"], Integer, 2107 + 950 + 2114 + 11823),
        (";", ["500,50", "510,50", "1.200,25", "7"], Numeric, 500.5 + 510.5 + 1200.25 + 7),
        (",", ["500.50", "1,510.50", "9", "7"], Numeric, 500.5 + 1510.5 + 9 + 7),
        (",", ["1.250", "0.977", "2.5", "3"], Numeric, 1.25 + 0.977 + 2.5 + 3),
        (",", ["1 250", "950", "12 000", "7"], Integer, 1250 + 950 + 12000 + 7),
    ],
)
def test_thousands_and_decimals_are_told_apart_or_marked(separator: str, cells: list[str], kind: type, total: float) -> None:
    instrument, _, answers, text = drafted(table({"Sum": times(*cells), "Dog": times("yes", "no")}, separator))
    assert isinstance(instrument.question("Sum"), kind)
    assert sum(given["Sum"] for given in answers) == pytest.approx(15 * total)
    unclear = all(len(cell.replace(".", ",").split(",")[-1]) == 3 for cell in cells if "." in cell or "," in cell) and " " not in cells[0]
    assert ("change `numbers` in the import map" in text) == (unclear and kind is Integer)


@pytest.mark.parametrize("cells", [["12,500", "1,000", "12.500", "1.000"], ["1,250", "1.250", "1,234.5", "1.234,5"], ["1" * 12, "2"]])
def test_numbers_written_in_two_ways_are_neither_numbers_nor_options(cells: list[str]) -> None:
    instrument, _, _, text = drafted(table({"Sum": times(*cells), "Dog": times("yes", "no")}))
    assert kinds(instrument)["Sum"] == "LongText"
    assert "# review: type: numbers that are too long, or that are written in two ways; mend the file" in text


def test_amounts_in_a_file_with_commas_are_no_ticks_and_what_has_several_answers_is_no_quasi_identifier() -> None:
    columns = {"Income": times("200", "250", "4,150", "1,050"), "Age_1": times("18-34", ""), "Age_2": times("", "35-64")}
    instrument, map_, answers, _ = drafted(table(columns))
    assert kinds(instrument) == {"Income": "Integer", "Age": "Multiple"}
    assert sum(given["Income"] for given in answers) == 15 * (200 + 250 + 4150 + 1050)
    assert instrument.question("Age").privacy.role == "sensitive"
    assert map_.columns["Income"].numbers is not None
    years = drafted(table({"Steps 2024": ["100"], "Steps 2025": ["900"]}))[0]
    assert list(kinds(years).values()) == ["Integer", "Integer"]
    mixed = drafted(table({"Age": times("18", "44", "75+"), "Dog": times("yes", "no")}))[3]
    assert "# review: type: most cells are numbers, but not '75+'" in mixed


def test_signs_that_no_map_can_hold_are_passed_over_in_names_and_labels() -> None:
    instrument, map_, answers, _ = drafted(
        table({"It\x92s": times("don\x92t", "yes"), "Dog_1": times("a\x92b", ""), "Dog_2": times("", "c")})
    )
    assert options(instrument, "Its") == ["dont", "yes"]
    assert sum(given["Its"] == "dont" for given in answers) == 30
    assert len(answers) == 60
    assert set(map_.columns) == {"Its", "Dog_1", "Dog_2"}


@pytest.mark.parametrize("token", ["NA", "N/A", "n.a.", "#N/A", "nan", "NULL", ".", "-", "\\N"])
def test_tokens_of_programs_never_become_options_or_keep_numbers_from_being_numbers(token: str) -> None:
    instrument, map_, answers, text = drafted(table({"Happy": times("Yes", "No", token), "Steps": times("20", token, "31", "44")}))
    assert options(instrument, "Happy") == ["Yes", "No"]
    assert kinds(instrument) == {"Happy": "Single", "Steps": "Integer"}
    assert map_.missing == (token,)
    assert sum("Happy" in given for given in answers) == 40
    assert sum(given.get("Steps", 0) for given in answers) == 15 * (20 + 31 + 44)
    assert "(35 times)" in text


def test_numbers_that_stand_for_no_answer_are_declared_and_marked() -> None:
    columns = {
        "Happy": times("1", "5", "99", "3"),
        "Steps": times("20", "-99", "31"),
        "Years": times("98", "44", "93"),
        "Pay": times("1", "None"),
    }
    instrument, map_, answers, text = drafted(table(columns))
    assert {name: entry.missing for name, entry in map_.columns.items()} == {
        "Happy": ("99",),
        "Steps": ("-99",),
        "Years": (),
        "Pay": ("None",),
    }
    steps = instrument.question("Steps")
    assert isinstance(steps, Integer)
    assert steps.min >= 0
    assert sum(given.get("Happy", 0) for given in answers) == 15 * 9
    assert '# review: "99" (15 times) taken for no answer' in text


def test_comments_never_become_options() -> None:
    said = [f"The {word} was loud" for word in ("square", "street", "park", "bus", "tram", "market", "school")]
    few = table({"Anything else?": [*said, *[""] * 13], "Remarks": times("nice", "ok", "", rows=20), "Dog": times("yes", "no", rows=20)})
    instrument, _, _, text = drafted(few)
    assert kinds(instrument) == {"Anything_else": "LongText", "Remarks": "Single", "Dog": "Single"}
    assert "# review: type: options or texts? 2 different cells of 14" in text
    half = table({"Said": [*(f"note {row}" for row in range(30)), *times("fine", "good", rows=30)], "Dog": times("yes", "no")})
    assert kinds(drafted(half)[0])["Said"] == "LongText"


def test_spellings_that_nobody_can_see_are_one_option_and_capitals_are_asked_about() -> None:
    cells = times("Cafe\u0301", "Caf\u00e9", "Caf\u00e9\u200b", "Caf\u00e9 ", "CAF\u00c9", "Park")
    instrument, _, answers, text = drafted(table({"Where": cells, "A  B": times("A  B", "A B")}))
    assert options(instrument, "Where") == ["Café", "CAFÉ", "Park"]
    assert sum(given["Where"] == "cafe" for given in answers) == 40
    assert options(instrument, "A_B") == ["A B"]
    assert "options that differ in capitals alone: 'Café', 'CAFÉ'" in text


PEOPLE = {
    "ip address": times("10.0.0.0", "10.0.0.1"),
    "Where from": times("192.168.0.1", "fe80::1:2:3"),
    "LocationLatitude": times("48.0001", "48.0002"),
    "RecipientEmail": times("a", "b"),
    "Reach me": times("a0@example.org", "a1@example.org", "x"),
    "First name": times("Ann", "Bob"),
    "Call": times("0612340000", "+33 6 12 34 00 01", "(020) 555-0199"),
    "ResponseId": [f"R_{row:010d}abc" for row in range(60)],
    "visit": times("[not completed]", "2026-03-01 10:00:00"),
    "case_weight": times("0.977342", "0"),
    "_uuid": times("x", "y"),
}


def test_what_reaches_or_names_people_is_left_out_by_name_and_by_cell() -> None:
    instrument, map_, _, _ = drafted(table(PEOPLE | {"Dog": times("yes", "no")}))
    assert kinds(instrument) == {"Dog": "Single"}
    assert map_.ignored == {
        "ip address": "network addresses",
        "Where from": "network addresses",
        "LocationLatitude": "places on the map; they can single people out",
        "RecipientEmail": "how people can be reached",
        "Reach me": "mail addresses",
        "First name": "names of people",
        "Call": "telephone numbers",
        "ResponseId": "tells the rows apart",
        "visit": "times or days; they can single people out",
        "case_weight": "a weight, but 0 is not above 0",
        "_uuid": "written by the program that collected the data",
    }
    assert map_.rows.identity == ("ResponseId",)


@pytest.mark.parametrize("name", ["w", "Weights", "design weight", "WGT", "survey_wt"])
def test_a_column_of_weights_is_the_weight_of_the_data_for_the_author_to_review(name: str) -> None:
    weights = {"Dog": times("yes", "no"), name: times("0.977342", "1.2", "0.3178")}
    instrument, map_, _, text = drafted(table(weights))
    weight = instrument.case_weight
    if name == "w":
        assert weight is None, "a letter says little"
        return
    assert weight is not None
    assert (weight.least, weight.greatest, weight.privacy.role) == (0.31, 1.2, "quasi_identifier")
    assert map_.weight == WeightColumn(name)
    assert "# review: what each row weighs" in text
    assert kinds(instrument) == {"Dog": "Single", weight.id: "CaseWeight"}


@pytest.mark.parametrize(
    ("cells", "separator", "reason"),
    [
        (["1.2", "-0.5", "0"], ",", "a weight, but -0.5 is not above 0"),
        (["1.2", "heavy", "1"], ",", 'a weight, but "heavy" is not a number'),
        (["1", "1.0", "1"], ",", "a weight, but the same for each row"),
        (["1.2", "", "NA"], ",", "a weight, but 2 of 3 rows have none"),
        (["1,234", "2,500", "950"], ",", 'a weight, but "1,234" can mean 1234 or 1.234'),
        (["1.234", "2.500", "1.950"], ";", 'a weight, but "1.234" can mean 1234 or 1.234'),
    ],
)
def test_what_cannot_weigh_each_row_is_left_out_with_the_reason(cells: list[str], separator: str, reason: str) -> None:
    instrument, map_, _, text = drafted(table({"Dog": times("yes", "no", rows=3), "weight": cells}, separator))
    assert instrument.case_weight is None
    assert map_.ignored == {"weight": reason}
    assert f"# Left out: weight ({reason})." in text


@pytest.mark.parametrize("rows", [3, 9, 20])
@pytest.mark.parametrize(
    ("cells", "separator", "least", "greatest"),
    [
        (("1,234.5", "2,500", "950"), ",", 950, 2500),
        (("1.234,5", "2.500", "950"), ";", 950, 2500),
        (("0,512", "1,256", "1,211"), ";", 0.51, 1.3),
        (("1.234", "2.500", "0.950"), ",", 0.95, 2.5),
    ],
)
def test_weights_of_a_small_table_are_read_by_its_own_marks(
    cells: tuple[str, ...], rows: int, separator: str, least: float, greatest: float
) -> None:
    instrument, _, people, _ = drafted(table({"Dog": times("yes", "no", rows=rows), "weight": times(*cells, rows=rows)}, separator))
    weight = instrument.case_weight
    assert weight is not None
    assert (weight.least, weight.greatest, len(people)) == (least, greatest, rows)


def test_a_second_weight_is_left_out() -> None:
    instrument, map_, _, _ = drafted(table({"Dog": times("yes", "no"), "weight": times("1", "2"), "wt": times("3", "4")}))
    assert instrument.case_weight is not None
    assert (map_.weight, map_.ignored) == (WeightColumn("weight"), {"wt": "another weight; figures can be weighted by one"})


def test_numbers_that_all_differ_are_answers_and_running_numbers_are_not() -> None:
    columns = {"Spend": [str(row * row + 300) for row in range(60)], "Nr": [str(row + 1) for row in range(60)]}
    instrument, map_, _, _ = drafted(table(columns))
    assert kinds(instrument) == {"Spend": "Integer"}
    assert map_.ignored == {"Nr": "tells the rows apart"}


def test_roles_are_guessed_from_cells_too() -> None:
    columns = {
        "q0024": times("Widowed", "Married", "Divorced"),
        "q0030": times("Texas", "Maine", "Ohio", "Alaska"),
        "q0034": times("$10,000-$24,999", "$200,000+"),
        "q0036": times("18-34", "35 - 64", "65+"),
        "q0041": times("Catholic", "Jewish", "None"),
        "q0050": times("Often", "Never"),
    }
    instrument = drafted(table(columns))[0]
    assert {question.id: question.privacy.role for question in instrument.questions} == {
        "Q0024": "quasi_identifier",
        "Q0030": "quasi_identifier",
        "Q0034": "quasi_identifier",
        "Q0036": "quasi_identifier",
        "Q0041": "sensitive",
        "Q0050": "insensitive",
    }


def test_every_question_of_a_draft_bears_a_mark() -> None:
    instrument, _, _, text = drafted(
        table({"Dog": times("yes", "no"), "Age": times("20", "31"), "Said": [f"text {row}" for row in range(60)]})
    )
    marks = review_marks.marks(text)
    assert len([mark for mark in marks if mark.guess == "role"]) == len(instrument.questions) == 3


def test_qualtrics_questions_have_their_texts_and_three_rows_of_header_stay_in_the_map() -> None:
    text = (
        "ResponseId,Q1,Q2_1,Q2_2\nResponse ID,What is your sex?,Which? - Market,Which? - Friends\n"
        '"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2_1""}","{""ImportId"":""QID2_2""}"\n'
    )
    text += "".join(
        f"R_{row},{('Male', 'Female')[row % 2]},{'Market' if row % 2 else ''},{'Friends' if row % 3 else ''}\n" for row in range(60)
    )
    instrument, map_, answers, _ = drafted(text)
    assert len(answers) == 60
    assert instrument.question("Q1").text["en"] == "What is your sex?"
    assert options(instrument, "Q2") == ["Market", "Friends"]
    assert (map_.file.header, map_.rows.identity) == (("name", "text", "ignore"), ("ResponseId",))


def test_rows_that_cannot_be_read_are_named_and_marked() -> None:
    text = drafted("q;word\nno;b;extra\nyes;a\nno;a\nyes;b\nno;a\n")[3]
    assert "# review: 1 row could not be read, such as line 2: the row has 3 cells, the header 2" in text


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"17": times("18", "19"), "A dog": times("Yes", "No")}, "17"),
        ({"Bakery": times("Park", "Bakery", "Mill"), "Dog": times("Yes", "No")}, "Bakery"),
        ({"Why_1": times("Why_1", ""), "Fun": times("Fun", ""), "2026 in steps": times("10", "12"), "Yes or no?": times("Yes", "No")}, ""),
    ],
)
def test_a_file_without_a_row_of_names_loses_nobody_unasked(columns: dict[str, list[str]], name: str) -> None:
    text = drafted(table(columns))[3]
    sign = f'# review: the first row is taken for names, though "{name}" looks like an answer; if it is one, put a row of names above it'
    assert (sign in text) == bool(name)
    assert ("the first row is taken" in text) == bool(name)


def test_marks_are_comments_and_nothing_else() -> None:
    text = (
        "# review: all of it\na: {en: 'say # review: x'}  # review: role\nb: |\n  # review: within a text\nc: word\n"
        '# a comment about # review\nd: "two\n  # review: lines"  # review : no\ne: x # review: yes\n---\nf: 1  # review: map\n'
    )
    assert review_marks.marks(text) == [(1, "all of it"), (2, "role"), (9, "yes"), (11, "map")]
    assert review_marks.marks(text + "broken: [1\n  # review: still told\n")[-1] == (13, "still told")
