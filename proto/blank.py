"""Whether a text says anything to somebody who reads it: not if all of it is invisible. Pure.

`static/answers.js` asks the same of what is typed into a page.
"""

from __future__ import annotations

import unicodedata

_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Control characters, format characters such as U+200B, U+FEFF and U+00AD, and every kind of space."""
_RANGES = ((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F))
_MORE = ((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF), (0x2065, 0x2065))
_UNSEEN = frozenset(chr(code) for first, last in _RANGES + _MORE for code in range(first, last + 1))
"""Letters and marks that are drawn as nothing: fillers, joiners, variation selectors (Default_Ignorable_Code_Point), and the empty
Braille pattern."""


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in it."""
    return all(letter in _UNSEEN or unicodedata.category(letter) in _CATEGORIES for letter in text)
