"""What the answers on an ordered scale are worth: their codes, where these are numbers, and otherwise their places. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from proto.instrument import NON_SUBSTANTIVE, Matrix, Single

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


def scored(question: Matrix | Single) -> list[tuple[str, int]]:
    """The options of an ordered scale with their scores, the lowest score first. Don't know and the like have none.

    Where all codes are whole numbers, they are the scores, in whichever order the options are written: 5 for "strongly agree"
    at the top of the list is 5. Other codes are worth their place, counted from 1.
    """
    substantive = [option.code for option in question.options if option.code not in NON_SUBSTANTIVE]
    if numeric(substantive):
        return sorted(((code, int(code)) for code in substantive), key=lambda pair: pair[1])
    return [(code, place) for place, code in enumerate(substantive, 1)]


def numeric(codes: Iterable[str]) -> bool:
    """Whether all are different whole numbers."""
    listed = list(codes)
    return all(_NUMBER.fullmatch(code) for code in listed) and len({int(code) for code in listed}) == len(listed)


def in_order(codes: Iterable[str]) -> bool:
    """Whether codes that are numbers all ascend or all descend; True where they are no numbers."""
    listed = list(codes)
    if not all(_NUMBER.fullmatch(code) for code in listed):
        return True
    steps = [int(later) - int(earlier) for earlier, later in pairwise(listed)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)
