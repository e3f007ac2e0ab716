"""Health: whether a process runs, and whether it is ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from litestar import Response

from proto.problem import Problem
from services.runtime.http.responses import private


@dataclass(frozen=True)
class Readiness:
    """`checks`: all must be true for the service to be ready. `notes`: what an operator should look at although it is ready."""

    checks: dict[str, bool]
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def good(self) -> bool:
        return all(self.checks.values())


def live() -> Response[bytes]:
    return private({"status": "live"})


def ready(readiness: Readiness, otherwise: str) -> Response[bytes]:
    """Raises Problem `unavailable` with the checks, and `otherwise` as its detail, where one of them is false."""
    report = {"checks": readiness.checks, **readiness.notes}
    if not readiness.good:
        raise Problem("unavailable", otherwise, retry_after=1, extra=report)
    return private({"status": "ready", **report})
