"""The results of the accessibility tests, as the statement at /accessibility shows them. `make statement` writes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).parents[1] / "accessibility.json"


class Clause(msgspec.Struct, frozen=True):
    """A clause of EN 301 549 (or of WCAG 2.2, where it has more): the number of checks, and of failed ones."""

    clause: str
    name: str
    checks: int
    failures: int

    @property
    def result(self) -> str:
        """The key of the result's name in the translations."""
        return "statement_by_hand" if not self.checks else "statement_not_met" if self.failures else "statement_met"


class Results(msgspec.Struct, frozen=True):
    """One run: its day (ISO date), the number of page states it checked, and every clause."""

    date: str
    pages: int
    clauses: list[Clause]


@cache
def results(file: Path = FILE) -> Results | None:
    """The results of the last run; None where there are none."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Results)
    except FileNotFoundError:
        return None
