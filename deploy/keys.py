"""Generated secrets: each in a file of its own that only its owner reads."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class KeyFolder:
    """A folder of secrets, each made when it is first asked for and the same ever after."""

    folder: Path

    def path(self, name: str) -> Path:
        """The file that holds this secret."""
        path = self.folder / name
        if not path.exists():
            write_secret(path, secrets.token_hex(32) + "\n")
        return path

    def read(self, name: str) -> str:
        return self.path(name).read_text().strip()

    def in_url(self, name: str) -> str:
        """The secret as a part of an address, whatever characters somebody chose."""
        return quote(self.read(name), safe="")


def write_secret(path: Path, text: str) -> None:
    """Write a file of mode 600 that is either there whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
