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
        ("minimum: 1, batch: 1, max_noise: 3", "minimum 1 instead of 10, batch 1 instead of 10, max_noise 3 instead of 5 and variance 2.5"),
        ("minimum: 20", ""),
        ("batch: 5", "batch 5 instead of 10."),
    ],
)
def test_a_policy_that_protects_less_than_usual_is_pointed_out(policy: str, said: str, tmp_path: Path) -> None:
    variance = ", variance: 2.5" if "max_noise" in policy else ""
    told = checked(f"{EVERY_KIND}policy: {{name: cell-key, {policy}{variance}}}\n", tmp_path)
    assert ("protects less than usual" in told) == bool(said)
    assert said in told


def test_a_number_that_no_release_will_hold_is_named(tmp_path: Path) -> None:
    bands = '    bands: ["1990-2009", "2010+"]\n'
    assert "will be in no release" not in checked(EVERY_KIND, tmp_path)
    assert "since will be in no release" in checked(EVERY_KIND.replace(bands, ""), tmp_path)
