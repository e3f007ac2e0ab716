"""What an operator sets for the export service."""

from __future__ import annotations

from pathlib import Path

import msgspec

from services.runtime.http.host_guard import LOOPBACK, HostGuard
from services.runtime.logs import LogFormat


class Settings(msgspec.Struct, frozen=True):
    nats_url: str
    database_url: str
    releases: Path
    """Folder of the published releases: one folder per survey, one per number."""
    release_key_file: Path | None = None
    """The key that releases are signed with; made if absent. Without, one is kept beside the releases."""
    host: str = "127.0.0.1"
    port: int = 8003
    public_url: str = ""
    """Under which people open this server: citations and pages name it."""
    proxies: str = ""
    """Networks of what stands in front, with commas between; its Host and X-Forwarded-Proto are believed."""
    metrics_from: str = LOOPBACK
    """Networks that may read metrics, with commas between."""

    log_format: LogFormat = "text"
    """Of log lines: "text" for people, "json" for a collector."""

    def __post_init__(self) -> None:
        self.host_guard()

    def host_guard(self) -> HostGuard:
        return HostGuard.of(self.public_url, self.proxies, self.metrics_from)
