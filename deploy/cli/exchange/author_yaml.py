"""Writes a questionnaire in the author format as YAML, with comments. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from proto.authoring.yaml_nodes import Scalar

COMMENT = "#"
"""The key of a mapping that holds comments, a list of lines before it; `#after` those at the end of its first line."""
WIDEST = 140
_BROKEN_LINE = re.compile("[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*")


def written(document: Mapping[str, Any], head: list[str], tail: list[str]) -> str:
    """The YAML text; `head` and `tail` are comment lines before and after."""
    lines = [_comment(line) for line in head]
    lines += _mapping(document, 0)
    lines += [_comment(line) for line in tail]
    return "\n".join(lines) + "\n"


def _mapping(mapping: Mapping[str, Any], indent: int) -> list[str]:
    lines: list[str] = []
    for key, value in mapping.items():
        if key == COMMENT:
            lines += [" " * indent + _comment(line) for line in value]
        else:
            lines += _entry(key, value, indent)
    return lines


def _entry(key: str, value: Any, indent: int) -> list[str]:
    label = f"{' ' * indent}{_key(key)}:"
    flow = _flow(value)
    if not _commented(value) and (not isinstance(value, Mapping | list) or len(label) + len(flow) < WIDEST or not value):
        return [f"{label} {flow}"]
    if isinstance(value, Mapping):
        return [label, *_mapping(cast("Mapping[str, Any]", value), indent + 2)]
    lines = [label]
    for item in cast("list[Any]", value):
        lines += _item(item, indent + 2)
    return lines


def _item(item: Any, indent: int) -> list[str]:
    before: list[str] = []
    if isinstance(item, Mapping):
        mapping = cast("Mapping[str, Any]", item)
        before = [" " * indent + _comment(line) for line in mapping.get(COMMENT, [])]
        item = {key: value for key, value in mapping.items() if key != COMMENT}
    flow = _flow(item)
    if not isinstance(item, Mapping) or (not _commented(item) and "section" not in item and len(flow) + indent + 2 < WIDEST):
        return [*before, f"{' ' * indent}- {flow}"]
    inner = _mapping(cast("Mapping[str, Any]", item), indent + 2)
    return [*before, f"{' ' * indent}- {inner[0][indent + 2 :]}", *inner[1:]]


def _commented(value: Any) -> bool:
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return COMMENT in mapping or any(_commented(inner) for inner in mapping.values())
    return isinstance(value, list) and any(_commented(inner) for inner in cast("list[Any]", value))


def _flow(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number(value)
        case str():
            return scalar(value)
        case Mapping():
            entries = cast("Mapping[str, Any]", value).items()
            return "{" + ", ".join(f"{_key(key)}: {_text(key, inner)}" for key, inner in entries if key != COMMENT) + "}"
        case _:
            return "[" + ", ".join(_flow(inner) for inner in value) + "]"


def _text(key: str, value: Any) -> str:
    """In a flow, words are always in quotes but for ids and ops."""
    return (
        quoted(value)
        if isinstance(value, str) and key not in ("q", "op", "id", "of", "role", "hierarchy", "name", "other")
        else _flow(value)
    )


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    text = f"{value:.12f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def scalar(text: str) -> str:
    """Without quotes where every YAML reader takes it for text."""
    if _PLAIN.fullmatch(text) and len(text) < 80 and Scalar(0, text, quoted=False).value()[0] == "text":
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A double-quoted scalar: JSON, with every character escaped that YAML would take for a line's end."""
    return _BROKEN_LINE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _key(text: str) -> str:
    return scalar(text)


def _comment(line: str) -> str:
    plain = re.sub(r"[\x00-\x1f]+|" + _BROKEN_LINE.pattern, " ", line)
    return f"# {plain}"[:300].rstrip()
