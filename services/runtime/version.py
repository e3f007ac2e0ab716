"""The version of this program. Connections to PostgreSQL carry it in their name."""

from __future__ import annotations

import importlib.metadata

VERSION = importlib.metadata.version("platea")


def application_name(service: str) -> str:
    """Tells whoever looks at the connections which service of which version this is."""
    return f"platea {service} {VERSION}"
