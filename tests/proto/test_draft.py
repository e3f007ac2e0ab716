"""Data collected elsewhere become an instrument that every row of them fits; nothing is lost on the way."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.cli import import_map, mapping
from deploy.cli.answering import Answering
from deploy.cli.datafile.reading import read_sheet
from deploy.cli.datafile.sheet import UnreadableFile
from deploy.cli.drafting.draft import UndraftableData, draft
from deploy.cli.import_map import ImportMap
from proto import author
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument, Integer, LongText, Multiple, Numeric, Single
from tests.builders.no_table import no_table

REAL = Path(__file__).parents[3] / "shared" / "data" / "bc-ai-survey.csv"
GROUPS = (
    "Q4A_Sector_AI_making_a_positive_impact",
    "Q4B_Sector_AI_making_a_negative_impact",
    "Q11_Gainer_advances_in_AI",
    "Q12_Most_trustworthy_advances_in_AI",
    "Q15_Matters_most_BC_AI_future",
)


def drafted(text: str) -> tuple[Instrument, ImportMap]:
    """The draft, unedited, read as an author's file and as an import map: also where both stand in one file."""
    instrument_text, map_text = draft(read_sheet(text.encode()), "collected elsewhere.csv")
    found = author.read(f"{instrument_text}---\n{map_text}", "draft.yaml", no_table)
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    assert found == author.read(instrument_text, "draft.yaml", no_table)
    map_ = import_map.read(map_text, "draft.map.yaml")
    assert isinstance(map_, ImportMap), "\n".join(map(str, map_))
    return found, map_


def imported(text: str, instrument: Instrument, map_: ImportMap) -> list[dict[str, Any]]:
    """The answers of every row, each of which intake would accept."""
    sheet = read_sheet(text.encode(), map_.options)
    columns = mapping.agreeing(map_.columns, sheet.columns, instrument)
    reader, answering = Reader(instrument), Answering(columns, instrument, (row.cells or {} for row in sheet.rows), map_)
    found: list[dict[str, Any]] = []
    for row in sheet.rows:
        assert row.cells is not None, row.fault
        answers, reasons = answering.answers(row.cells, row.line)
        body = msgspec.json.encode({"answers": answers, "consent": True})
        read = reader.read(body, "2026-11-22")
        assert not reasons
        assert not isinstance(read, list), (row.line, read)
        found.append(answers)
    return found


