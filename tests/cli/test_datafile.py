"""Data files as other programs write them: encodings, separators, header rows and workbooks; nothing is guessed, nothing is dropped."""

from __future__ import annotations

import csv
import datetime
import io
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli.datafile import reading
from deploy.cli.datafile.reading import FileOptions, read_sheet
from deploy.cli.datafile.sheet import DataSheet, UnreadableFile


def read(data: bytes | str, **options: Any) -> DataSheet:
    return read_sheet(data.encode() if isinstance(data, str) else data, FileOptions(**options))


def table(data: bytes | str, **options: Any) -> list[list[str]]:
    sheet = read(data, **options)
    return [sheet.columns, *(list(row.cells.values()) for row in sheet.rows if row.cells is not None)]


def refusal(data: bytes | str, **options: Any) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(data, **options)
    return str(caught.value)


PLAIN = [["S1", "T1"], ["no", "café"], ["yes", "b"]]


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("S1,T1\nno,café\nyes,b\n".encode("utf-8-sig"), {}),
        ("S1\tT1\nno\tcafé\nyes\tb\n".encode("utf-16"), {}),
        (b"\xfe\xff" + "S1;T1\nno;café\nyes;b\n".encode("utf-16-be"), {}),
        ("S1;T1\nno;café\nyes;b\n".encode("cp1252"), {"encoding": "cp1252"}),
        (b"S1,T1\rno,caf\xc3\xa9\ryes,b", {}),
        ("sep=;\nS1;T1\nno;café\nyes;b\n", {}),
        ('"sep=|"\r\nS1|T1\r\nno|café\r\nyes|b\r\n', {}),
        ("S1|T1\nno|café\nyes|b\n", {}),
        ("\n\nS1,T1,,\nno,café,,\n\n,,,\nyes,b,,\n", {}),
        ("S1,T1\nno,café,\nyes,b,,\n", {}),
    ],
)
def test_the_same_table_is_read_in_every_dress(data: bytes | str, options: dict[str, Any]) -> None:
    assert table(data, **options) == PLAIN


cell = st.text(st.sampled_from("ab1,;|\t \"'\né"), max_size=6)


@given(
    st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_program_wrote_is_read_back_or_asked_about(rows: list[list[str]], separator: str, end: str, encoding: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows([["A", "B, or C", "D"], *rows])
    said = {"encoding": "utf-8"} if encoding == "utf-8" else {}
    expected = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    try:
        found = table(text.getvalue().encode(encoding), **said)
    except UnreadableFile as unreadable:
        assert "say --separator" in str(unreadable)  # noqa: PT017
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        assert names[separator] in str(unreadable)  # noqa: PT017
        found = table(text.getvalue().encode(encoding), separator=separator, **said)
    assert found == [["A", "B, or C", "D"], *expected]


def test_an_encoding_is_never_guessed() -> None:
    latin = "S1,T1\nno,Straße\nyes,café\nno,plain\n".encode("latin-1")
    sheet = read(latin)
    assert [(row.line, row.fault.partition(";")[0]) for row in sheet.rows if row.fault] == [
        (2, "byte 8 of the row is not UTF-8"),
        (3, "byte 8 of the row is not UTF-8"),
    ]
    assert "--encoding" in sheet.rows[0].fault
    assert table(latin, encoding="latin-1")[1:] == [["no", "Straße"], ["yes", "café"], ["no", "plain"]]
    assert refusal(b"a,b\nx,\x81\n", encoding="cp1252") == "line 2 is not cp1252: byte 7 of the file stands for no character"
    assert "is no encoding" in refusal(b"a,b\nx,y\n", encoding="latin-99")
    assert "--encoding utf-16-le" in refusal("a,b\nx,y\n".encode("utf-16-le"))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Do you walk, cycle, run, or ride to work?;One word\nno;a\nyes;b\n", ["Do you walk, cycle, run, or ride to work?", "One word"]),
        ("Gehen, oder laufen Sie?;Wie oft, etwa?\nnein;selten, nie\nja;oft\n", ["Gehen, oder laufen Sie?", "Wie oft, etwa?"]),
        ('"Do you own\na dog?";"Word"\nno;a\nyes;b\n', ["Do you own\na dog?", "Word"]),
        ('"Do you own\r\na dog?";"Word"\r\n"no";"a, b"\r\n"yes";"b"\r\n', ["Do you own\na dog?", "Word"]),
        ('"Do you own\na dog?",Word\nno,a\nyes,b\n', ["Do you own\na dog?", "Word"]),
        ("word\na, b\nc\n", ["word"]),
    ],
)
def test_the_separator_is_that_of_header_and_rows_together(text: str, columns: list[str]) -> None:
    sheet = read(text)
    assert sheet.columns == columns
    assert not [row.fault for row in sheet.rows if row.fault]


