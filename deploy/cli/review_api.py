"""Client of the review API: free texts of a survey, with decisions about them one by one or as a sheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.cli.console import Trouble
from deploy.cli.server import Server, quoted
from services.runtime.spreadsheet_csv import Writer

COLUMNS = ("text_id", "question", "language", "marked", "text", "decision")
WORDS = {"accept": "accepted", "accepted": "accepted", "refuse": "refused", "refused": "refused", "open": "open", "": ""}
"""What a sheet may say, in any case; nothing leaves a text as it is."""
TOGETHER = 500
"""Decisions in one request."""


@dataclass
class ReviewApi:
    """Texts and decisions of one survey. `questions`: by name, with their counts as of the last `refresh`."""

    server: Server
    survey: str
    questions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def __post_init__(self) -> None:
        self._path = f"/api/v1/surveys/{quoted(self.survey)}/releases/review"
        self.refresh()

    def refresh(self) -> None:
        """Fetches the counts."""
        page: dict[str, Any] = self.server.get(f"{self._path}?most=1")
        self.questions = {counts["question"]: counts for counts in page["questions"]}

    def texts(self, decided: bool, most: int = 100) -> Iterator[dict[str, Any]]:
        """Texts to decide on, fetched page by page. `decided`: with those that were decided on before. `most`: texts per page."""
        after: str | None = ""
        while after is not None:
            query = f"?most={most}&after={after}" + ("&decided=true" if decided else "")
            page: dict[str, Any] = self.server.get(self._path + query)
            yield from page["texts"]
            after = page["next"]

    def enter(self, decided: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Enters (text id, decision) pairs, at most 500 in a request, which is entered whole or not at all. Returns the server's counts."""
        total: dict[str, Any] = {"accepted": 0, "refused": 0, "open": 0, "gone": []}
        for begin in range(0, len(decided), TOGETHER):
            part = decided[begin : begin + TOGETHER]
            body = {"decisions": [{"id": id, "decision": decision} for id, decision in part]}
            answer: dict[str, Any] = self.server.ask("POST", self._path, json.dumps(body).encode())
            total = {name: total[name] + answer[name] for name in total}
        return total

    @property
    def given(self) -> int:
        return sum(counts["given"] for counts in self.questions.values())

    @property
    def open(self) -> int:
        return sum(counts["open"] for counts in self.questions.values())


def sheet(texts: Iterator[dict[str, Any]]) -> str:
    """CSV with a line for each text. A cell that a spreadsheet would take for a formula gets an apostrophe in front."""
    buffer = io.StringIO()
    writer = Writer(buffer)
    writer.writerow(COLUMNS)
    for text in texts:
        kinds = "; ".join(f"{mark['kind']}: {text['text'][mark['begin'] : mark['end']]}" for mark in text["marks"])
        decision = "" if text["decision"] == "open" else text["decision"]
        writer.writerow((text["id"], text["question"], text["language"], kinds, text["text"], decision))
    return buffer.getvalue()


def decisions_in(body: str, name: str) -> list[tuple[str, str]]:
    """(Text id, decision) of each line with a decision. Raises Trouble at the first line that is no valid one."""
    try:
        lines = csv.DictReader(io.StringIO(body.removeprefix("\ufeff")), dialect=_dialect(body), strict=True)
        decisions: dict[str, str] = {}
        for line in lines:
            id, word = (line.get("text_id") or "").strip(), (line.get("decision") or "").strip().lower()
            if len(id) != 32 or word not in WORDS:
                raise Trouble(
                    f"{name}, line {lines.line_num}: " + (f"`{word}` is no decision." if word not in WORDS else "this is no text_id."),
                    "Write accept, refuse, open, or nothing; leave the column text_id as it was exported.",
                )
            if decisions.setdefault(id, WORDS[word]) != WORDS[word]:
                raise Trouble(f"{name}, line {lines.line_num}: a second decision about the same text.", "Keep one line for each text.")
    except csv.Error as error:
        raise Trouble(f"{name} is not CSV: {error}.", "Save it as CSV, with the columns that --export wrote.") from None
    return [(id, decision) for id, decision in decisions.items() if decision]


def _dialect(body: str) -> type[csv.Dialect]:
    """Spreadsheets of some languages write semicolons. Raises Trouble where the columns are not there."""
    head = body.removeprefix("\ufeff").partition("\n")[0]
    for sign in ",;\t":
        if {"text_id", "decision"} <= {part.strip().strip('"') for part in head.split(sign)}:
            return type("DataSheet", (csv.excel,), {"delimiter": sign})
    raise Trouble("The sheet has no columns text_id and decision.", "Decide in a sheet that `--export` wrote; more columns do no harm.")
