"""Codes from the command line to a ticket, against a whole stack."""

from __future__ import annotations

import csv
from pathlib import Path

import httpx

from proto import invitation
from tests.faults.operated import Operated
from tests.intake.invited import SURVEY, TEXT, Guest, key_in


async def test_codes_are_made_for_the_organiser_alone_and_more_can_be_made_later(stack: Operated, tmp_path: Path) -> None:
    file = tmp_path / "square.yaml"
    file.write_text(TEXT)
    assert f"platea invite {SURVEY}" in stack.platea("survey", "check", str(file)).stdout
    refused = stack.platea("invite", "ai-security", "--count", "5", "--out", str(tmp_path / "none.csv"), check=False)
    assert refused.returncode == 1
    assert "open to everybody" in refused.stderr
    assert not (tmp_path / "none.csv").exists()
    stack.platea("survey", "publish", str(file))
    first, later = tmp_path / "codes.csv", tmp_path / "later.csv"
    told = stack.platea("invite", SURVEY, "--count", "30", "--out", str(first)).stdout
    assert "30 codes" in told
    assert "Next:" in told
    assert first.stat().st_mode & 0o777 == 0o600
    again = stack.platea("invite", SURVEY, "--count", "1", "--out", str(first), check=False)
    assert again.returncode == 1
    assert "there already" in again.stderr
    stack.platea("invite", SURVEY, "--count", "1", "--out", str(later), "--site", "https://survey.example/")
    rows = [row for path in (first, later) for row in csv.DictReader(path.read_text("utf-8").splitlines())]
    assert len({row["code"] for row in rows}) == 31
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as http:
        key = key_in((await http.get(f"/api/v1/surveys/{SURVEY}/tickets")).json())
        fingerprint = invitation.fingerprint(key.n.to_bytes(key.size))
        assert rows[-1]["link"] == f"https://survey.example/s/{SURVEY}#{rows[-1]['code']}.{fingerprint}"
        assert rows[0]["link"].startswith(f"{stack.url}/s/{SURVEY}#")
        for row in (rows[0], rows[-1]):
            guest = Guest(http, row["code"], key)
            assert (await guest.exchange()).status_code == 200
            assert (await guest.answer()).status_code == 201
