"""What is exported and imported again is the same questionnaire, and others' judges accept the export."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from pyxform.xls2xform import convert

from deploy.cli.exchange.exporting import Target, exported
from deploy.cli.exchange.importing import imported
from deploy.cli.surveys import group
from proto import author
from proto.instrument import Instrument, Matrix, Multiple, Rule, Single
from tests.builders.no_table import no_table
from tests.exchange.questionnaires import questionnaires

BUNDLED = author.bundled()
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A workbook takes so long that making a failing example smaller takes minutes."""


@pytest.mark.parametrize("target", ["xlsform", "surveyjs"])
@settings(deadline=None, max_examples=30, phases=UNSHRUNK)
@given(written=questionnaires())
def test_a_questionnaire_that_goes_out_and_in_again_is_the_same(target: str, written: tuple[str, Instrument]) -> None:
    text, instrument = written
    content, _ = exported(text, instrument, cast("Target", target), "some.yaml")
    back = imported(content, "some.file")
    assert back.faults == ()
    assert back.instrument == instrument


@settings(deadline=None, max_examples=15, phases=UNSHRUNK)
@given(written=questionnaires())
def test_every_xlsform_written_is_one_to_its_own_judge(written: tuple[str, Instrument]) -> None:
    text, instrument = written
    content, _ = exported(text, instrument, "xlsform", "some.yaml")
    assert convert(io.BytesIO(content), file_type=".xlsx", validate=False).xform.startswith("<")


@pytest.mark.parametrize("survey", sorted(BUNDLED))
@pytest.mark.parametrize("target", ["xlsform", "surveyjs"])
def test_the_questionnaires_that_come_with_platea_go_out_and_come_back(survey: str, target: str) -> None:
    instrument = author.load(BUNDLED[survey])
    assert isinstance(instrument, Instrument)
    content, report = exported(BUNDLED[survey].read_text("utf-8"), instrument, cast("Target", target), f"{survey}.yaml")
    assert imported(content, "some.file").instrument == instrument
    if target == "xlsform":
        assert convert(io.BytesIO(content), file_type=".xlsx", validate=False).xform.startswith("<")
    told = " ".join(map(str, report.findings))
    assert "roles and statistics" in told
    assert "ordered" in told


def test_what_other_tools_do_not_see_is_named_question_by_question() -> None:
    instrument = author.load(BUNDLED["security-by-design"])
    assert isinstance(instrument, Instrument)
    text = BUNDLED["security-by-design"].read_text("utf-8")
    _, report = exported(text, instrument, "xlsform", "by-design.yaml")
    lost = {finding.of: finding.message for finding in report.findings if finding.of}
    assert lost["P04"] == "other tools do not see, or see otherwise: rank_count"
    assert lost["E03"] == "other tools do not see, or see otherwise: bands, special"
    assert "P01" not in lost


BROUGHT = """\
format: platea-instrument/2
id: filtered
version: 1.0.0
source_language: en
languages: [en]
title: {en: Filtered}
sections: [{id: A, text: {en: A}}]
questions:
  - {id: P, var: p, section: A, type: single, text: {en: Which part?}, privacy: {role: insensitive}, stats: [count],
     options: [{code: hall, en: Hall}, {code: square, en: Square}]}
  - id: S
    var: s
    section: A
    type: single
    text: {en: Which stall?}
    privacy: {role: insensitive}
    stats: [count]
    options:
      - {code: fish, en: Fish, show_if: {q: P, op: in, value: [hall]}}
      - {code: bread, en: Bread, show_if: {q: P, op: in, value: [hall]}}
      - {code: fruit, en: Fruit, show_if: {q: P, op: in, value: [square]}}
      - {code: none, en: None of these}
  - {id: N, var: n, section: A, type: integer, min: 0, max: 9, text: {en: How many?}, privacy: {role: insensitive}, stats: [count]}
computed: [{id: C, label: {en: Twice}, op: sum, of: [N], privacy: {role: insensitive}}]
"""


SPECIAL = """\
  - {id: Y, var: y, section: A, type: date, precision: year, min: "1950", max: today, text: {en: Since when}, privacy: {role: insensitive},
     stats: [count], special: [{code: dk, en: Not known}]}
"""


def brought() -> Instrument:
    found = author.read(BROUGHT, "filtered.yaml", no_table)
    assert isinstance(found, Instrument), found
    return found


