"""`platea survey check` says where a sound questionnaire protects little, and what no release will hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli.surveys import group
from tests.export.tables import EVERY_KIND


def checked(text: str, folder: Path) -> str:
    file = folder / "survey.yaml"
    file.write_text(text, "utf-8")
    found = CliRunner().invoke(group, ["check", str(file)])
    assert found.exit_code == 0, found.output
    return " ".join(found.output.split())


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            "minimum: 1, batch: 1, i_understand_that_this_protects_nobody: true",
            "minimum 1 instead of 10, batch 1 instead of 10 and figures that move",
        ),
        ("minimum: 20", ""),
        ("batch: 5", "batch 5 instead of 10."),
    ],
)
def test_a_policy_that_protects_less_than_usual_is_pointed_out(policy: str, said: str, tmp_path: Path) -> None:
    told = checked(f"{EVERY_KIND}policy: {{name: cell-key, {policy}}}\n", tmp_path)
    assert ("protects less than usual" in told) == bool(said)
    assert said in told


@pytest.mark.parametrize("policy", ["minimum: 1", "batch: 4", "minimum: 4, batch: 4"])
def test_a_policy_that_protects_nobody_is_refused_unless_its_author_says_so(policy: str, tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    file.write_text(f"{EVERY_KIND}policy: {{name: cell-key, {policy}}}\n", "utf-8")
    found = CliRunner().invoke(group, ["check", str(file)])
    assert found.exit_code != 0
    assert "protects nobody" in found.output
    assert "i_understand_that_this_protects_nobody" in found.output


def test_a_number_that_no_release_will_hold_is_named(tmp_path: Path) -> None:
    bands = '    bands: ["1990-2009", "2010+"]\n'
    assert "will be in no release" not in checked(EVERY_KIND, tmp_path)
    assert "since will be in no release" in checked(EVERY_KIND.replace(bands, ""), tmp_path)
