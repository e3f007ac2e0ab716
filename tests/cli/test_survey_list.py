"""What `platea survey list` says of a survey's state, and `platea survey check` of its dates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.cli import surveys
from proto import author

AT = "2026-12-31T18:00:00+01:00"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"state": "open"}, "open"),
        ({"state": "open", "closes": AT}, f"open until {AT}"),
        ({"state": "open", "listed": False}, "open, not listed"),
        ({"state": "coming", "opens": AT}, f"opens {AT}"),
        ({"state": "ending", "closes": AT}, "closed, but to those who have begun"),
        ({"state": "closed", "closes": AT}, "closed"),
    ],
)
def test_the_list_says_until_when_a_survey_is_open(told: dict[str, Any], expected: str) -> None:
    assert surveys.standing({"opens": None, "closes": None, "listed": True} | told) == expected


def test_check_says_when_a_questionnaire_opens_and_closes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = author.bundled()["security-by-design"].read_text()
    quota = 'quotas: [{id: users, when: {q: P01, op: answered}, limit: 1200, text: {en: "Enough."}}]\n'
    dated = quota + 'listed: false\nopens: {at: "2026-12-01 09:00", zone: Europe/Brussels}\ncloses: {at: "2026-12-31 18:00", zone: UTC}\n'
    file = tmp_path / "dated.yaml"
    file.write_text(text.replace("\nsource_language:", f"\n{dated}source_language:", 1))
    surveys.check.callback(file)  # pyright: ignore[reportOptionalCall]
    said = " ".join(capsys.readouterr().out.split())
    opened = "It opens 2026-12-01 09:00, Europe/Brussels (2026-12-01 08:00 UTC)"
    assert f"{opened}, and closes 2026-12-31 18:00, UTC; those who have begun may send for 60" in said
    assert "No list names it" in said
    assert "Quota users: about 1,200 wanted. Respondents who answered P01" in said


def test_an_organiser_sees_how_full_quotas_are(capsys: pytest.CaptureFixture[str]) -> None:
    surveys.show_quotas("town", {"old": {"counted": 1203, "limit": 1200, "full": True}, "new": {"counted": 7, "limit": 1200}})
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert ["old", "1,203", "1,200", "full"] in lines
    assert ["new", "7", "1,200", "open"] in lines
    surveys.show_quotas("town", {})
    assert "town has no quotas." in capsys.readouterr().out
