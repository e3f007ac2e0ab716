"""The folder with everything one stack keeps: checked before anything starts, locked while the stack runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from deploy.keys import KeyFolder
from deploy.refusal import Refusal

ROOM = 256 * 1024 * 1024
"""Bytes that must be free to start: PostgreSQL alone needs a third of it for a new cluster."""
_ELSEWHERE = "Choose another folder with --data."


class DataFolder:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.keys = KeyFolder(self.path / "secrets")
        self.nats = self.path / "nats"
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self.releases = self.path / "releases"
        self.token = self.path / "organiser.token"

    @contextlib.contextmanager
    def taken(self) -> Generator[None]:
        """Locks the folder for this process; the system releases the lock when the process ends. Raises Refusal."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._refusal(error) from None
        try:
            try:
                self._lock(lock)
                self._check()
            except OSError as error:
                raise self._refusal(error) from None
            yield
        finally:
            os.close(lock)

    def free(self) -> int:
        return shutil.disk_usage(self.path).free

    def _lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            raise Refusal(
                f"The data folder {self.path} is in use by another Platea (process {holder}).", f"Stop that one first. {_ELSEWHERE}"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def _check(self) -> None:
        if (free := self.free()) < ROOM:
            raise Refusal(
                f"The disk that holds {self.path} is almost full: {free // 2**20} MB are free, {ROOM // 2**20} MB are needed.",
                f"Free some space. {_ELSEWHERE}",
            )
        for folder in (self.logs, self.releases, self.keys.folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        probe = self.path / ".probe"
        probe.write_bytes(b"platea")
        probe.unlink()
        if self.postgres.exists() and os.geteuid() not in (0, self.postgres.stat().st_uid):
            raise Refusal(f"The data folder {self.path} was made by another user.", f"Start Platea as that user. {_ELSEWHERE}")

    def _refusal(self, error: OSError) -> Refusal:
        if error.errno == errno.ENOSPC:
            return Refusal(f"The disk that holds {self.path} is full.", f"Free some space. {_ELSEWHERE}")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            why = "it is on a read-only file system" if error.errno == errno.EROFS else "this user may not write there"
            return Refusal(f"The data folder {self.path} cannot be used: {why}.", f"Make it writable. {_ELSEWHERE}")
        return Refusal(f"The data folder {self.path} cannot be used: {(error.strerror or 'unknown reason').lower()}.", _ELSEWHERE)
