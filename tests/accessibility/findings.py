"""What tests found, clause by clause. The results file that the service's statement shows is written from this."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from services.intake.form.statement import Clause, Results
from tests.accessibility.clauses import ABSENT, NAMES, of_tags


class Findings:
    def __init__(self) -> None:
        self.checks: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.pages = 0
        """Page states that were looked at."""

    def add(self, clause: str, *, checks: int, failures: int = 0) -> None:
        assert clause in NAMES, f"no such clause: {clause}"
        self.checks[clause] += checks
        self.failures[clause] += failures

    def page(self, passes: list[dict[str, Any]], violations: list[dict[str, Any]]) -> None:
        """What axe found on one page state: rules with `tags`, and `nodes`, the number of elements."""
        self.pages += 1
        for rules, failed in ((passes, False), (violations, True)):
            for rule in rules:
                for clause in of_tags(rule["tags"]):
                    self.add(clause, checks=rule["nodes"], failures=rule["nodes"] if failed else 0)

    def write(self, path: Path) -> None:
        """A clause that no test speaks for is left to people."""
        clauses = [Clause(clause, name, self.checks[clause], self.failures[clause], clause not in ABSENT) for clause, name in NAMES.items()]
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        path.write_bytes(msgspec.json.format(msgspec.json.encode(Results(today, self.pages, clauses)), indent=1) + b"\n")


FINDINGS = Findings()
