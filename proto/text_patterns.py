"""What a short text may have to look like: a closed list of patterns, each one regular expression for server and page. Pure.

They are in the part of the syntax that Python and JavaScript (with the flag u) read alike, and take time in proportion to the text.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

TextPattern = Literal["email", "telephone", "postal_code"]
PATTERNS: tuple[TextPattern, ...] = get_args(TextPattern)
SHORTEST = 12
"""Characters that a text with a pattern must have room for."""

_BLANK = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
_PART = rf"[^{_BLANK}@<>()\[\]\\,;:]"
_LABEL = rf"[^{_BLANK}@<>()\[\]\\,;:.]"
_BETWEEN = "[ \u00a0./()\u2010-\u2013-]"

SOURCES: dict[TextPattern, str] = {
    "email": rf"{_PART}{{1,64}}@({_LABEL}+\.)+{_LABEL}{{2,}}",
    "telephone": rf"\+?({_BETWEEN}*[0-9]){{5,15}}{_BETWEEN}*",
    "postal_code": r"(?=[^0-9]*[0-9])[0-9A-Za-z]([ -]?[0-9A-Za-z]){2,9}",
}
"""Mail as people have it (one @, a domain with a point); the digits of ITU-T E.164, written in any way; three to ten letters and digits, of
which one is a digit, as postal codes in Europe are."""
_COMPILED = {name: re.compile(source) for name, source in SOURCES.items()}


def fits(pattern: TextPattern, text: str) -> bool:
    return _COMPILED[pattern].fullmatch(text) is not None
