"""What a running stack tells other programs of this machine: its address, the ports of its servers."""

from __future__ import annotations

import fcntl
from pathlib import Path

import msgspec

NAME = "running.json"


class Running(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ports are None where an external server does that work. `pid` is the process of `platea up`."""

    url: str
    pid: int
    nats_monitor: int | None = None
    postgres: int | None = None


def write(folder: Path, running: Running) -> None:
    """Writes the file atomically; it holds no secrets."""
    draft = folder / f".{NAME}.new"
    draft.write_bytes(msgspec.json.encode(running) + b"\n")
    draft.replace(folder / NAME)


def read(folder: Path) -> Running | None:
    """The facts about the stack that runs in this data folder; None where none runs. A file in a copied folder describes another stack."""
    if not taken(folder):
        return None
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


def taken(folder: Path) -> bool:
    """Whether a stack runs in this folder and so holds its lock; a copy of the folder has a lock of its own. True where we may not look."""
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def forget(folder: Path) -> None:
    (folder / NAME).unlink(missing_ok=True)