def test_a_rule_that_only_what_is_carried_explains_comes_back_once() -> None:
    text = BROUGHT.replace(
        "sections: [{id: A, text: {en: A}}]", "sections: [{id: A, text: {en: A}}, {id: B, text: {en: B}, show_if: RULE}]"
    )
    text = text.replace("  - {id: N, var: n, section: A", SPECIAL + "  - {id: N, var: n, section: B")
    text = text.replace("RULE", "{q: Y, op: in, value: [dk]}")
    instrument = author.read(text, "special.yaml", no_table)
    assert isinstance(instrument, Instrument), instrument
    for target in ("xlsform", "surveyjs"):
        content, report = exported(text, instrument, target, "special.yaml")
        assert imported(content, "some.file").instrument == instrument
        message = "its rule asks for special values of Y, which other tools do not have"
        assert {finding.of: finding.message for finding in report.findings if finding.key == "special-rule"} == {"N": message, "C": message}


def test_options_that_some_do_not_see_have_a_choice_filter_which_other_tools_understand() -> None:
    content, report = exported(BROUGHT, brought(), "xlsform", "filtered.yaml")
    assert not [finding for finding in report.findings if finding.of == "S" and "options" in finding.message]
    book = openpyxl.load_workbook(io.BytesIO(content))
    header, *lines = book["survey"].iter_rows(values_only=True)
    (filtered,) = (line[header.index("choice_filter")] for line in lines if line[header.index("name")] == "s")
    assert filtered == "shown = '' or (shown = 'rule_1' and (${p} = 'hall')) or (shown = 'rule_2' and (${p} = 'square'))"
    del book["platea"]
    out = io.BytesIO()
    book.save(out)
    assert convert(io.BytesIO(out.getvalue()), file_type=".xlsx", validate=False).xform.startswith("<")
    back = imported(out.getvalue(), "form.xlsx").instrument
    assert back is not None
    stall = back.question("S")
    assert isinstance(stall, Single)
    assert {option.code: option.show_if for option in stall.options} == {
        "fish": Rule(q="P", op="in", value=("hall",)),
        "bread": Rule(q="P", op="in", value=("hall",)),
        "fruit": Rule(q="P", op="in", value=("square",)),
        "none": None,
    }


@pytest.mark.parametrize("target", ["xlsform", "surveyjs", "ddi"])
def test_a_questionnaire_with_computed_values_is_exported(target: str, tmp_path: Path) -> None:
    source, out = tmp_path / "filtered.yaml", tmp_path / "out"
    source.write_text(BROUGHT)
    ran = CliRunner().invoke(group, ["export", str(source), "--format", target, "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    if target != "ddi":
        assert imported(out.read_bytes(), "some.file").instrument == brought()


def test_a_surveyjs_form_shows_what_it_can_say() -> None:
    instrument = author.load(BUNDLED["security-by-design"])
    assert isinstance(instrument, Instrument)
    content, _ = exported(BUNDLED["security-by-design"].read_text("utf-8"), instrument, "surveyjs", "by-design.yaml")
    elements = {element["name"]: element for page in json.loads(content)["pages"] for element in page["elements"]}
    for question in instrument.questions:
        element = elements[question.var]
        assert element["title"] == question.text["en"]
        assert ("visibleIf" in element) == (question.show_if is not None)
        if isinstance(question, Matrix):
            assert [row["value"] for row in element["rows"]] == [row.code for row in question.rows]


def test_a_code_book_has_a_variable_for_every_answer() -> None:
    instrument = author.load(BUNDLED["security-by-design"])
    assert isinstance(instrument, Instrument)
    content, _ = exported(BUNDLED["security-by-design"].read_text("utf-8"), instrument, "ddi", "by-design.yaml")
    root = ElementTree.fromstring(content)
    space = {"d": "ddi:codebook:2_5"}
    names = [variable.get("name") for variable in root.findall("d:dataDscr/d:var", space)]
    assert len(names) == len(set(names))
    for question in instrument.questions:
        if isinstance(question, Matrix):
            assert [name for name in names if str(name).startswith(f"{question.var}_")] == [
                f"{question.var}_{row.code}" for row in question.rows
            ]
        elif isinstance(question, Multiple):
            assert {f"{question.var}_{option.code}" for option in question.options} <= set(names)
    languages = {
        text.get("{http://www.w3.org/XML/1998/namespace}lang") for text in root.iterfind("d:dataDscr/d:var/d:qstn/d:qstnLit", space)
    }
    assert languages == set(instrument.languages)
