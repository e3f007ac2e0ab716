"""Puts each test into one tier; `-m unit` ends a test that reaches out of its process."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TIERS = {
    "unit": "needs no server, no browser and no child process",
    "service": "needs NATS, PostgreSQL, a stack or another process",
    "browser": "looks at pages in Chromium",
    "faults": "kills and freezes what runs",
    "slow": "keeps a processor busy for seconds: simulated attackers, many examples, large releases",
}
FOLDERS = {"faults": "faults", "attacks": "slow", "acceptance": "slow"}
FIXTURES = {
    "browser": {"chromium", "playwright"},
    "service": {"nats_server", "postgres_server", "stack", "address"},
}
NAMES = {"aiohttp", "ports", "serve", "started", "subprocess", "web", "Cluster", "NatsServer", "Operated", "Postgres", "TestServer"}
"""What a module imports to run a server or a program: its tests are `service` where no fixture says more."""
OUTSIDE = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "socket.bind", "socket.connect"}

_inside = ""
"""The unit test that runs, if one does."""


def tier_of(item: pytest.Function) -> str:
    """By the mark that the test carries, else by its folder, its fixtures, what its module imports."""
    marked = [tier for tier in TIERS if item.get_closest_marker(tier)]
    assert len(marked) <= 1, f"{item.nodeid} is in more than one tier: {marked}"
    room = Path(item.path).relative_to(Path(__file__).parent).parts[0]
    fixtures = set(getattr(item, "fixturenames", ()))
    by_fixture = next((tier for tier, names in FIXTURES.items() if names & fixtures), None)
    otherwise = "service" if NAMES & vars(item.module).keys() else "unit"
    return next(iter(marked), None) or FOLDERS.get(room) or by_fixture or otherwise


def sort(items: list[pytest.Function]) -> None:
    """Marks each test, and moves the modules that take long to the front: then two workers end at about the same time."""
    heaviest: dict[Path, int] = {}
    for item in items:
        tier = tier_of(item)
        if not item.get_closest_marker(tier):
            item.add_marker(tier)
        heaviest[item.path] = max(heaviest.get(item.path, 0), list(TIERS).index(tier))
    items.sort(key=lambda item: -heaviest[item.path])


@contextmanager
def held(item: pytest.Item) -> Generator[None]:
    """While a unit test runs, with its fixtures. A whole run does not fail because a test is in the wrong tier."""
    global _inside
    _inside = item.nodeid if item.config.option.markexpr == "unit" else ""
    try:
        yield
    finally:
        _inside = ""


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _inside and event in OUTSIDE:
        raise AssertionError(f"{_inside} is no unit test: {event} {arguments[:2]}. Mark it `service`.")


sys.addaudithook(_audit)
