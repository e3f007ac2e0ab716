"""Small data files that other programs wrote, each with the figures of its draft, or with the sentence that refuses it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Any

import pytest

from deploy.cli.cells import NO, YES
from deploy.cli.datafile.reading import FileOptions, read_sheet
from deploy.cli.datafile.sheet import UnreadableFile
from deploy.cli.drafting.draft import UndraftableData, draft
from deploy.cli.rows import read_ndjson, whole_numbers
from proto.answers import Reader
from proto.instrument import Instrument, LongText, Multiple, ShortText
from tests.cli.drafts import drafted, kinds, table, times
from tests.cli.test_answering import SURVEY, column, read

Figures = dict[str, float | dict[str, int]]


def figures(instrument: Instrument, people: list[dict[str, Any]]) -> Figures:
    """Of each question the sum of its numbers, the count of each code, or that of its texts."""
    found: Figures = {}
    for question in instrument.asked:
        given = [one[question.id] for one in people if question.id in one]
        if isinstance(question, LongText | ShortText):
            found[question.id] = {"texts": len(given)}
        elif given and isinstance(given[0], int | float):
            found[question.id] = round(sum(given), 6)
        else:
            codes = Counter[str]()
            for answer in given:
                parts = [f"{row}.{code}" for row, code in answer.items()] if isinstance(answer, dict) else answer
                codes.update([parts] if isinstance(parts, str) else parts)
            found[question.id] = dict(codes)
    return found


def semicolons(columns: dict[str, list[str]]) -> str:
    return table(columns, ";")


NOT = "Not selected"
TREES = "Trees and birds, and other animals that live in what is left of the old gardens behind the mill"
SHOPS = "Shops are near, or nearer than they are in the parts of the town where I would rather live"
RUNNING = list(map(str, range(60)))
QUALTRICS = (
    "StartDate,Finished,ResponseId,Q1,Q2\nStart Date,Finished,Response ID,How often?,Which?\n"
    + ",".join(f'"{{""ImportId"":""{name}""}}"' for name in ("startDate", "finished", "_recordId", "QID1", "QID2"))
    + "\n"
    + "".join(f'2026-03-01 10:0{row % 10}:00,1,R_{row:05d},{row % 5 + 1},"{("1,3", "2", "1", "2,3")[row % 4]}"\n' for row in range(40))
)
SURVEYMONKEY = "\ufeffRespondent ID,Collector ID,Start Date,Why?,,How old?\n,,,Work,Fun,Open-Ended Response\n" + "".join(
    f"{118000000 + row},4411,03/01/2026 10:00:00 AM,{('Work', '')[row % 2]},{('', 'Fun')[row % 2]},{20 + row % 30}\n" for row in range(40)
)
R_FRAME = table(
    {
        "": [str(row + 1) for row in range(40)],
        "Age": times("20", "NA", "31", "44", rows=40),
        "Happy": times("NA", "Yes", "No", "Yes", rows=40),
        "Loud": times("TRUE", "FALSE", "NA", "TRUE", rows=40),
        "Score": times("1.25", "NA", "2.5", "7", rows=40),
    }
)

DRAFTS = [
    pytest.param(
        table({"Income": times("1,000", "11,823", "2,107", "950"), "Miles": times("1,050.5", "999")}),
        {"Income": 15 * (1000 + 11823 + 2107 + 950), "Miles": 30 * (1050.5 + 999)},
        id="thousands with commas",
    ),
    pytest.param(
        semicolons({"Einkommen": times("1.000", "5.097", "950"), "Miete": times("500,50", "1.299,90")}),
        {"Einkommen": 20 * (1000 + 5097 + 950), "Miete": 30 * (500.5 + 1299.9)},
        id="thousands with points",
    ),
    pytest.param(
        table({"Income": times("200", "4,150", "1,000")}),
        {"Income": 20 * (200 + 4150 + 1000)},
        id="thousands in some cells only",
    ),
    pytest.param(
        table({"N": times("1.500", "2.250", "900", "3.000")}), {"N": 15 * (1.5 + 2.25 + 900 + 3)}, id="points in a file with commas"
    ),
    *(
        pytest.param(
            table({"Age": times("20", token, "31", "44"), "Happy": times(token, "Yes", "No", "Yes")}),
            {"Age": 15 * (20 + 31 + 44), "Happy": {"yes": 30, "no": 15}},
            id=f"token {token}",
        )
        for token in ("NA", "n.a.", "N/A", "#N/A", "nan", "NULL", ".", "-", "-99")
    ),
    pytest.param(
        table({"Age": times("20", "None", "31"), "Happy": times("None", "Yes", "No")}),
        {"Age": 20 * (20 + 31), "Happy": {"none": 20, "yes": 20, "no": 20}},
        id="none among numbers and among labels",
    ),
    pytest.param(
        R_FRAME,
        {"Age": 10 * 95, "Happy": {"yes": 20, "no": 10}, "Loud": {"true": 20, "false": 10}, "Score": 10 * (1.25 + 2.5 + 7)},
        id="a data frame of R",
    ),
    pytest.param(
        table({"A": times("-99", "5", "7", "-1"), "B": times("99", "1", "2", "1")}), {"A": 15 * 11, "B": 15 * 4}, id="-99 beside -1"
    ),
    pytest.param(
        table({"Satisfaction": times("1", "5", "99", "4"), "Trust": times("0", "10", "77", "5", "88")}),
        {"Satisfaction": 15 * 10, "Trust": 12 * 15},
        id="don't know as 77, 88 and 99",
    ),
    pytest.param(
        table({"Q_1": times("1", "0", "-99"), "Q_2": times("0", "1", "-99"), "Happy": times("Yes", "-99", "No")}),
        {"Q": {"q_1": 20, "q_2": 20}, "Happy": {"yes": 20, "no": 20}},
        id="-99 among ticks and labels",
    ),
    pytest.param(
        table({"How safe? [Day]": times("Safe", "Unsafe", "-99"), "How safe? [Night]": times("Unsafe", "Safe")}),
        {"How_safe": {"day.safe": 20, "day.unsafe": 20, "night.unsafe": 30, "night.safe": 30}},
        id="-99 in a matrix",
    ),
    pytest.param(
        table({"Born": times("1982-01", "1968-02", "12/1970"), "Day": times("2024-11-22", "3.2.2026"), "Happy": times("Yes", "No")}),
        {"Happy": {"yes": 30, "no": 30}},
        id="months and days single people out",
    ),
    pytest.param(QUALTRICS, {"Q1": 8 * 15, "Q2": {"1": 20, "2": 20, "3": 20}}, id="three header rows"),
    pytest.param(
        "\n".join(QUALTRICS.split("\n")[i] for i in (0, *range(3, 43))) + "\n",
        {"Q1": 8 * 15, "Q2": {"1": 20, "2": 20, "3": 20}},
        id="one header row of the three",
    ),
    pytest.param(
        SURVEYMONKEY,
        {"Why": {"work": 20, "fun": 20}, "How_old": 40 * 20 + sum(range(30)) + sum(range(10))},
        id="two header rows of question and option",
    ),
    pytest.param(
        table({"reasons": times("work fun", "fun"), "reasons/work": times("1", "0"), "reasons/fun": times("1"), "_id": RUNNING}),
        {"Reasons": {"work": 30, "fun": 60}},
        id="whole and in its parts",
    ),
    pytest.param(
        table({"reasons___1": times("1", "0"), "reasons___-99": times("0", "1"), "visit_complete": times("2")}),
        {"Reasons": {"reasons_1": 30, "reasons_99": 30}},
        id="a tick whose code is -99",
    ),
    pytest.param(
        table({"dog": times("1.0", "2.0"), "Q4_1": times("1.0", "0.0", ""), "Q4_2": times("0.0", "1.0", "")}),
        {"Dog": 30 + 60, "Q4": {"q4_1": 20, "q4_2": 20}},
        id="whole numbers as floats",
    ),
    pytest.param(
        semicolons({"Gehen, oder laufen Sie?": times("nein", "ja"), "Wie oft, etwa?": times("selten, nie", "oft")}),
        {"Gehen_oder_laufen_Sie": {"nein": 30, "ja": 30}, "Wie_oft_etwa": {"selten_nie": 30, "oft": 30}},
        id="commas in a file with semicolons",
    ),
    pytest.param(
        table({"When": ["2026/03/01 9:12:33 AM GMT+1"] * 60, "Where?": times("Park, Market", "Park", "River, Market")}),
        {"Where": {"park": 40, "market": 40, "river": 20}},
        id="several labels in a cell",
    ),
    pytest.param(
        table({"Where": times("Cafe\u0301", "Café", "Café\u200b", "Café\u00a0"), "Dog": times("A  B", "A B")}),
        {"Where": {"cafe": 60}, "Dog": {"a_b": 60}},
        id="spellings that look alike",
    ),
    pytest.param(
        table({"n_1": times("Father", NOT), "n_2": times(NOT, "Mother"), "m_1": times("Y", ""), "m_2": times("Y")}),
        {"N": {"father": 30, "mother": 30}, "M": {"m_1": 30, "m_2": 60}},
        id="labels or not selected",
    ),
    pytest.param(
        table({"Spend": [str(300 + 7 * row * row) for row in range(60)], "Latitude": [f"48.{row:06d}" for row in range(60)]}),
        {"Spend": sum(300 + 7 * row * row for row in range(60))},
        id="numbers that all differ",
    ),
    pytest.param(
        "q;word\nno;b;extra\n" + "yes;a\nno;b\n" * 12 + "no;a;extra\n",
        {"Q": {"yes": 12, "no": 12}, "Word": {"a": 12, "b": 12}},
        id="rows with a cell too many",
    ),
    pytest.param("dog,word\n" + "no,b,\nyes,a,\n" * 9, {"Dog": {"no": 9, "yes": 9}, "Word": {"b": 9, "a": 9}}, id="empty cells behind"),
    pytest.param("S1,T1\nno,a\n,\n\nyes,b\n", {"S1": {"no": 1, "yes": 1}, "T1": {"a": 1, "b": 1}}, id="empty rows"),
    pytest.param(table({"X1": times("1", "1.0", "Yes")}), {"X1": {"1": 40, "yes": 20}}, id="whole numbers as floats among labels"),
    pytest.param(
        table({"Why": times(f"{TREES};{SHOPS}", TREES, SHOPS)}),
        {"Why": {"trees_and_birds_and_other_animals_that": 40, "shops_are_near_or_nearer_than_they_are": 40}},
        id="long labels between semicolons",
    ),
    pytest.param(
        table({"Pay": times("<=50K", ">50K", "≥ 90K"), "Age": times("<18", "18-64", "65+"), "Mood": times("-1", "1", "fine", "a<b")}),
        {
            "Pay": {"up_to_50k": 20, "over_50k": 20, "from_90k": 20},
            "Age": {"under_18": 20, "18_64": 20, "65": 20},
            "Mood": {"minus_1": 15, "1": 15, "fine": 15, "a_b": 15},
        },
        id="signs before a number are words of its code",
    ),
    pytest.param(
        table({"Comment": [*(f"Ask {name} at the bakery" for name in ("Jan", "Maria", "Eve")), *[""] * 57], "Dog": times("yes", "no")}),
        {"Comment": {"texts": 3}, "Dog": {"yes": 30, "no": 30}},
        id="few comments",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), DRAFTS)
def test_a_draft_gives_the_figures_that_stand_in_the_file(text: str, expected: Figures) -> None:
    instrument, _, people, _ = drafted(text)
    assert figures(instrument, people) == expected


def test_two_numbers_with_a_comma_between_are_asked_about() -> None:
    instrument, _, people, text = drafted(table({"Q": times("1,3", "2")}))
    assert figures(instrument, people) == {"Q": 30 * (1.3 + 2)}
    assert '# review: "1,3" is read as one number; or are these several choices in a cell?' in text


YES_AND_NO = (
    "да не, ano ne, ja nej, ja nein, ναι όχι, yes no, sí no, jah ei, kyllä ei, oui non, tá níl, da ne, igen nem, sì no, taip ne, jā nē,"
    " iva le, ja nee, tak nie, sim não, da nu, áno nie, da ne, ja nej"
)


@pytest.mark.parametrize("words", re.split(", ?", YES_AND_NO))
def test_ticks_are_known_in_every_language_of_the_interface(words: str) -> None:
    yes, no = words.strip().split()
    instrument, _, people, _ = drafted(table({"Q_1": times(yes, no), "Q_2": times(no.upper(), yes.capitalize(), yes)}))
    assert figures(instrument, people) == {"Q": {"q_1": 30, "q_2": 40}}
    assert (yes in YES, no in NO, yes in NO, no in YES) == (True, True, False, False)


@pytest.mark.parametrize("token", ["k. A.", "n.d.", "n/d", "#NV", "#N/D", "#WERT!", "#DIV/0!", "#¿NOMBRE?", "#VALEUR!", "#REF!", "#NAME?"])
def test_words_for_no_answer_in_other_languages_are_declared(token: str) -> None:
    instrument, map_, people, _ = drafted(table({"Age": times("20", token, "31"), "Happy": times("Ja", token, "Nein")}))
    assert figures(instrument, people) == {"Age": 20 * 51, "Happy": {"ja": 20, "nein": 20}}
    assert map_.missing == (token,)
    (reason,) = column("S1", token)
    assert "is no answer by its looks: declare it under `missing`" in reason
    assert column("T1", "#1 of all!", "Is it #red!") == ["#1 of all!", "Is it #red!"]


@pytest.mark.parametrize(
    "name", ["Kommentar", "Autre, précisez", "¿Por qué?", "Altro", "Uwagi", "Защо?", "Σχόλια", "Miksi?", "Egyéb", "Għaliex?"]
)
def test_comments_never_become_options_in_any_language(name: str) -> None:
    cells = [*(f"long remark number {row}" for row in range(12)), *[""] * 8]
    instrument = drafted(table({name: [*cells, *cells[:12], *[""] * 4], "Dog": times("yes", "no", rows=36)}))[0]
    assert list(kinds(instrument).values()) == ["LongText", "Single"]


@pytest.mark.parametrize(
    ("unknown", "none"),
    [
        ("Weiß nicht", "Nichts davon"),
        ("Ne sait pas", "Aucune de ces réponses"),
        ("No sé", "Ninguna de estas"),
        ("Non so", "Nessuna di queste"),
        ("Weet niet", "Geen van deze"),
        ("Nie wiem", "Żadna z tych odpowiedzi"),
        ("Nevím", "Nic z uvedeného"),
        ("Не знам", "Нито едно от тези"),
        ("Δεν γνωρίζω", "Κανένα από αυτά"),
        ("En tiedä", "Ei mikään näistä"),
        ("Nem tudom", "Egyik sem"),
        ("Nežinau", "Nė vienas iš šių"),
        ("Vet ej", "Inget av dessa"),
        ("Ved ikke", "Ingen af disse"),
        ("Nu știu", "Niciuna dintre acestea"),
        ("Não sei", "Nenhuma destas"),
    ],
)
def test_what_stands_alone_is_known_in_other_languages(unknown: str, none: str) -> None:
    cells = times("Bus;Tram", "Bus", "Tram", unknown, none)
    question = drafted(table({"Q": cells}))[0].question("Q")
    assert isinstance(question, Multiple)
    assert {option.text["en"]: option.exclusive for option in question.options} == {"Bus": False, "Tram": False, unknown: True, none: True}
    assert question.options[[option.text["en"] for option in question.options].index(unknown)].code == "dk"


REFUSED = [
    pytest.param(b"S1,T1\nno,Stra\xdfe\n", "none of its rows can be read: line 2, byte 8 of the row is not UTF-8", id="latin"),
    pytest.param(b"S1,T1\n", "the file has no rows below the column names", id="header alone"),
    pytest.param(b"S1,T1\n,\n", "the file has no rows below the column names", id="empty row"),
    pytest.param(b"Survey 2026,,\nDog,Word,Age\nno,w,20\n", "if the names stand in a later row, say --header", id="title above"),
    pytest.param(b"When,Why?,How?,Why?\n1,a,b,c\n", "the header names 'Why?' twice (columns 2 and 4)", id="name twice"),
    pytest.param(b"Safe?,Safe? \nyes,no\n", "the header names 'Safe?' twice (columns 1 and 2)", id="name twice but for a space"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "sentence"), REFUSED)
def test_a_file_that_cannot_be_drafted_is_refused_with_the_reason(data: bytes, sentence: str) -> None:
    with pytest.raises((UnreadableFile, UndraftableData), match=re.escape(sentence)):
        draft(read_sheet(data, FileOptions()), "data.csv")


TWO = "can mean {} or {}: say `numbers` in the map"


@pytest.mark.parametrize(
    ("question", "cells"),
    [
        ("N1", {"007": 7, "-0": 0, "5,000.00": 5000, "1e3": "'1e3' is not a number", "12.5": "'12.5' is not a whole number"}),
        ("N3", {"€ 12": "'€ 12' is not a number", "12 %": "'12 %' is not a number", "-0": 0, "1e3": "'1e3' is not a number"}),
        ("N3", {"12.345": "'12.345' " + TWO.format("12345", "12.345"), "1.250,50": 1250.5, "12,5": 12.5, ".5": 0.5}),
        ("N3", {"5.": "'5.' is not a number", "(5)": "'(5)' is not a number", "1.0E+03": "'1.0E+03' is not a number"}),
        ("N3", {"1234567890123456": "'1234567890123456' is not a number"}),
        ("D1", {"2024-02-30": "'2024-02-30' is not a day", "45618": "'45618' is not a day", "2026-2-3": "2026-02-03"}),
        ("S1", {"no": "no", "No": "'No' is no option of S1; nearest: 'no' (no)", "": None}),
        ("T1", {"two\nlines": "two\nlines", 'say "hi"': 'say "hi"', "=1+1": "=1+1", "NULL": "NULL"}),
    ],
)  # fmt: skip
def test_each_cell_is_read_or_refused(question: str, cells: dict[str, Any]) -> None:
    assert dict(zip(cells, column(question, *cells), strict=True)) == cells


@pytest.mark.parametrize(
    ("places", "answer", "reason"),
    [
        ("1,2,", ["park", "river"], ""),
        ("1.0,2.0,3.0", ["park", "river", "hill"], ""),
        ("1,2,4", None, "the places 1, 2, 4 are not 1 to 3, each once"),
        ("2,3,4", None, "the places 2, 3, 4 are not 1 to 3, each once"),
        ("1,1,2", None, "two options stand in place 1"),
        ("3,3,3", None, "two options stand in place 3"),
        ("0,1,2", None, "give the place, such as 1"),
        ("10,20,30", None, "the places 10, 20, 30 are not 1 to 3, each once"),
        ("1st,2nd,3rd", None, "give the place, such as 1"),
    ],
)
def test_a_ranking_that_ties_or_leaves_gaps_is_refused(places: str, answer: list[str] | None, reason: str) -> None:
    names = ("park", "river", "hill")
    columns = {name: {"question": "R1", "option": name} for name in names}
    (given,), (reasons,) = read(columns, dict(zip(names, places.split(","), strict=True)))
    if answer is not None:
        assert (given, reasons) == ({"R1": answer}, [])
    else:
        assert reasons[0].partition(": ")[2] == reason


@pytest.mark.parametrize(
    ("cells", "answer", "reasons"),
    [
        (("1", ""), {"safe": "1"}, []),
        (("1.0", "2.0"), {"safe": "1", "nice": "2"}, []),
        (("Yes", "No"), None, ["X1.safe: 'Yes' is no option of X1", "X1.nice: 'No' is no option of X1"]),
    ],
)
def test_a_row_of_a_matrix_holds_codes(cells: tuple[str, str], answer: Any, reasons: list[str]) -> None:
    columns = {f"X1.{row}": {"question": "X1", "row": row} for row in ("safe", "nice")}
    assert read(columns, dict(zip(columns, cells, strict=True))) == ([{"X1": answer} if answer else {}], [reasons])


@pytest.mark.parametrize(
    ("line", "answers", "faults"),
    [
        (b'{"answers": {"N1": 1000.0, "N3": 1.5}}', {"N1": 1000, "N3": 1.5}, []),
        (b'{"answers": {"S1": "no", "S1": "yes"}}', None, ["the line has the key 'S1' twice"]),
        (b'{"answers": {"N1": 7.5}}', {"N1": 7.5}, ["wrong-type"]),
    ],
)
def test_a_line_of_json_means_what_its_numbers_mean(line: bytes, answers: Any, faults: list[str]) -> None:
    (row,) = read_ndjson(line)
    if row.content is None:
        assert (answers, [row.fault]) == (None, faults)
        return
    body = whole_numbers(row.content)
    assert body["answers"] == answers
    assert [fault.code for fault in Reader(SURVEY).convert(body["answers"])[1]] == faults


def test_a_row_that_was_written_with_quotes_is_the_row_that_stands_there() -> None:
    text = io.StringIO()
    cells = [["S1", "T1"], ["no", "two\nlines"], ["no", 'say "hi"'], ["no", "semi;colon, comma"], ["no", "padded"], ["yes", ""]]
    csv.writer(text).writerows(cells)
    sheet = read_sheet(text.getvalue().replace("padded", " padded ").encode())
    assert [[row.line, *(row.cells or {}).values()] for row in sheet.rows] == [
        [2, "no", "two\nlines"],
        [4, "no", 'say "hi"'],
        [5, "no", "semi;colon, comma"],
        [6, "no", "padded"],
        [7, "yes", ""],
    ]
