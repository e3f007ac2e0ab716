"""Codes for people to write down: an alphabet without look-alikes, in groups of four, with check characters. Pure."""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O or U to misread. The place of a character is its value in GF(32)."""
_MISREAD = str.maketrans("OIL", "011")
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
"""What copying brings along and nobody sees: soft hyphens, joiners, marks of direction, marks of byte order."""
_QUOTES = "\"'`\u00ab\u00b4\u00bb\u2018-\u201f\u2039\u203a<>()\\[\\]"
_STRAY = re.compile(rf"[\s{_INVISIBLE}{_QUOTES}]+")
_BORDERS = re.compile(rf"^{_STRAY.pattern}|{_STRAY.pattern}$")
_BETWEEN = re.compile(rf"[\s\-\u2010-\u2015\u2212_.,:;{_INVISIBLE}{_QUOTES}]+")
"""What may stand between groups or around a code: spaces, quotes, and every dash that a word processor may have made of a hyphen."""
_HYPHENED = re.compile(r"\w+(?:[\-\u2010-\u2015\u2212]\w+)*")
"""Groups that hyphens join."""
MOST_AROUND = 1000
"""Characters of a text in which a code is looked for; so much is kept of what was typed where a code is asked for."""


def make(letters: int) -> str:
    """A new code of that many random characters (5 bits each, at most 29) with its check characters, ungrouped."""
    number = secrets.randbits(5 * letters)
    drawn = "".join(ALPHABET[number >> shift & 31] for shift in range(0, 5 * letters, 5))
    return drawn + check(drawn)


def grouped(code: str, size: int = 4) -> str:
    """The way it is shown: XXXX-XXXX-…"""
    return "-".join(code[i : i + size] for i in range(0, len(code), size))


def groups(typed: str) -> list[str]:
    """The groups in which a code was typed."""
    return _BETWEEN.split(typed.strip())


def bare(typed: str) -> str:
    """A typed code as it was made: capitals, without hyphens and spaces, O read as 0, I and L as 1."""
    return _BETWEEN.sub("", typed).upper().translate(_MISREAD)


def without_strays(typed: str) -> str:
    """A secret that is no code of ours, without the spaces, quotes and invisible characters that copying brings along."""
    return _STRAY.sub("", typed)


def bordered(typed: str) -> str:
    """The text without strays at its ends; those inside stay."""
    return _BORDERS.sub("", typed)


def among(typed: str, letters: int) -> str | None:
    """Finds a valid code of this many characters, in groups of four among other words; None if there is not exactly one.

    A code whose groups hyphens join comes before one that a word beside it makes up by chance, as one in 1,024 does.
    """
    if len(typed) > MOST_AROUND:
        return None
    hyphened = {code for part in _HYPHENED.findall(typed) for code in _in_fours(groups(part), letters)}
    fitting = hyphened or _in_fours(groups(typed), letters)
    return next(iter(fitting)) if len(fitting) == 1 else None


def _in_fours(words: list[str], letters: int) -> set[str]:
    """The valid codes of this many characters among successive words of four."""
    count = letters // 4
    fours = (words[i : i + count] for i in range(len(words) - count + 1))
    return {code for four in fours if all(len(group) == 4 for group in four) and sound(code := bare("".join(four)))}


def sound(code: str) -> bool:
    """Whether the check characters at the end of a bare code fit the others."""
    return len(code) > 2 and set(code) <= set(ALPHABET) and check(code[:-2]) == code[-2:]


def check(letters: str) -> str:
    """Two check characters: with them every mistake in one or two characters shows, so every swap of two, neighbours or not.

    They are the remainder of a division by (x - a)(x - a²) over GF(32), a = 2: a Reed-Solomon code, whose words of up to 31
    characters differ in three places at least (Reed and Solomon, 1960). Of other mistakes one in 1,024 goes unseen.
    """
    first = second = 0
    for letter in letters:
        carried = ALPHABET.index(letter) ^ first
        first, second = second ^ _times(6, carried), _times(8, carried)
    return ALPHABET[first] + ALPHABET[second]


def _times(a: int, b: int) -> int:
    """The product in GF(32), built with x⁵ + x² + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= 0b100101
        b >>= 1
    return product
