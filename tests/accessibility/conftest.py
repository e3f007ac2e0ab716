"""Collects what the tests of this folder find about each clause, for the statement that `make statement` writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accessibility.findings import FINDINGS


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A test marked `clause` speaks for the clauses it names."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" and not report.skipped:
        for mark in item.iter_markers("clause"):
            for clause in mark.args:
                FINDINGS.add(clause, checks=1, failures=int(report.failed))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A part of the tests, or a run that was broken off, tells nothing."""
    if session.config.option.keyword or session.shouldfail or session.shouldstop:
        return
    if found := os.environ.get("PLATEA_ACCESSIBILITY_RESULTS"):
        FINDINGS.write(Path(found))
