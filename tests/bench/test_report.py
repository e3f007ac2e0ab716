"""The benchmark report says plainly what was reached."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.report import Figure, Report, save, show


def test_a_figure_is_met_missed_or_without_a_target() -> None:
    assert Figure("g", "more", 2.0, "/s", 1.0).met
    assert not Figure("g", "less", 2.0, "s", 1.0, "less").met
    assert Figure("g", "plain", 2.0, "s").met is None


def test_table_and_json_tell_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("a machine", 2, False, [Figure("Group", "a figure", 12_345.0, "/s", 10_000.0, "more", "measured", "beside")])
    show(report)
    assert "12,345 /s" in (printed := capsys.readouterr().out)
    assert "met" in printed
    found = json.loads(save(report, tmp_path / "out").read_bytes())
    assert found["figures"][0] | {"value": 12_345.0, "target": 10_000.0, "met": True, "calibration": "beside"} == found["figures"][0]