def test_two_separators_that_fit_are_asked_about() -> None:
    text = "a;b,c\n1;2,3\n4;5,6\n"
    assert refusal(text) == "its cells can be parted in two ways, by comma (2 columns) or semicolon (2 columns); say --separator"
    assert table(text, separator=";") == [["a", "b,c"], ["1", "2,3"], ["4", "5,6"]]


def test_rows_of_another_width_are_named_and_kept() -> None:
    sheet = read("q;word\nno;b;extra\nyes;a\nno\nyes;b\n")
    assert [(row.line, row.fault) for row in sheet.rows if row.fault] == [
        (2, "the row has 3 cells, the header 2"),
        (4, "the row has 1 cells, the header 2"),
    ]


def test_columns_that_cannot_be_told_apart_are_named_by_their_place() -> None:
    assert refusal("Timestamp,Why?,How often?,Why?\n1,a,b,c\n") == "the header names 'Why?' twice (columns 2 and 4)"
    title = "Survey of the square 2026,,\nDog,Word,Age\nno,w,20\n"
    assert "columns 2 and 3 have no name; if the names stand in a later row, say --header" in refusal(title)
    assert table(title, header=("ignore", "name")) == [["Dog", "Word", "Age"], ["no", "w", "20"]]


QUALTRICS = (
    "\ufeffStartDate,ResponseId,Q1,Q4\n"
    'Start Date,Response ID,How often do you walk?,"Anything\nelse?"\n'
    '"{""ImportId"":""startDate"",""timeZone"":""Europe/Paris""}","{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}","{""ImportId"":""QID4""}"\n'
    "2026-03-01 10:00:00,R_0,5,\n"
    "2026-03-01 10:01:00,R_1,4,fine\n"
)


def test_three_header_rows_of_qualtrics_are_no_people() -> None:
    sheet = read(QUALTRICS)
    assert [row.cells["ResponseId"] for row in sheet.rows if row.cells] == ["R_0", "R_1"]
    assert sheet.texts["Q4"] == "Anything\nelse?"
    assert [row.line for row in sheet.rows] == [5, 6]
    assert sheet.understood == "2 rows, UTF-8 with a mark, comma, 3 header rows (Qualtrics)"


def test_two_header_rows_of_older_qualtrics_are_no_people() -> None:
    sheet = read("V1,V2,Q1,\nResponseID,ResponseSet,How often?,\nR_0,Default,5,\nR_1,Default,4,\n")
    assert (sheet.columns, len(sheet.rows), sheet.texts["Q1"]) == (["V1", "V2", "Q1"], 2, "How often?")


def test_two_header_rows_of_surveymonkey_name_question_and_option() -> None:
    text = "Respondent ID,Collector ID,Why?,,,Age?\n,,Work,Fun,Health,Open-Ended Response\n118,4411,Work,,Health,79\n"
    assert table(text) == [
        ["Respondent ID", "Collector ID", "Why? [Work]", "Why? [Fun]", "Why? [Health]", "Age?"],
        ["118", "4411", "Work", "", "Health", "79"],
    ]


def workbook(*rows: list[Any], more: bool = False) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Answers"
    for row in rows:
        sheet.append(row)
    if more:
        book.create_sheet("Other")
    stored = io.BytesIO()
    book.save(stored)
    return stored.getvalue()


def test_a_workbook_is_read_as_its_cells_are_meant() -> None:
    data = workbook(
        ["Day", "Code", "Sum", "Sure", "Time", "Note", None],
        [datetime.date(2026, 2, 3), 3.0, 1234.5, True, datetime.datetime.fromisoformat("2026-02-03 09:12:33"), "#N/A", None],
        *([None] * 7 for _ in range(20)),
        [datetime.datetime.fromisoformat("2026-02-04"), 12, 0.1 + 0.2, False, None, "007", None],
    )
    assert table(data) == [
        ["Day", "Code", "Sum", "Sure", "Time", "Note"],
        ["2026-02-03", "3", "1234.5", "TRUE", "2026-02-03 09:12:33", "#N/A"],
        ["2026-02-04", "12", "0.3", "FALSE", "", "007"],
    ]
    assert table(data, decimal=",")[1][2] == "1234,5"
    assert [row.line for row in read(data).rows] == [2, 23]


