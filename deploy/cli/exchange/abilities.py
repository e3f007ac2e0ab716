"""What the author format can say: asked of its schema, so that a reader never writes what `survey check` does not know. Pure."""

from __future__ import annotations

from typing import Any, cast

from proto.authoring import schema


def _has(kind: str, field: str) -> bool:
    known: Any = getattr(schema, kind, None)
    return known is not None and field in cast("tuple[str, ...]", known.__struct_fields__)


SCORES = _has("AuthoredOption", "score")