def table(columns: dict[str, list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


SMALL = table(
    {
        "respondent": ["1", "2", "3", "4"],
        "Started": ["2026-11-01 10:00", "2026-11-01 10:05", "2026-11-02 09:00", "2026-11-02 09:30"],
        "Q1 Why?": ["Habit \u2013 every day", "Work", "Not sure", "Work "],
        "Q2_1": ["Bus", "", "Bus", ""],
        "Q2_2": ["", "Tram", "Tram", ""],
        "Q2_3": ["", "", "", "None of the above"],
        "Age": ["18", "93", "44", ""],
        "Rent": ["10,5", "9", "11.25", "0"],
        "Comment": ["x" * 250, "y", "", "z"],
        "Mail": ["a@example.org", "", "", "b@example.org"],
        "Nothing": ["", "", "", ""],
    }
)


def test_columns_become_questions_of_the_type_that_stands_in_them() -> None:
    instrument, map_ = drafted("\ufeff" + SMALL)
    kinds = {question.id: type(question) for question in instrument.questions}
    assert kinds == {"Q1_Why": Single, "Q2": Multiple, "Age": Integer, "Rent": Numeric, "Comment": LongText}
    assert map_.ignored == {
        "respondent": "tells the rows apart",
        "Started": "times or days; they can single people out",
        "Mail": "mail addresses",
        "Nothing": "empty",
    }
    assert map_.rows.identity == ("respondent",)
    transport = instrument.question("Q2")
    assert isinstance(transport, Multiple)
    assert [(option.code, option.text["en"], option.exclusive) for option in transport.options] == [
        ("bus", "Bus", False),
        ("tram", "Tram", False),
        ("none_of_the_above", "None of the above", True),
    ]
    age = instrument.question("Age")
    assert isinstance(age, Integer)
    assert (age.min, age.max, age.bands[0].code, age.privacy.role) == (10, 99, "10-19", "quasi_identifier")
    assert instrument.question("Comment").privacy.role == "free_text"


def test_every_row_becomes_answers() -> None:
    instrument, map_ = drafted(SMALL)
    assert imported(SMALL, instrument, map_) == [
        {"Q1_Why": "habit", "Q2": ["bus"], "Age": 18, "Rent": 10.5, "Comment": "x" * 250},
        {"Q1_Why": "work", "Q2": ["tram"], "Age": 93, "Rent": 9, "Comment": "y"},
        {"Q1_Why": "dk", "Q2": ["bus", "tram"], "Age": 44, "Rent": 11.25},
        {"Q1_Why": "work", "Q2": ["none_of_the_above"], "Rent": 0, "Comment": "z"},
    ]


def test_an_option_that_stood_beside_others_is_not_exclusive() -> None:
    text = table({"Q_1": ["A", "", "A"], "Q_2": ["Not sure", "Not sure", ""]})
    question = drafted(text)[0].questions[0]
    assert isinstance(question, Multiple)
    assert [option.exclusive for option in question.options] == [False, False]


def test_columns_of_0_and_1_are_one_multiple_choice() -> None:
    text = table({"Uses [1]": ["1", "0", ""], "Uses [2]": ["1", "1", "0"]})
    instrument, map_ = drafted(text)
    assert imported(text, instrument, map_) == [{"Uses": ["uses_1", "uses_2"]}, {"Uses": ["uses_2"]}, {}]


def test_columns_named_like_yaml_words_are_drafted() -> None:
    text = table({"TRUE": ["1", "2"], "Null": ["a", "b"], "no": ["yes", "no"], "N": ["~", "null"]})
    instrument, map_ = drafted(text)
    assert [question.id for question in instrument.questions] == ["TRUE", "Null", "No", "N"]
    imported(text, instrument, map_)


def test_braces_in_labels_stay_braces() -> None:
    text = table({"Which {A1}?": ["{x}", "y }}", "{x}", "y }}"]})
    question = drafted(text)[0].questions[0]
    assert isinstance(question, Single)
    assert "{A1}" in question.text["en"]
    assert {option.text["en"] for option in question.options} == {"{x}", "y }}"}
    assert not question.piped


@pytest.mark.parametrize("text", ["", "a,b\n", 'a,"b\n', "a,a\n1,2\n", "a\n\n", "x\n2026-01-01\n", "a," + "b\n" * 3, "\x00"])
def test_what_cannot_be_drafted_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises((UndraftableData, UnreadableFile), match=r"\w+ \w+"):
        draft(read_sheet(text.encode()), "x.csv")


CELL = st.one_of(
    st.sampled_from(
        [
            "",
            "",
            "1",
            "0",
            "7",
            "-3",
            "2.5",
            "1e5",
            "Yes",
            "no",
            "Not sure",
            "Other",
            "None",
            "😀",
            "\u201cquoted\u201d \u2013 label",
            "null",
            "~",
            "# x",
            "a: b",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12),
)
HEADER = st.one_of(
    st.sampled_from(["Q1_1", "Q1_2", "Q1_3", "Age", "ID", "as given", "Q2[1]", "Q2[2]", "é", "123", "class"]),
    st.text(min_size=1, max_size=8),
)


@st.composite
def sheets(draw: st.DrawFn) -> str:
    names = draw(st.lists(HEADER.map(str.strip).filter(lambda name: name.isprintable() and name), min_size=1, max_size=6, unique=True))
    height = draw(st.integers(1, 8))
    return table({name: draw(st.lists(CELL, min_size=height, max_size=height)) for name in names})


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(sheets())
def test_a_draft_of_any_table_is_sound_and_every_row_fits(text: str) -> None:
    try:
        instrument, map_ = drafted(text)
    except (UndraftableData, UnreadableFile):
        return
    CodeBook(Reader(instrument))
    imported(text, instrument, map_)


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-10_000, 100_000_000), min_size=1), st.integers(0, 4))
def test_bands_cover_every_number(whole: list[int], decimals: int) -> None:
    text = table(
        {
            "Sum": [str(number / 10**decimals) if decimals else str(number) for number in whole if "e" not in str(number / 10**decimals)]
            or ["1"]
        }
    )
    instrument, map_ = drafted(text)
    imported(text, instrument, map_)


@pytest.fixture(scope="module")
def real() -> str:
    if not REAL.is_file():
        pytest.skip(f"the survey data {REAL.name} are not beside the repository")
    return REAL.read_text(encoding="utf-8")


def test_real_survey_is_drafted_and_every_figure_equals_pandas(real: str) -> None:
    instrument, map_ = drafted(real)
    answers = imported(real, instrument, map_)
    assert len(answers) == 1001
    raw = pd.read_csv(io.StringIO(real), dtype=str, keep_default_na=False)
    kinds = Counter(type(question).__name__ for question in instrument.questions)
    assert (kinds["Multiple"], kinds["LongText"], kinds["Integer"]) == (5, 1, 2)
    for column, target in map_.columns.items():
        question = instrument.question(target.question)
        cells = raw[column].str.strip()
        if isinstance(question, Single):
            counts = Counter(answer[question.id] for answer in answers if question.id in answer)
            assert counts == {target.codes[label]: number for label, number in cells[cells != ""].value_counts().items()}
        elif isinstance(question, Multiple):
            (code,) = target.codes.values()
            assert sum(code in answer.get(question.id, ()) for answer in answers) == (cells != "").sum()
        elif isinstance(question, Integer):
            assert [answer.get(question.id) for answer in answers] == cells.astype(int).tolist()
    assert {question.id for question in instrument.questions if isinstance(question, Multiple)} == set(GROUPS)
    trust = instrument.question("Q12_Most_trustworthy_advances_in_AI")
    assert isinstance(trust, Multiple)
    assert [option.code for option in trust.options if option.exclusive] == ["none_of_the_above"]
