"""What answers are worth: the scores that their author gave them, else their codes, where these are numbers, else their places. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from proto.instrument import NON_SUBSTANTIVE, Matrix, Single

_TRAILING = re.compile(r"(?<![0-9])[0-9]{1,9}$")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


def scored(question: Matrix | Single) -> list[tuple[str, int]]:
    """The options with their scores, the lowest score first. Don't know and the like have none.

    Scores that the author gave come first. Where all codes are whole numbers, they are the scores, in whichever order the options are
    written: 5 for "strongly agree" at the top of the list is 5. Other codes are worth their place, counted from 1.
    """
    declared = [(option.code, option.score) for option in question.options if option.score is not None]
    if declared:
        return sorted(((code, score) for code, score in declared if code not in NON_SUBSTANTIVE), key=lambda pair: pair[1])
    substantive = [option.code for option in question.options if option.code not in NON_SUBSTANTIVE]
    if numeric(substantive):
        return sorted(((code, int(code)) for code in substantive), key=lambda pair: pair[1])
    return [(code, place) for place, code in enumerate(substantive, 1)]


def numeric(codes: Iterable[str]) -> bool:
    """Whether all are different whole numbers."""
    listed = list(codes)
    return all(_NUMBER.fullmatch(code) for code in listed) and len({int(code) for code in listed}) == len(listed)


def monotonic(numbers: Iterable[int]) -> bool:
    """Whether all ascend or all descend."""
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def against_places(codes: Iterable[str]) -> bool:
    """Whether codes that are scored by their places hold numbers that do not go up with these: "a5" before "a4", or "5" before "4" where
    others are no numbers."""
    listed = list(codes)
    found = [int(match[0]) for code in listed if (match := _TRAILING.search(code))]
    return not numeric(listed) and len(found) > 1 and any(later <= earlier for earlier, later in pairwise(found))


def in_order(codes: Iterable[str]) -> bool:
    """Whether codes that are numbers all ascend or all descend; True where they are no numbers."""
    listed = list(codes)
    if not all(_NUMBER.fullmatch(code) for code in listed):
        return True
    return monotonic(map(int, listed))
