"""The attack by rare answers: somebody knows up to three rare answers of a person, then looks for rows that agree.

A withheld cell agrees with anything, a merged one with each of its answers. Found is who has some such answers with which one row agrees
and no other. Why this happens to nobody in a public release is argued in `gate.rare`; here it is counted, sensitive answers included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations, islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.instrument import NON_SUBSTANTIVE
from services.export.gate.rarity import KNOWN, rarity
from services.export.report.compared import ComparedVariable

MOST, TRIED, SEED = 500, 200, 1
"""People who are looked for at most; sets of their answers that are tried for each."""


class Known(msgspec.Struct, frozen=True):
    """`answers`: so many rare ones are known. `people`: respondents with so many, of whom at most `MOST` were looked for.

    `found_before`, `found`: the share of these with whom one row alone agrees, by some of their rare answers.
    """

    answers: int
    people: int
    found_before: float
    found: float


def known(fields: list[ComparedVariable], k: int) -> tuple[Known, ...]:
    """By one, two and three rare answers, as far as anybody has so many. `fields`: all but the quasi-identifiers."""
    rare = [field.substantive & _telling(field) & (field.given <= rarity(k)) for field in fields]
    has = [few[field.before] for few, field in zip(rare, fields, strict=True)]
    many = np.sum(has, axis=0, dtype=np.int32) if has else np.zeros(0, dtype=np.int32)

    @cache
    def before(place: int, answer: int) -> int:
        return _bits(fields[place].before == answer)

    @cache
    def after(place: int, answer: int) -> int:
        return _bits(fields[place].within[:, answer][fields[place].after])

    def share_found(rows: NDArray[np.intp], answers: int, agreeing: Callable[[int, int], int]) -> float:
        return float(np.mean([_found(row, answers, fields, has, agreeing) for row in rows.tolist()]))

    results: list[Known] = []
    for answers in range(1, KNOWN + 1):
        rows = np.flatnonzero(many >= answers)
        if len(rows):
            drawn = np.random.default_rng(SEED).choice(_by_content(fields, rows), min(len(rows), MOST), replace=False)
            results.append(Known(answers, len(rows), share_found(drawn, answers, before), share_found(drawn, answers, after)))
    return tuple(results)


def _telling(field: ComparedVariable) -> NDArray[np.bool_]:
    return np.array([code not in NON_SUBSTANTIVE for code in field.answers])


def _found(
    row: int, answers: int, fields: list[ComparedVariable], has: list[NDArray[np.bool_]], agreeing: Callable[[int, int], int]
) -> bool:
    """Whether one row alone agrees with some of the rare answers of a respondent."""
    sets = [agreeing(place, int(field.before[row])) for place, field in enumerate(fields) if has[place][row]]
    for some in islice(combinations(sets, answers), TRIED):
        rows = some[0]
        for other in some[1:]:
            rows &= other
        if rows.bit_count() == 1:
            return True
    return False


def _by_content(fields: list[ComparedVariable], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Sorts rows by content, so that the sample does not depend on the order of arrival."""
    return rows[np.lexsort([field.before[rows] for field in fields])]


def _bits(rows: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(rows).tobytes(), "big")
