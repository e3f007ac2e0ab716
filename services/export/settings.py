"""What an operator sets for the export service."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Settings(msgspec.Struct, frozen=True):
    nats_url: str
    database_url: str
    releases: Path
    """Folder of the published releases: one folder per survey, one per number."""
    release_key_file: Path | None = None
    """The key that releases are signed with; made if absent. Without, one is kept beside the releases."""
    host: str = "127.0.0.1"
    port: int = 8003
