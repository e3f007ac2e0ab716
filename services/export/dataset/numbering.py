"""The number of each value of a variable in SPSS or Stata files, the same in every release. Pure.

Numbers follow from the questionnaire: its options in their order, then the coarser values of each level of the hierarchy, in thousands, and
neighbours on a scale that may be told as one.
A later version keeps the numbers of the earlier ones, so that files of all releases of a survey can be put under one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from proto.instrument import NON_SUBSTANTIVE, Matrix, Option, Single
from services.export.dataset.variables import JOINT, LONGEST_SCALE, Variable
from services.export.protect.hierarchy import TOP

LARGEST_OF_ITS_OWN = 100
"""Codes that are whole numbers up to here stand for themselves, and so do the scores of options."""
LEVEL, WIDE_LEVEL = 1_000, 10_000
"""Where the values of the first level begin, those of the second at twice that, and so on; the wide step where options are a thousand."""
LARGEST = 32_000
"""Two bytes hold it, and so do Stata's integers."""


def numbers(variable: Variable, earlier: Sequence[Variable] = ()) -> dict[str, int]:
    """The number of each answer and of each coarser value. `earlier`: this variable in the versions before, the first one first."""
    given: dict[str, int] = {}
    first = (*earlier, variable)[0]
    scores = {option.code: option.score for version in (*earlier, variable) for option in _options(version) if option.score is not None}
    whole = not scores and all(map(_is_whole, [band.code for band in first.bands] or _telling(first.labels)))
    step = LEVEL if all(len(version.labels) < LEVEL for version in (*earlier, variable)) else WIDE_LEVEL
    for version in (*earlier, variable):
        _enter(given, _telling(version.labels), 0, step, whole, scores)
        for level, above in enumerate(version.ladder(), 1):
            _enter(given, _telling(above.values()), level * step, step, False)
    for version in (*earlier, variable):
        _enter_merged(given, version.scale)
    return given


def _enter_merged(given: dict[str, int], scale: Sequence[str]) -> None:
    """Numbers a merged value by its first answer (hundreds) and its last (thousands and above).

    Where all versions together have more than a hundred answers, numbering continues above those in use.
    """
    place, taken = {code: at for at, code in enumerate(given) if JOINT not in code}, set(given.values())
    for first, begin in enumerate(scale):
        for last in range(first + 1, len(scale) - (first == 0)):
            code = JOINT.join(scale[first : last + 1])
            if code in given:
                continue
            number = LEVEL + place[begin] * LONGEST_SCALE + place[scale[last]]
            given[code] = number if max(place[begin], place[scale[last]]) < LONGEST_SCALE and number not in taken else max(taken) + 1
            taken.add(given[code])


def _options(variable: Variable) -> tuple[Option, ...]:
    """The options that have scores of their own."""
    return variable.question.options if isinstance(variable.question, Single | Matrix) else ()


def _enter(
    given: dict[str, int], codes: Iterable[str], above: int, step: int, whole: bool, scores: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Each new code gets the next number above `above`, or its own where it is one."""
    taken = set(given.values())
    for code in codes:
        if code in given:
            continue
        own = int(code) if whole and _is_whole(code) else scores.get(code)
        if own is not None and not 0 <= own <= LARGEST_OF_ITS_OWN:
            own = None
        number = own if own is not None and own not in taken else max((n for n in taken if above <= n < above + step), default=above) + 1
        if number > LARGEST:
            number = max(taken, default=0) + 1
        given[code] = number
        taken.add(number)


def _telling(codes: Iterable[str]) -> list[str]:
    return [code for code in dict.fromkeys(codes) if code not in NON_SUBSTANTIVE and code != TOP]


def _is_whole(code: str) -> bool:
    return code.isascii() and code.isdecimal() and str(int(code)) == code and int(code) <= LARGEST_OF_ITS_OWN
