"""That none of the options applies is an answer: whoever says so counts among those who answered, live, in a recount and in imports."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from deploy.cli.answering import Answering
from deploy.cli.datafile.reading import read_sheet
from deploy.cli.drafting import draft as drafts
from deploy.cli.mapping import ColumnMapping
from proto import author
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument, Multiple
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount import recount
from services.analysis.recount.recount import Tally
from tests.builders.small_survey import options, state_of, survey

ROWS = "M.a,M.b,M.c\n" + "1,0,0\n" * 25 + "0,1,1\n" * 15 + "0,0,0\n" * 50
"""Ninety people, of whom fifty say no to everything."""


def instrument(least: int, *, required: bool = False) -> Instrument:
    question = msgspec.structs.replace(survey().question("Why"), id="M", var="m", options=options("abc"), show_if=None, required=required)
    assert isinstance(question, Multiple)
    return msgspec.structs.replace(
        survey(),
        questions=(survey().question("Use"), msgspec.structs.replace(question, min_choices=least)),
        strata=("uses",),
        hierarchies={},
    )


def imported(of: Instrument) -> list[dict[str, list[str]]]:
    columns = {f"M.{code}": ColumnMapping(question="M", option=code) for code in "abc"}
    reading = Answering(columns, of)
    found = [reading.answers(row) for row in csv.DictReader(io.StringIO(ROWS))]
    assert not any(reasons for _, reasons in found)
    return [given for given, _ in found]


def test_shares_are_of_all_who_answered_also_of_those_who_chose_nothing() -> None:
    of = instrument(0)
    book, people = CodeBook(Reader(of)), imported(of)
    assert Counter(len(one["M"]) for one in people) == {0: 50, 1: 25, 2: 15}
    live = exact_view.snapshot(book, state_of(people, book), revision=1, as_of="")
    figures = live.questions["M"]
    assert (figures.answered, figures.missing) == (90, 0)
    assert figures.cells["a"].share == 25 / 90
    tally = Tally(of, lambda survey, version: of)
    tally.add([StoredResponse(id="", version="1.0.0", answers=json.dumps(one)) for one in people])
    assert recount.compare(live, tally)[1] == []


def test_where_something_has_to_be_chosen_a_row_of_noes_is_no_answer() -> None:
    assert Counter("M" in one for one in imported(instrument(1))) == {True: 40, False: 50}


@pytest.mark.parametrize(("least", "required", "codes"), [(0, False, []), (0, True, ["required"]), (1, False, ["too-few"])])
def test_an_empty_list_is_an_answer_where_nothing_has_to_be_chosen(least: int, required: bool, codes: list[str]) -> None:
    found = Reader(instrument(least, required=required)).read(b'{"answers": {"M": []}, "consent": true}', "2026-11-22")
    assert [fault.code for fault in found] == codes if isinstance(found, list) else codes == []


def test_rows_of_noes_are_refused_by_a_question_that_has_to_be_answered() -> None:
    of = instrument(0, required=True)
    struct, _ = Reader(of).convert(imported(of)[-1])
    assert [fault.code for fault in Reader(of).check(struct, "2026-11-22")] == ["required"]


def test_a_draft_of_such_data_says_that_none_may_apply(tmp_path: Path) -> None:
    text, _ = drafts.draft(read_sheet(ROWS.replace("M.a,M.b,M.c", "M_1,M_2,M_3").encode()), "rows.csv")
    file = tmp_path / "rows.yaml"
    file.write_text(text)
    found = author.load(file)
    assert isinstance(found, Instrument)
    (question,) = found.questions
    assert isinstance(question, Multiple)
    assert question.min_choices == 0
