"""Conditional requests: whether a client already has what it asks for (RFC 9110, 13). Pure.

A header that stands in several lines is one list, so each function takes the lines. A list is read as far as it fits the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_ITEM = re.compile(r'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|\Z)')
"""One entity tag of a list (RFC 9110, 8.8.3). A comma may stand inside the quotes."""


def not_modified(if_none_match: Sequence[str], etag: str) -> bool:
    """Returns whether the answer is 304: `*`, or one of the tags is this one in the weak comparison (RFC 9110, 13.1.2)."""
    return _is_any(if_none_match) or etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in _tags(if_none_match)}


def matches(if_match: Sequence[str], etag: str) -> bool:
    """Returns whether a change may go ahead: no condition, `*`, or this tag in the strong comparison (RFC 9110, 13.1.1)."""
    return not "".join(if_match).strip() or _is_any(if_match) or (not etag.startswith("W/") and etag in _tags(if_match))


def range_is_current(if_range: Sequence[str], etag: str) -> bool:
    """Returns whether Range counts: no condition, or exactly this strong tag (RFC 9110, 13.1.5). A date never fits: we send none."""
    return not if_range or (not etag.startswith("W/") and ",".join(if_range).strip() == etag)


def _is_any(lines: Sequence[str]) -> bool:
    return ",".join(lines).strip() == "*"


def _tags(lines: Sequence[str]) -> Iterator[str]:
    text, place = ",".join(lines), 0
    while item := _ITEM.match(text, place):
        yield item.group(1)
        place = item.end()
