"""What an operator sets for intake."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`analysis_url` and `export_url` are where the front finds the other services; intake itself does not call them."""

    nats_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    analysis_url: str | None = None
    export_url: str | None = None
    queue: int = 4096
    """Most responses that wait for the journal at a time; beyond it the answer is 503."""
    draft_days: Annotated[int, Meta(ge=1, le=365)] = 30
    """How long a draft can be continued after it was last saved."""
