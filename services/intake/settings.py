"""The settings of intake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from services.intake.flood.flood_guard import BURST, LEAST, RATE
from services.runtime.http.connection_limit import ALL, EACH
from services.runtime.http.host_guard import LOOPBACK, HostGuard
from services.runtime.logs import LogFormat


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`analysis_url` and `export_url` are where the front finds the other services; intake itself does not call them."""

    nats_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    analysis_url: str | None = None
    export_url: str | None = None
    public_url: str = ""
    """Under which people open this server; absolute addresses begin with it. Without it they begin with what the request names."""
    proxies: str = ""
    """Networks of the reverse proxies in front, with commas between; their X-Forwarded-For, X-Forwarded-Proto and Host are believed."""
    metrics_from: str = LOOPBACK
    """Networks that may read metrics, with commas between."""
    followers: int = ALL
    """Most who follow live figures through the front at a time."""
    followers_each: int = EACH
    """Most of them from one address."""
    log_format: LogFormat = "text"
    """Of log lines: "text" for people, "json" for a collector."""
    drain_seconds: Annotated[float, Meta(ge=0, le=300)] = 0.0
    """After SIGTERM: not ready any more, and everybody who still comes is served. A second signal ends it at once."""
    queue: int = 4096
    """Most responses that wait for the journal at a time; beyond it the answer is 503."""
    flood_burst: float = BURST
    flood_rate: float = RATE
    """Responses of one survey at once, and per second for longer, above which it counts as flooded."""
    least_seconds: float = LEAST
    """Least seconds from consent to sending; a faster respondent has to confirm once more."""
    guard_key_file: Path | None = None
    """The secret that all intake processes sign with. Without it each process has its own."""
    draft_days: Annotated[int, Meta(ge=1, le=365)] = 30
    """Days for which a draft can be continued after it was last saved."""

    def __post_init__(self) -> None:
        self.host_guard()

    def host_guard(self) -> HostGuard:
        return HostGuard.of(self.public_url, self.proxies, self.metrics_from)
