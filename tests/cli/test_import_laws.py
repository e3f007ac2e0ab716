"""Laws of imports: a file read again gives the same rows, and what is written in our columns gives the same answers and figures."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from deploy.cli import import_map, mapping
from deploy.cli.answering import Answering
from deploy.cli.bulk_sender import BulkSubmission
from deploy.cli.cells import is_token
from deploy.cli.datafile.reading import FileOptions, read_sheet
from deploy.cli.drafting.draft import draft
from deploy.cli.import_map import ImportMap
from deploy.cli.importing import Import
from deploy.cli.server import Server
from proto import author
from proto.answers import Reader
from proto.instrument import Band, ConstantSum, Instrument, LongText, Matrix, Multiple, Ranking, ShortText
from services.analysis.records import StoredResponse
from services.analysis.recount.recount import Tally
from tests.builders.every_type import INSTRUMENT, TODAY, good_answers

READER = Reader(INSTRUMENT)
COUNTED = replace(
    INSTRUMENT,
    questions=tuple(
        replace(question, bands=(Band("0-9", 0, 9), Band("10+", 10))) if isinstance(question, ConstantSum) else question
        for question in INSTRUMENT.questions
    ),
)
LABELS = ("Yes", "No", "Not sure", "", "NA", "12", "1,5", "a, b", "-99", "café", "1.250")


def submissions(text: str, map_: ImportMap, instrument: Instrument) -> list[BulkSubmission]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "data.csv"
        file.write_text(text, "utf-8")
        job = Import(Server("http://nowhere", None, None), instrument, b"k" * 64, file, map_, False)
        return job.read_table(FileOptions(separator=","), dry_run=False)


def written(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(LABELS)] * 3), min_size=2, max_size=12), st.integers(0, 2**32))
def test_a_file_read_twice_and_in_another_order_gives_the_same_rows(cells: list[tuple[str, ...]], seed: int) -> None:
    rows = [[*row, "Yes" if at % 2 else "No"] for at, row in enumerate(cells)]
    header = ["Happy", "Steps", "Which", "Sure"]
    text = written([header, *rows])
    drafted = [draft(read_sheet(text.encode(), FileOptions(separator=",")), "data.csv") for _ in range(2)]
    assert drafted[0] == drafted[1]
    instrument = author.read(drafted[0][0], "data.yaml", lambda name: "")
    map_ = import_map.read(drafted[0][1], "map.yaml")
    assert isinstance(instrument, Instrument)
    assert isinstance(map_, ImportMap)
    first = submissions(text, map_, instrument)
    assert submissions(text, map_, instrument) == first
    order = list(range(4))
    Random(seed).shuffle(order)
    Random(seed).shuffle(rows)
    moved = submissions(written([[header[at] for at in order], *([row[at] for at in order] for row in rows)]), map_, instrument)
    assert {(one.receipt, _answers(one)) for one in moved} == {(one.receipt, _answers(one)) for one in first}


def _answers(submission: BulkSubmission) -> str:
    return json.dumps(msgspec.json.decode(submission.body), sort_keys=True)


def columns_of(instrument: Instrument, parted: bool) -> list[str]:
    """The columns of our own form; `parted`: with one for each option."""
    found: list[str] = []
    for question in instrument.asked:
        if isinstance(question, Matrix | ConstantSum):
            found += [f"{question.id}.{row.code}" for row in question.rows]
        elif isinstance(question, Multiple | Ranking) and parted:
            found += [f"{question.id}.{option.code}" for option in question.options]
        else:
            found.append(question.id)
    return found


def cell_of(column: str, answers: dict[str, Any]) -> str:
    id, dot, part = column.partition(".")
    said = answers.get(id)
    if said is None:
        return ""
    match INSTRUMENT.question(id):
        case Multiple() if dot:
            return "1" if part in said else "0"
        case Ranking() if dot:
            return str(said.index(part) + 1) if part in said else ""
        case Multiple() | Ranking():
            return ";".join(said)
        case Matrix() | ConstantSum():
            return str(said.get(part, ""))
        case _:
            return str(said)


def as_cell(value: Any) -> Any:
    """A text as a file keeps it: without blanks at its ends."""
    return value.strip() if isinstance(value, str) else value


@settings(max_examples=60, deadline=None)
@given(st.lists(good_answers(), min_size=1, max_size=8), st.booleans())
def test_what_is_written_in_our_columns_comes_back_with_the_same_answers_and_figures(given_: list[dict[str, Any]], parted: bool) -> None:
    texts = {question.id for question in INSTRUMENT.asked if isinstance(question, ShortText | LongText)}
    people = [
        {
            id: as_cell(value)
            for id, value in one.items()
            if id not in texts or (value.strip() and not is_token(value) and "\0" not in value)
        }
        for one in given_
    ]
    names = columns_of(INSTRUMENT, parted)
    sheet = read_sheet(written([names, *([cell_of(name, one) for name in names] for one in people)]).encode(), FileOptions(separator=","))
    answering = Answering(mapping.from_header(sheet.columns, INSTRUMENT), INSTRUMENT, (row.cells or {} for row in sheet.rows))
    found: list[bytes] = []
    for row in sheet.rows:
        answers, reasons = answering.answers(row.cells or {}, row.line)
        assert not reasons
        struct, faults = READER.convert(answers)
        assert not faults
        assert not READER.check(struct, TODAY)
        found.append(READER.canonical(struct))
    expected = [READER.canonical(READER.convert(one)[0]) for one in people]
    assert [_unordered(one) for one in found] == [_unordered(one) for one in expected]
    assert _figures(found) == _figures(expected)


def _unordered(answers: bytes) -> dict[str, Any]:
    """The choices of a multiple choice are a set."""
    return {id: sorted(said) if id == "Q2" else said for id, said in json.loads(answers).items()}


def _figures(answers: list[bytes]) -> dict[str, Any]:
    tally = Tally(COUNTED, lambda _survey, _version: COUNTED)
    tally.add([StoredResponse(f"{at:032x}", "1.0.0", one.decode()) for at, one in enumerate(answers)])
    return tally.figures()
