"""Answers named in texts: `{A01}` stands for the label of the answer to A01, `{{` and `}}` for braces. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

STAND_IN = "\u2026"
"""Shown where the question is not answered."""
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Z][A-Za-z0-9_]{0,63})\}|\{")


def named(text: str) -> list[str]:
    """The ids of the questions whose answers a text shows, in order."""
    return [match[1] for match in _PLACEHOLDER.finditer(text) if match[1]]


def has_stray_brace(text: str) -> bool:
    """Whether a brace opens that neither names a question nor is doubled."""
    return any(match[0] == "{" for match in _PLACEHOLDER.finditer(text))


def fill(text: str, label: Callable[[str], str]) -> str:
    """The text with `label(id)` in place of each answer."""
    return _PLACEHOLDER.sub(lambda match: label(match[1]) if match[1] else match[0][0], text)


def escape(text: str) -> str:
    """The text as it is written where no brace names an answer."""
    return text.replace("{", "{{").replace("}", "}}")
