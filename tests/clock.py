"""A clock that stands still until a test moves it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """`now` is in seconds since 1970; call it as `time.time`."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now
