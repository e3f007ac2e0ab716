"""What a running stack tells other programs of this machine: its address and the ports of its servers."""

from __future__ import annotations

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
    """It appears whole, and says nothing secret."""
    draft = folder / f".{NAME}.new"
    draft.write_bytes(msgspec.json.encode(running) + b"\n")
    draft.replace(folder / NAME)


def read(folder: Path) -> Running | None:
    """What the stack in this data folder told last; None where it told nothing. It may have ended since."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


def forget(folder: Path) -> None:
    (folder / NAME).unlink(missing_ok=True)
