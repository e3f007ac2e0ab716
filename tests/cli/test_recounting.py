"""How `platea recount` ends: what it says, with which status."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.cli import recounting
from deploy.cli.server import Server

REST: dict[str, Any] = {"unanswered": [], "unrecorded": 0}
EQUAL: dict[str, Any] = {
    "survey": "s",
    "responses": 8618,
    "stored": 8618,
    "compared": 42684,
    "differences": [],
    "unanswered": [],
    "unrecorded": 0,
}
NOBODY = {"partition": 3, "held": False, "waiting": 153, "uncounted": 12}


def _recount(report: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(Server, "get", lambda *_: report)
    return CliRunner().invoke(recounting.command, ["s", "--token", "t", "--url", "http://127.0.0.1:1"])


def test_all_equal_says_of_how_many_and_how_many_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _recount(EQUAL, monkeypatch)
    assert done.exit_code == 0
    assert "42,684 figures of 8,618 responses: all equal. 8,618 are stored." in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (NOBODY, "Partition 3 is counted by nobody: 153 accepted events wait in the journal, 12 stored responses are not in the figures."),
        (NOBODY | {"held": True}, "Partition 3 is behind: 153 accepted events wait"),
    ],
)
def test_a_partition_without_an_answer_is_named_and_fails_it(told: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = _recount(EQUAL | {"unanswered": [told]}, monkeypatch)
    assert done.exit_code == 1
    assert said in " ".join(done.output.split())
    assert "all equal" not in done.output


def test_a_difference_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _recount(EQUAL | {"stored": 8617, "differences": [{"path": "/responses", "live": 8618, "recount": 8617}]}, monkeypatch)
    assert done.exit_code == 1
    assert "8,617 are stored" in " ".join(done.output.split())
