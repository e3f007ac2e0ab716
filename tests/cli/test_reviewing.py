"""Reviewing at a terminal and by sheet: what keys and lines do, and that texts command nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rich.console import Console

from deploy.cli.console import Trouble
from deploy.cli.review_api import ReviewApi, decisions_in, sheet
from deploy.cli.review_session import review_texts, visible
from services.export.texts.pii_hints import marks

IDS = [f"{n:032x}" for n in range(4)]


class Table(ReviewApi):
    """Four texts without a server."""

    def __init__(self, *said: str) -> None:
        self.survey, self.lost = "square", set[str]()
        self.given_texts = [
            {
                "id": id,
                "question": "wish",
                "language": "en",
                "text": text,
                "decision": "open",
                "marks": [{"kind": mark.kind, "begin": mark.begin, "end": mark.end} for mark in marks(text)],
            }
            for id, text in zip(IDS, said or ("one", "two", "three", "four"), strict=False)
        ]
        self.decided: dict[str, str] = {}
        self.questions = {"wish": {"question": "wish", "text": {"en": "Your wish?"}, "given": 4, "open": 4}}

    def texts(self, decided: bool, most: int = 100) -> Iterator[dict[str, Any]]:
        yield from self.given_texts

    def enter(self, decided: Sequence[tuple[str, str]]) -> dict[str, Any]:
        self.decided |= {id: decision for id, decision in decided if id not in self.lost}
        return {"gone": [id for id, _ in decided if id in self.lost]}


def sitting(api: Table, keys: str) -> tuple[dict[str, int], str]:
    """What was counted at the end, and all that was shown."""
    shown = Console(file=io.StringIO(), width=100, highlight=False)
    pressed = iter(keys)
    counted = review_texts(api, False, lambda: next(pressed), shown)
    return dict(counted), shown.file.getvalue()  # type: ignore[attr-defined]


def test_keys_decide_and_every_decision_is_entered_at_once() -> None:
    api = Table()
    assert sitting(api, "arxsq")[0] == {"accepted": 1, "refused": 1}, "a key that means nothing is passed over"
    assert api.decided == {IDS[0]: "accepted", IDS[1]: "refused"}


def test_one_goes_back_and_decides_otherwise() -> None:
    api = Table()
    counted, shown = sitting(api, "bA" + "bR" + "aaa")
    assert counted == {"refused": 1, "accepted": 3}
    assert api.decided[IDS[0]] == "refused"
    assert "So far: accepted." in shown


def test_a_text_that_left_in_the_meantime_is_told_and_not_counted() -> None:
    api = Table()
    api.lost = {IDS[1]}
    counted, shown = sitting(api, "aaaa")
    assert counted == {"accepted": 3}
    assert "changed or withdrawn in the meantime" in shown


def test_marks_are_shown_without_colour_and_called_an_aid() -> None:
    _, shown = sitting(Table("Ask jane@city.example about it"), "q")
    assert "⟦jane@city.example⟧" in shown
    assert "Marked: e-mail" in shown
    assert "an aid" in shown
    assert "Your wish?" in shown


def test_a_text_cannot_command_the_terminal() -> None:
    nasty = "\x1b[2J\x1b]0;title\x07 [bold]fine[/bold] \u202eback\r gone\x9b31m"
    _, shown = sitting(Table(nasty), "q")
    assert "\x1b" not in shown.replace("\x1b[2J\x1b[H", "")
    assert not set("\x07\r\x9b\u202e") & set(shown)
    assert "[bold]fine[/bold]" in shown
    assert visible("a\x1b\nb") == "a‹001B›\nb"


def test_a_sheet_comes_back_with_its_decisions() -> None:
    api = Table("=SUM(A1)", 'two, and "three"\nlines', "write to a@b.example")
    rows = list(csv.DictReader(io.StringIO(sheet(api.texts(False)))))
    assert [row["text"] for row in rows] == ["'=SUM(A1)", 'two, and "three"\nlines', "write to a@b.example"]
    assert rows[2]["marked"] == "e-mail: a@b.example"
    for row, word in zip(rows, ("Accept", "refused", ""), strict=True):
        row["decision"] = word
    for sign in ",;\t":
        back = io.StringIO()
        writer = csv.DictWriter(back, list(rows[0]), delimiter=sign)
        writer.writeheader()
        writer.writerows(rows)
        assert decisions_in("\ufeff" + back.getvalue(), "s.csv") == [(IDS[0], "accepted"), (IDS[1], "refused")]


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("", "no columns"),
        ("a,b\n1,2\n", "no columns"),
        (f"text_id,decision\n{IDS[0]},maybe\n", "line 2: `maybe` is no decision"),
        ("text_id,decision\n7,accept\n", "line 2: this is no text_id"),
        (f"text_id,decision\n{IDS[0]},accept\n{IDS[0]},refuse\n", "line 3: a second decision"),
    ],
)
def test_a_sheet_that_cannot_be_meant_is_refused_whole(body: str, cause: str) -> None:
    with pytest.raises(Trouble, match=cause):
        decisions_in(body, "s.csv")
