"""A program of the stack: its command, settings, readiness check, way to end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "COVERAGE_PROCESS_CONFIG")
"""The last is set where `make coverage` measures what runs."""


@dataclass(frozen=True)
class Program:
    """Secrets travel in `settings` or in files, never in `command`, which everybody on the machine can read."""

    name: str
    command: list[str]
    ready: Callable[[], Awaitable[bool]]
    """True once it serves; False or an exception as long as it does not."""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    uid: int = -1
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGKILL
    """What it gets when its parent dies without a word."""
    patience: float = 4.0
    """Seconds it may take to stop."""
    beats: bool = False
    """Whether it sends signs of life once it serves (`services.runtime.watchdog`)."""
    answers: Callable[[], Awaitable[bool]] | None = None
    """For a program that sends none: whether it says anything when asked. It need not be well for that."""
    hung: str = ""
    """What to say when it is there and does not answer any more. Where nothing is to be said it is ended, and started again."""

    def line(self) -> list[str]:
        """The command line that starts it as a child of this process."""
        return [*launched(self.orphaned, self.uid), *self.command]

    def environment(self) -> dict[str, str]:
        """Its own settings and what any program needs; nothing else of ours leaks into it."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # Modules come from where we are installed, never from the folder somebody happens to be in.
        return {**passed_on, "PYTHONPATH": str(_LAUNCH.parents[1]), "PYTHONSAFEPATH": "1", **self.settings}


def launched(orphaned: signal.Signals, uid: int = -1) -> list[str]:
    """What to put before a command so that it gets this signal when we die, and runs as this user where one is given."""
    return [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(orphaned)), str(uid)]
