"""Data of the old tool answer the questions that were imported from it, by the names that the import wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deploy.cli import names_file
from deploy.cli.answering import Answering
from deploy.cli.datafile.reading import FileOptions
from deploy.cli.exchange.importing import Imported, imported
from deploy.cli.importing import Import
from deploy.cli.mapping import UnfitHeader
from deploy.cli.server import Server
from deploy.cli.surveys import group
from tests.exchange.test_readers import asked, beside, qsf, sound, xlsform


def answers(done: Imported, cells: dict[str, str]) -> dict[str, Any]:
    columns = names_file.columns(done.report.names, list(cells), sound(done))
    found, reasons = Answering(columns, sound(done), [cells]).answers(cells)
    assert reasons == []
    return found


def kobo() -> Imported:
    survey = [
        ["type", "name", "label", "constraint", "relevant"],
        ["begin group", "visit", "Visit"],
        ["select_one often", "how often", "How often?"],
        ["select_multiple bought", "bought", "What?"],
        ["text", "bought_other", "What else?"],
        ["integer", "spent", "How much?", ". = -1 or . >= 0"],
        ["end group", None, None],
    ]
    survey[4] += [None, "selected(${bought}, 'other')"]
    choices = [["often", "1", "Daily"], ["often", "88", "Don't know"], ["bought", "a b", "Food"], ["bought", "other", "Other"]]
    return xlsform(survey, choices)


def test_data_of_an_xlsform_are_read_with_groups_before_the_names_and_codes_as_they_were() -> None:
    found = answers(kobo(), {"visit/how often": "88", "visit/bought/a b": "0", "visit/bought/other": "1", "visit/spent": "12"})
    assert found == {"How_often": "dk", "Bought": ["other"], "Spent": 12}
    assert answers(kobo(), {"spent": "-1"}) == {"Spent": "dk"}
    found = answers(kobo(), {"visit-how often": "1", "visit-bought": "other", "visit-bought/other": "1", "visit-bought_other": "Tea"})
    assert found == {"How_often": "1", "Bought": ["other"], "Bought_other": "Tea"}


def test_data_of_limesurvey_redcap_and_qualtrics_are_read_part_by_part() -> None:
    found = answers(imported(beside(), "form.lss"), {"A": "2", "M[SQ1]": "Y", "G[SQ1]": "1", "N": "7"})
    assert found == {"A": "2", "M": ["SQ1"], "G": {"SQ1": "1"}, "N": 7}
    fields = "field_name,form_name,field_type,field_label,select_choices_or_calculations,matrix_group_name\nid,one,text,Id,,\n"
    fields += 'more,one,checkbox,More?,"1, A | 2, B",\n'
    fields += "".join(f'{name},one,radio,{name},"1, Yes | 9, Don\'t know",g\n' for name in ("r1", "r2"))
    found = answers(imported(fields.encode(), "dictionary.csv"), {"id": "1", "more___1": "0", "more___2": "1", "r1": "9", "r2": "1"})
    assert found == {"More": ["2"], "G": {"r1": "dk", "r2": "1"}}
    several = asked(2, Selector="MAVR", RecodeValues={"1": "10", "2": "20"})
    found = answers(imported(qsf(asked(1), several), "form.qsf"), {"StartDate": "x", "Q1": "2", "Q2_10": "1", "Q2_20": ""})
    assert found == {"Q1": "2", "Q2": ["10"]}


@pytest.mark.parametrize(
    ("header", "reason"),
    [(["a/spent", "b/spent"], "answer the same, Spent"), (["start", "end"], "none of its columns has a name that stands in the file")],
)
def test_columns_that_answer_the_same_or_nothing_are_refused(header: list[str], reason: str) -> None:
    done = kobo()
    with pytest.raises(UnfitHeader, match=reason):
        names_file.columns(done.report.names, header, sound(done))


def test_the_file_of_names_goes_from_one_command_to_the_other(tmp_path: Path) -> None:
    form, names, data = tmp_path / "form.json", tmp_path / "names.csv", tmp_path / "data.csv"
    choices = ["x", {"value": 9, "text": "Don't know"}]
    form.write_text(json.dumps({"elements": [{"type": "radiogroup", "name": "=how", "choices": choices}]}))
    ran = CliRunner().invoke(group, ["import", str(form), "--names", str(names)])
    assert ran.exit_code == 1, ran.stderr
    pairs = names_file.read(names.read_bytes())
    assert pairs == [("=how", "How"), ("=how=x", "How=x"), ("=how=9", "How=dk")]
    data.write_text("=how,when\nx,1\n9,2\n")
    instrument = sound(imported(form.read_bytes(), form.name))
    job = Import(Server("http://nowhere", None, None), instrument, b"k" * 64, data, None, False, pairs)
    bodies = [json.loads(submission.body)["answers"] for submission in job.read_table(FileOptions(), False)]
    assert bodies == [{"How": "x"}, {"How": "dk"}]
    assert list(job.undeclared()) == ["The map does not name 'when': not imported."]
