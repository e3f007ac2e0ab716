"""What became of a foreign questionnaire, finding by finding: a line each, or JSON. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec

Level = Literal["dropped", "changed", "review", "refused"]
"""Left out on purpose with nothing lost of the data; the same answers in another form; a guess; a question or rule left out."""

LONGEST_QUOTE = 80


class ExchangeFinding(msgspec.Struct, frozen=True):
    """One thing that is not as it was. `of`: the foreign name of the question it concerns."""

    key: str
    level: Level
    place: str
    message: str
    advice: str = ""
    of: str = ""

    def __str__(self) -> str:
        sentence = f"{self.place}: {self.message}"
        return f"{sentence} ({self.advice})" if self.advice else sentence


class UnreadableForm(Exception):
    """The file is no questionnaire that can be read; the message says why, `way_out` what to do."""

    def __init__(self, reason: str, way_out: str = "Name a questionnaire that the other tool wrote.") -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_out = way_out


class ImportCounts(msgspec.Struct, kw_only=True):
    """The counts of the last line. `asked` holds questions that ask something; `enabled` those that are asked here, too.

    `askable`: those of a kind that is asked here, outside of repeats.
    """

    asked: int = 0
    whole: int = 0
    changed: int = 0
    refused: int = 0
    askable: int = 0
    enabled: int = 0
    rules: int = 0
    rules_kept: int = 0


class Report:
    """Collects findings while a form is read and rewritten."""

    def __init__(self) -> None:
        self.findings: list[ExchangeFinding] = []
        self.outcome = ImportCounts()
        self.roles: dict[str, list[str]] = {}
        self.names: list[tuple[str, str]] = []
        """Old and new names, for data of the old tool."""

    def add(self, level: Level, key: str, place: str, message: str, advice: str = "", of: str = "") -> None:
        finding = ExchangeFinding(key, level, place, message, advice, of)
        if finding not in self.findings:
            self.findings.append(finding)

    def touched(self) -> dict[str, set[Level]]:
        """The levels of the findings of each question."""
        found: dict[str, set[Level]] = {}
        for finding in self.findings:
            if finding.of:
                found.setdefault(finding.of, set()).add(finding.level)
        return found

    @property
    def to_review(self) -> int:
        return sum(finding.level == "review" for finding in self.findings)

    @property
    def clean(self) -> bool:
        """Nothing was refused, and nothing is to review."""
        return not self.to_review and not any(finding.level == "refused" for finding in self.findings)

    def last_line(self) -> str:
        """For example "59 questions: 51 whole, 6 changed, 2 refused; 13 rules: 13; 12 to review." """
        counts = self.outcome
        return (
            f"{counts.asked} question{_s(counts.asked)}: {counts.whole} whole, {counts.changed} changed, {counts.refused} refused; "
            f"{counts.rules} rule{_s(counts.rules)}: {counts.rules_kept}; {self.to_review} to review."
        )

    def lines(self) -> list[str]:
        """Every finding but those of roles, told once, and the roles in a table."""
        told = list(dict.fromkeys(str(finding) for finding in self.findings if finding.key != "role"))
        table = [f"{role:17}{', '.join(ids)}" for role, ids in self.roles.items()]
        return [*told, *(["Roles, all of them guesses to review:", *table] if table else [])]

    def document(self, file: str, format: str) -> bytes:
        """The whole report as JSON."""
        content = {
            "file": file,
            "format": format,
            "findings": self.findings,
            "levels": dict(Counter(finding.level for finding in self.findings)),
            "roles": self.roles,
            **msgspec.structs.asdict(self.outcome),
            "to_review": self.to_review,
        }
        return msgspec.json.format(msgspec.json.encode(content), indent=1)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def quote(text: str) -> str:
    """Foreign words in quotes, on one line and cut."""
    plain = " ".join(text.split())
    return f'"{plain if len(plain) <= LONGEST_QUOTE else plain[: LONGEST_QUOTE - 1] + "…"}"'
