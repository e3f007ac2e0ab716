"""`platea survey import` and `export`: the questionnaire on stdout, what is not as it was on stderr, an exit status for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import main
from deploy.cli.review_marks import marks
from deploy.cli.surveys import group
from proto import author
from proto.instrument import Instrument

FORM = {"title": "A form", "elements": [{"type": "radiogroup", "name": "a", "choices": ["x", "y"]}, {"type": "signaturepad", "name": "s"}]}


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments))


def test_an_imported_questionnaire_is_sound_and_waits_to_be_reviewed(tmp_path: Path) -> None:
    file, told, written = tmp_path / "form.json", tmp_path / "told.json", tmp_path / "survey.yaml"
    file.write_text(json.dumps(FORM))
    found = ran("import", str(file), "--id", "brought-along", "--report", str(told))
    assert found.exit_code == 1
    written.write_text(found.stdout)
    instrument = author.load(written)
    assert isinstance(instrument, Instrument)
    assert instrument.id == "brought-along"
    assert [mark.guess for mark in marks(found.stdout)] == ["role"]
    assert "form.json:/elements/1: s asks for a signature" in found.stderr
    assert found.stderr.splitlines()[-1] == "2 questions: 1 whole, 0 changed, 1 refused; 0 rules: 0; 1 to review."
    report = json.loads(told.read_text())
    assert (report["format"], report["asked"], report["whole"], report["refused"]) == ("surveyjs", 2, 1, 1)
    assert {finding["key"] for finding in report["findings"]} == {"kind-refused", "role"}


def test_an_export_comes_back_without_anything_to_review(tmp_path: Path) -> None:
    out = tmp_path / "form.xlsx"
    source = author.bundled()["security-by-design"]
    found = ran("export", str(source), "--format", "xlsform", "--out", str(out))
    assert found.exit_code == 0, found.output
    back = ran("import", str(out))
    assert back.exit_code == 0, back.stderr
    written = tmp_path / "survey.yaml"
    written.write_text(back.stdout)
    assert author.load(written) == author.load(source)


def test_a_file_that_cannot_be_read_ends_with_status_2_and_a_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "form.js"
    file.write_text("var json = {};")
    with pytest.raises(SystemExit) as ended:
        main(["survey", "import", str(file)])
    assert ended.value.code == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "this is JavaScript, not JSON. Leave only what stands between the outer braces." in told


def test_a_misspelt_option_names_itself(tmp_path: Path) -> None:
    file = tmp_path / "form.json"
    file.write_text(json.dumps(FORM))
    found = ran("import", str(file), "--unroll", "child")
    assert found.exit_code == 2
    assert "child is not NAME=VALUE" in found.stderr
