"""What the author format can say: asked of its schema, so that a reader never writes what `survey check` does not know. Pure."""

from __future__ import annotations

import importlib.util
import typing
from typing import Any, cast

import msgspec

from proto.authoring import schema


def _has(kind: str, field: str) -> bool:
    known: Any = getattr(schema, kind, None)
    return known is not None and field in cast("tuple[str, ...]", known.__struct_fields__)


def _operations() -> frozenset[str]:
    hint: Any = typing.get_type_hints(schema.AuthoredRule)["op"]
    members: list[Any] = [hint, *typing.get_args(hint)]
    return frozenset(op for member in members for op in typing.get_args(member) if isinstance(op, str))


OPERATIONS = _operations()
BOUNDS_OPTIONAL = not next(field for field in msgspec.structs.fields(schema.AuthoredInteger) if field.name == "min").required
SPECIALS = _has("AuthoredInteger", "special")
YEARS = "year" in str(typing.get_type_hints(schema.AuthoredDate)["precision"])
CONSTANT_SUM = hasattr(schema, "AuthoredConstantSum")
SPECIFY = _has("AuthoredOption", "specify")
OPTION_RULES = _has("AuthoredOption", "show_if")
ROW_RULES = _has("AuthoredRow", "show_if")
SCORES = _has("AuthoredOption", "score")
RANDOM_OPTIONS = _has("AuthoredSingle", "randomise_options")
NOTES = hasattr(schema, "AuthoredNote")
PATTERNS = _has("AuthoredShortText", "pattern")
PIPING = importlib.util.find_spec("proto.piping") is not None
COMPUTED = _has("AuthoredSurvey", "computed")