def test_a_workbook_that_does_not_say_which_sheet_or_what_a_formula_gives_is_refused() -> None:
    two = workbook(["A", "B"], [1, 2], more=True)
    assert refusal(two) == "the workbook has 2 sheets (Answers, Other); say --sheet"
    assert table(two, sheet="Answers") == [["A", "B"], ["1", "2"]]
    assert "no sheet 'Third'" in refusal(two, sheet="Third")
    assert "cell B2 is a formula without a stored value" in refusal(workbook(["A", "B"], [1, "=A2+1"]))
    assert "save it as .xlsx" in refusal(b"\xd0\xcf\x11\xe0" + b"\0" * 100)
    assert "damaged" in refusal(b"PK\x03\x04 no zip")
    wide = read(workbook(["A", "B"], [1, 2, 3], [1]))
    assert [(row.line, row.fault) for row in wide.rows if row.fault] == [(2, "the row has 3 cells, the header 2")]
    assert wide.rows[1].cells == {"A": "1", "B": ""}


def laid_out(**hidden: list[Any]) -> bytes:
    """Five rows and three columns, of which some are hidden."""
    book = openpyxl.load_workbook(io.BytesIO(workbook(["A", "B", "C"], [1, 2, 3], [4, 5, 6], [7, 8, 9])))
    sheet = book["Answers"]
    for number in hidden.get("rows", []):
        sheet.row_dimensions[number].hidden = True
    for name in hidden.get("columns", []):
        sheet.column_dimensions[name].hidden = True
    for area in hidden.get("merged", []):
        sheet.merge_cells(area)
    stored = io.BytesIO()
    book.save(stored)
    return stored.getvalue()


@pytest.mark.parametrize(
    ("hidden", "sentence", "seen"),
    [
        ({"rows": [3]}, "row 3 is hidden; say --hidden read or --hidden skip", [["A", "B", "C"], ["1", "2", "3"], ["7", "8", "9"]]),
        ({"columns": ["B"]}, "column B is hidden; say", [["A", "C"], ["1", "3"], ["4", "6"], ["7", "9"]]),
        ({"rows": [2, 3], "columns": ["A", "C"]}, "rows 2, 3 and columns A, C are hidden; say", [["B"], ["8"]]),
        ({"rows": [200], "columns": ["Z"]}, "", [["A", "B", "C"], ["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]]),
    ],
)
def test_hidden_rows_and_columns_are_asked_about(hidden: dict[str, list[Any]], sentence: str, seen: list[list[str]]) -> None:
    data = laid_out(**hidden)
    if sentence:
        assert sentence in refusal(data)
    assert table(data, hidden="read") == [["A", "B", "C"], ["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]]
    assert table(data, hidden="skip") == seen


def test_merged_cells_never_leave_rows_or_columns_without_their_own() -> None:
    assert "the cells A3:A4 are merged; part them" in refusal(laid_out(merged=["A3:A4"]))
    assert "the cells B1:C1 of the header are merged; part them, or say --header name,option" in refusal(laid_out(merged=["B1:C1"]))
    two = laid_out(merged=["B1:C1"])
    assert table(two, header=("name", "option")) == [["A [1]", "B [2]", "B [3]"], ["4", "5", "6"], ["7", "8", "9"]]
    sheet = read(two, header=("text", "name"))
    assert (sheet.columns, sheet.texts) == (["1", "2", "3"], {"1": "A", "2": "B", "3": "B"})
    assert table(laid_out(merged=["A1:C1"]), header=("ignore", "name")) == [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]]
    assert table(laid_out(merged=["A8:C9"])) == table(laid_out())


def test_a_file_too_wide_or_too_long_is_refused_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = ",".join(f"c{place}" for place in range(10_001))
    assert refusal(f"{wide}\n{wide}\n") == "it has 10,001 columns; at most 10,000 can be read"
    monkeypatch.setattr(reading, "MOST_CELLS", 20)
    assert refusal("A,B\n" + "1,2\n" * 11) == "it has more than 10 rows of 2 columns; import it in parts"
    assert len(read("A,B\n" + "1,2\n" * 10).rows) == 10
