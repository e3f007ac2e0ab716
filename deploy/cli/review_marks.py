"""Marks `# review:` in an author's file: guesses that a draft or an import made and that nobody has judged yet. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple, cast

import yaml

_MARK = re.compile(r"(?:^|\s)#\s*review:\s*(.*)")
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class ReviewMark(NamedTuple):
    line: int
    guess: str


def marks(text: str) -> list[ReviewMark]:
    """The marks of the file, its import map's among them. What stands inside a text is no mark.

    Comments are not part of YAML's tree, so they are what no value covers. From where the text is not readable, any `# review:` counts.
    """
    lines = text.splitlines()
    with suppress(yaml.YAMLError):
        for event in cast("Iterable[Any]", yaml.parse(text, Loader=_LOADER)):
            if isinstance(event, yaml.ScalarEvent):
                _blank(lines, event.start_mark, event.end_mark)
    found = ((number, _MARK.search(line)) for number, line in enumerate(lines, 1))
    return [ReviewMark(number, match[1].strip()) for number, match in found if match]


def _blank(lines: list[str], start: Any, end: Any) -> None:
    for number in range(start.line, min(end.line + 1, len(lines))):
        first = start.column if number == start.line else 0
        last = end.column if number == end.line else len(lines[number])
        lines[number] = lines[number][:first] + "_" * max(0, last - first) + lines[number][last:]
