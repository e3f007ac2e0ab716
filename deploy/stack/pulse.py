"""Hears whether the event loop of a child turns: it sends signs of life as systemd's watchdog wants them (`services.runtime.watchdog`)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import socket
import sys
import tempfile
from pathlib import Path


class Pulse:
    """A socket for one child. `heard` counts its signs of life."""

    def __init__(self, seconds: float) -> None:
        """The child is to send at least one sign of life within so many seconds."""
        self.heard = 0
        self._folder: str | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if sys.platform == "linux":  # a name without a file, which goes with us however we end
            name = f"@platea-{secrets.token_hex(8)}"
            self._socket.bind("\0" + name[1:])
        else:
            self._folder = tempfile.mkdtemp(prefix="platea-")
            name = str(Path(self._folder) / "notify")
            self._socket.bind(name)
        self._socket.setblocking(False)
        self.settings = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": str(int(seconds * 1e6))}
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(64):
                self.heard += 1
