"""A log file that never grows past its bound: the older half goes when the newer is full."""

from __future__ import annotations

import os
from pathlib import Path


class BoundedLog:
    """Two files, `name.log` and `name.log.1`, of at most `size` bytes each. A full disk loses lines, never the stack."""

    def __init__(self, path: Path, size: int = 4 * 1024 * 1024) -> None:
        self.path = path
        self._size = size
        self._last = b""

    def write(self, line: bytes) -> None:
        if line.strip():
            self._last = line
        try:
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                file.write(line)
                full = file.tell() >= self._size
            if full:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
        except OSError:
            pass

    def last(self) -> str:
        """The last line that says something."""
        return self._last.decode(errors="replace").strip()
