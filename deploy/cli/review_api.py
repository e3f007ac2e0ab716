"""The free texts of a survey as a command reaches them, and sheets of decisions about them."""

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


@dataclass
class Desk:
    """Texts and decisions of one survey. `questions` by name, as of the first page."""

    server: Server
    survey: str
    questions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def __post_init__(self) -> None:
        self._path = f"/api/v1/surveys/{quoted(self.survey)}/releases/review"
        self.look()

    def look(self) -> None:
        """The counts as they are now."""
        page: dict[str, Any] = self.server.get(f"{self._path}?most=1")
        self.questions = {each["question"]: each for each in page["questions"]}

    def texts(self, decided: bool, most: int = 100) -> Iterator[dict[str, Any]]:
        """Texts to decide on, in pages that are asked for when they are needed; `decided`: those too that were decided on."""
        after: str | None = ""
        while after is not None:
            query = f"?most={most}&after={after}" + ("&decided=true" if decided else "")
            page: dict[str, Any] = self.server.get(self._path + query)
            yield from page["texts"]
            after = page["next"]

    def enter(self, decided: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """The server's answer, of all parts together. Every part is entered whole or not at all."""
        found: dict[str, Any] = {"accepted": 0, "refused": 0, "open": 0, "gone": []}
        for begin in range(0, len(decided), TOGETHER):
            part = decided[begin : begin + TOGETHER]
            body = {"decisions": [{"id": id, "decision": decision} for id, decision in part]}
            answer: dict[str, Any] = self.server.ask("POST", self._path, json.dumps(body).encode())
            found = {name: found[name] + answer[name] for name in found}
        return found

    @property
    def given(self) -> int:
        return sum(each["given"] for each in self.questions.values())

    @property
    def open(self) -> int:
        return sum(each["open"] for each in self.questions.values())


def sheet(texts: Iterator[dict[str, Any]]) -> str:
    """CSV with a line for each text, to be decided on in any program. What a spreadsheet takes for a formula is led by an apostrophe."""
    made = io.StringIO()
    writer = Writer(made)
    writer.writerow(COLUMNS)
    for each in texts:
        kinds = "; ".join(f"{mark['kind']}: {each['text'][mark['begin'] : mark['end']]}" for mark in each["marks"])
        decision = "" if each["decision"] == "open" else each["decision"]
        writer.writerow((each["id"], each["question"], each["language"], kinds, each["text"], decision))
    return made.getvalue()


def decisions_in(body: str, name: str) -> list[tuple[str, str]]:
    """Text and decision of each line that says one. Raises Trouble at the first line that cannot be meant."""
    try:
        lines = csv.DictReader(io.StringIO(body.removeprefix("\ufeff")), dialect=_dialect(body), strict=True)
        found: dict[str, str] = {}
        for line in lines:
            id, word = (line.get("text_id") or "").strip(), (line.get("decision") or "").strip().lower()
            if len(id) != 32 or word not in WORDS:
                raise Trouble(
                    f"{name}, line {lines.line_num}: " + (f"`{word}` is no decision." if word not in WORDS else "this is no text_id."),
                    "Write accept, refuse, open, or nothing; leave the column text_id as it was exported.",
                )
            if found.setdefault(id, WORDS[word]) != WORDS[word]:
                raise Trouble(f"{name}, line {lines.line_num}: a second decision about the same text.", "Keep one line for each text.")
    except csv.Error as error:
        raise Trouble(f"{name} is not CSV: {error}.", "Save it as CSV, with the columns that --export wrote.") from None
    return [(id, decision) for id, decision in found.items() if decision]


def _dialect(body: str) -> type[csv.Dialect]:
    """Spreadsheets of some languages write semicolons. Raises Trouble where the columns are not there."""
    head = body.removeprefix("\ufeff").partition("\n")[0]
    for sign in ",;\t":
        if {"text_id", "decision"} <= {part.strip().strip('"') for part in head.split(sign)}:
            return type("Sheet", (csv.excel,), {"delimiter": sign})
    raise Trouble("The sheet has no columns text_id and decision.", "Decide in a sheet that `--export` wrote; more columns do no harm.")
