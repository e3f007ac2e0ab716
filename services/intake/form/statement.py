"""The results of the accessibility tests, as the statement at /accessibility shows them. `make statement` writes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).parents[1] / "accessibility.json"


class Clause(msgspec.Struct, frozen=True):
    """A clause of EN 301 549 (or of WCAG 2.2, where it has more): the number of checks, and of failed ones.

    `applies` is False where no page has what the clause is about.
    """

    clause: str
    name: str
    checks: int
    failures: int
    applies: bool = True

    @property
    def result(self) -> str:
        """The key of the result's name in the translations."""
        if self.failures:
            return "statement_not_met"
        if not self.applies:
            return "statement_not_applicable"
        return "statement_met" if self.checks else "statement_by_hand"


class Results(msgspec.Struct, frozen=True):
    """One run: its day (ISO date), the number of page states it checked, and every clause."""

    date: str
    pages: int
    clauses: list[Clause]

    @property
    def whole(self) -> bool:
        """Whether nothing failed and nothing is left to people to judge."""
        return not self.of("statement_not_met") and not self.of("statement_by_hand")

    def of(self, result: str) -> list[Clause]:
        """The clauses with this result."""
        return [clause for clause in self.clauses if clause.result == result]


@cache
def results(file: Path = FILE) -> Results | None:
    """The results of the last run; None where there are none."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Results)
    except FileNotFoundError:
        return None
