"""What an operator sets for intake."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`analysis_url` and `export_url` are where the front finds the other services; intake itself does not call them."""

    nats_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    analysis_url: str | None = None
    export_url: str | None = None
    queue: int = 4096
    """Most responses that wait for the journal at a time; beyond it the answer is 503."""
