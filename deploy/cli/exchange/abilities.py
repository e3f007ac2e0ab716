"""What the author format can say: asked of its schema, so that a reader never writes what `survey check` does not know. Pure."""

from __future__ import annotations

import importlib.util
from typing import Any, cast

from proto.authoring import schema


def _has(kind: str, field: str) -> bool:
    known: Any = getattr(schema, kind, None)
    return known is not None and field in cast("tuple[str, ...]", known.__struct_fields__)


SPECIFY = _has("AuthoredOption", "specify")
SCORES = _has("AuthoredOption", "score")
RANDOM_OPTIONS = _has("AuthoredSingle", "randomise_options")
NOTES = hasattr(schema, "AuthoredNote")
PATTERNS = _has("AuthoredShortText", "pattern")
PIPING = importlib.util.find_spec("proto.piping") is not None
