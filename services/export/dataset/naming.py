"""Variable names that are valid in SPSS as well as in Stata. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 32
"""Characters of a name in Stata; SPSS allows 64."""
_SPSS = "all and by eq ge gt le lt ne not or to with"
_STATA = """
    aggregate array boolean break byte case catch class colvector complex const continue default delegate delete do double else
    eltypedef end enum explicit export external float for friend function global goto if inline int in local long namespace new
    numeric null operator orgtypedef pointer polymorphic pragma private protected public quad real return rowvector scalar short
    signed static strl string struct super switch template this throw transmorphic try typedef typename union unsigned using vector
    version virtual void while
"""
RESERVED = frozenset(f"{_SPSS} {_STATA}".split())


def short_names(names: Iterable[str]) -> dict[str, str]:
    """For each name one of letters, digits and underscores: at most 32 characters, unlike the others whatever their case.

    A name keeps its short form when variables are added behind it.
    """
    taken: set[str] = set(RESERVED)
    short: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
        if not plain[:1].isalpha() or re.fullmatch(r"str\d+", plain):
            plain = f"v_{plain}"
        candidate, count = plain[:LONGEST].rstrip("_") or "v", 1
        while candidate.lower() in taken:
            count += 1
            ending = f"_{count}"
            candidate = plain[: LONGEST - len(ending)] + ending
        taken.add(candidate.lower())
        short[name] = candidate
    return short
