"""What must hold of a question by itself: choices that can be made, bands without gaps, a fitting hierarchy and statistics. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import assert_never

from proto.authoring.faults import Faults, Path
from proto.authoring.parse import nearest
from proto.instrument import (
    BIGGEST,
    NON_SUBSTANTIVE,
    AnyQuestion,
    Band,
    CaseWeight,
    Closed,
    Computed,
    ConstantSum,
    Date,
    Hierarchy,
    Integer,
    LongText,
    Matrix,
    Measured,
    Multiple,
    Numeric,
    Question,
    Ranking,
    ShortText,
    Single,
    Stat,
    WithRows,
)
from proto.scores import against_places, in_order, monotonic, numeric
from proto.text_patterns import SHORTEST

_EVERYWHERE: tuple[Stat, ...] = ("count", "none")
_SCALE: tuple[Stat, ...] = ("share", "distribution", "crosstab", "mean", "net_agreement")
_NUMBER: tuple[Stat, ...] = ("distribution", "crosstab", "mean", "median")
_STATS: dict[type[Question], tuple[Stat, ...]] = {
    Single: (*_EVERYWHERE, *_SCALE),
    CaseWeight: ("none",),
    Multiple: (*_EVERYWHERE, "share", "crosstab"),
    Matrix: (*_EVERYWHERE, *_SCALE),
    Ranking: (*_EVERYWHERE, "rank_score", "crosstab"),
    ConstantSum: (*_EVERYWHERE, "distribution", "crosstab", "mean"),
    Integer: (*_EVERYWHERE, *_NUMBER),
    Numeric: (*_EVERYWHERE, *_NUMBER),
    Computed: (*_EVERYWHERE, *_NUMBER),
    Date: (*_EVERYWHERE, "distribution", "crosstab", "median"),
    ShortText: _EVERYWHERE,
    LongText: _EVERYWHERE,
}
"""The live statistics that make sense for each type of question."""

_NUMBER_CODE = re.compile(r"[+-]?[0-9]{1,12}([.][0-9]{1,12})?")

_GENERALISED = ((Single, "map or table"), (Integer, "bands"), (Numeric, "bands"), (Date, "periods"))


class Fitness:
    """Adds to `faults` what is wrong with a question at a place, whatever the others are."""

    def __init__(self, hierarchies: Mapping[str, Hierarchy], faults: Faults) -> None:
        self.known = hierarchies
        self.faults = faults

    def question(self, question: AnyQuestion, path: Path) -> None:
        self._choices(question, path)
        self._numbers(question, path)
        self._special(question, path)
        self._scores(question, path)
        self._privacy(question, path)
        self._stats(question, path)
        self._prefill(question, path)

    def _prefill(self, question: AnyQuestion, path: Path) -> None:
        """What a link may bring in: addresses are kept by browsers and seen by others, so nothing that names somebody."""
        if not question.prefill:
            return
        if not isinstance(question, Single | Multiple | Integer | Numeric | Date):
            self.faults.add((*path, "prefill"), f"a link cannot bring the answer to {question.id}", "choices, numbers and dates can be")
        if question.privacy.role == "identifying":
            self.faults.add((*path, "prefill"), f"{question.id} identifies somebody, and links are kept and passed on", "leave prefill out")

    def _choices(self, question: AnyQuestion, path: Path) -> None:
        if isinstance(question, WithRows):
            self.faults.once(((row.code, (*path, "rows", i, "code")) for i, row in enumerate(question.rows)), f"row of {question.id}")
            if isinstance(question, ConstantSum) and any(row.exclusive or row.show_if for row in question.rows):
                self.faults.add((*path, "rows"), f"the rows of {question.id} share one total", "exclusive and show_if belong to a matrix")
            if all(row.exclusive for row in question.rows):
                self.faults.add(
                    (*path, "rows"), f"every row of {question.id} excludes the others", "exclusive is for a row of none of these"
                )
        if not isinstance(question, Closed) or not question.options:
            return
        number = len(question.options)
        codes = ((option.code, (*path, "options", i, "code")) for i, option in enumerate(question.options))
        self.faults.once(codes, f"code in {question.id}")
        if isinstance(question, Multiple):
            if question.max_choices is not None and question.max_choices > number:
                self.faults.add((*path, "max_choices"), f"{question.max_choices} choices out of {number} options")
            if question.min_choices > (question.max_choices or number):
                self.faults.add((*path, "min_choices"), f"min_choices {question.min_choices} is more than can be chosen")
        elif any(option.exclusive for option in question.options):
            of_matrix = isinstance(question, Matrix)
            advice = "each row has one answer: write exclusive at a row" if of_matrix else "they belong to questions of type multiple"
            self.faults.add((*path, "options"), f"exclusive options have no meaning in {question.id}", advice)
        if isinstance(question, Single) and question.ordered and question.randomise_options:
            self.faults.add((*path, "randomise_options"), f"the options of {question.id} are a scale, which has one order")
        if isinstance(question, Ranking) and question.rank_count > number:
            self.faults.add((*path, "rank_count"), f"{question.rank_count} ranks for {number} options")

    def _numbers(self, question: AnyQuestion, path: Path) -> None:
        """Bounds in order, bands without gap or overlap from the smallest to the largest possible answer."""
        if isinstance(question, ConstantSum) and not self.faults.touched((*path, "total")):
            self._bands(question.bands, 1.0, 0.0, float(question.total), (*path, "bands"))
        if not isinstance(question, Measured) or self._unbounded(path):
            return
        if isinstance(question, Integer | Numeric) and not self._countable(question, path):
            return
        if isinstance(question, Date):
            real = True
            for key, bound in (("min", question.min), ("max", question.max)):
                if not (key == "max" and bound == "today") and not _real(bound, question):
                    advice = f'for example "{"2026-11-22"[: question.length]}"'
                    self.faults.broken((*path, key), f"{bound} is not a {question.precision}", advice)
                    real = False
            if not real:
                return
        if not (isinstance(question.max, str) and question.max == "today") and question.min > question.max:  # pyright: ignore[reportOperatorIssue]
            self.faults.add((*path, "min"), f"the least answer, {question.min}, is beyond the greatest, {question.max}")
        self._bands(question.bands, *_range(question), (*path, "bands"))

    def _special(self, question: AnyQuestion, path: Path) -> None:
        """Special values can be mistaken neither for a number or date nor for a band of them."""
        if not isinstance(question, Measured) or self._unbounded(path):
            return
        places = [(option.code, (*path, "special", i, "code")) for i, option in enumerate(question.special)]
        self.faults.once(places, f"special value of {question.id}")
        hierarchy = self.known.get(question.privacy.hierarchy or "")
        levels = (question.bands, *(hierarchy.bands if hierarchy else ()))
        bands = {band.code for level in levels for band in level}
        for code, place in places:
            if code in bands:
                self.faults.add(place, f"the special value {code} of {question.id} is also one of its bands", "for example dk")
            elif _possible(code, question):
                self.faults.add(place, f"the special value {code} of {question.id} is also a possible answer", "for example dk")

    def _countable(self, question: Integer | Numeric, path: Path) -> bool:
        """Sums of squares of these numbers stay exact."""
        decimals = question.decimals if isinstance(question, Numeric) else 0
        for key, number, low, high in (
            ("min", question.min, -BIGGEST, BIGGEST),
            ("max", question.max, -BIGGEST, BIGGEST),
            ("decimals", decimals, 0, 4),
        ):
            if not low <= number <= high:
                self.faults.broken((*path, key), f"{number:g} is out of bounds", f"from {low:,} to {high:,}")
        return not self._unbounded(path)

    def _unbounded(self, path: Path) -> bool:
        """Could the bounds of this question not be read?"""
        return any(self.faults.touched((*path, key)) for key in ("min", "max", "decimals", "precision"))

    def _bands(self, bands: tuple[Band, ...], step: float, low: float, high: float | None, path: Path) -> None:
        if not bands or self.faults.touched(path):
            return
        for band in bands:
            if max(abs(band.lower), abs(band.upper or 0)) > 1000 * BIGGEST:
                self.faults.add(path, f"the band {band.code} is out of bounds")
                return
            if band.upper is not None and band.upper < band.lower:
                self.faults.add(path, f"the band {band.code} ends before it begins")
                return
        for one, other in pairwise(bands):
            if one.upper is None or one.upper >= other.lower:
                self.faults.add(path, f"the bands {one.code} and {other.code} overlap or are out of order")
            elif round((other.lower - one.upper) / step) != 1:
                self.faults.add(path, f"there is a gap between the bands {one.code} and {other.code}", f"answers come in steps of {step:g}")
        first, last = bands[0], bands[-1]
        if first.lower > low:
            advice = "say with min what the least answer is" if low == -BIGGEST else ""
            self.faults.add(path, f"the first band, {first.code}, begins above the least answer, {low:g}", advice)
        if last.upper is not None and (high is None or last.upper < high):
            self.faults.add(path, f"the last band, {last.code}, ends below the greatest answer", f'"{last.lower:g}+" has no end')

    def _privacy(self, question: AnyQuestion, path: Path) -> None:
        role, name = question.privacy.role, question.privacy.hierarchy
        text = isinstance(question, ShortText | LongText)
        if isinstance(question, ShortText) and question.pattern and question.max_chars < SHORTEST:
            self.faults.add(
                (*path, "max_chars"), f"{question.max_chars} characters are too few for a {question.pattern}", f"at least {SHORTEST}"
            )
        place = (*path, "privacy")
        if text and role not in ("free_text", "identifying"):
            self.faults.add((*place, "role"), f"{question.id} is free text but its role is {role}", "free_text, or identifying")
        if not text and role == "free_text":
            self.faults.add((*place, "role"), f"{question.id} is not a text", "free_text is for short_text and long_text")
        if name is None:
            if role == "quasi_identifier":
                advice = "say how it is generalised before a release"
                self.faults.add(place, f"{question.id} is a quasi-identifier without a hierarchy", advice)
        elif name not in self.known:
            self.faults.add((*place, "hierarchy"), f"there is no hierarchy {name}", nearest(name, list(self.known)))
        elif not self.faults.touched(("hierarchies", name)) and not self._unbounded(path):
            self._generalised(question, name, (*place, "hierarchy"))

    def _generalised(self, question: AnyQuestion, name: str, place: Path) -> None:
        """Checks that the hierarchy fits the type of the question and covers each possible answer."""
        hierarchy, at = self.known[name], ("hierarchies", name)
        match question, hierarchy.rule:
            case Single(), "table":
                missing = [option.code for option in question.options if option.code not in hierarchy.table]
                if missing and len(hierarchy.levels) > 2 and not self.faults.touched((*place[:-2], "options")):
                    message = f"the hierarchy {name} leaves out {', '.join(missing[:12])} of {question.id}"
                    self.faults.add(at, message, "every code needs its generalised values")
            case Integer() | Numeric(), "bands":
                for index, bands in enumerate(hierarchy.bands):
                    self._bands(bands, *_range(question), (*at, "bands", index))
            case Date(), "date":
                for bands in hierarchy.bands:
                    self._bands(bands, *_range(question), (*at, "periods"))
            case _:
                rule_needed = next((how for kind, how in _GENERALISED if isinstance(question, kind)), None)
                advice = f"one by {rule_needed} is needed" if rule_needed else "only single, integer, numeric and date can be generalised"
                self.faults.add(place, f"the hierarchy {name} does not fit {question.id}", advice)

    def _stats(self, question: AnyQuestion, path: Path) -> None:
        place = (*path, "stats")
        fitting = _STATS[type(question)]
        self.faults.once(((stat, (*place, i)) for i, stat in enumerate(question.stats)), f"statistic of {question.id}")
        if "none" in question.stats and len(question.stats) > 1:
            self.faults.add(place, f"{question.id} asks for no statistic and for some", "none stands alone")
        for index, stat in enumerate(question.stats):
            if stat not in fitting:
                self.faults.add((*place, index), f"{stat} does not fit {question.id}", f"fitting are {', '.join(fitting)}")
        match question:
            case Single() | Matrix() if not any(self.faults.touched((*path, key)) for key in ("options", "ordered")):
                scored = {option.code for option in question.options} - NON_SUBSTANTIVE
                declared = {option.code: option.score for option in question.options if option.score is not None}
                if question.ordered and not declared:
                    self._order(question, path)
                worth = set(declared.values()) if declared else {int(code) for code in scored} if numeric(scored) else set[int]()
                for stat in sorted({"mean", "net_agreement"} & set(question.stats)):
                    if not question.ordered or not worth:
                        message = f"{stat} of {question.id} needs ordered options with numbers as codes, or scores"
                        self.faults.add(place, message, "write ordered: true if they are a scale")
                    elif stat == "net_agreement" and worth != {1, 2, 3, 4, 5}:
                        self.faults.add(place, f"net_agreement of {question.id} needs the codes or scores 1 to 5")
            case Integer() | Numeric() | Date() if not question.bands and not self.faults.touched((*path, "bands")):
                for stat in sorted({"distribution", "median", "crosstab"} & set(question.stats)):
                    message = f"{stat} of {question.id} is published over bands, and it has none"
                    self.faults.add(path, message, 'for example bands: ["0", "1-49", "50+"]')
            case Single() | Multiple() | Matrix() | Ranking() | ConstantSum() | Integer() | Numeric() | Date() | ShortText() | LongText():
                pass
            case _:
                assert_never(question)

    def _order(self, question: Single | Matrix, path: Path) -> None:
        """Codes that are scores, and places that are, agree with each other."""
        codes = [option.code for option in question.options if option.code not in NON_SUBSTANTIVE]
        if not in_order(codes):
            message = f"the codes of {question.id} go neither up nor down all along, and they are its scores"
            self.faults.add((*path, "options"), message, "write the options in the order of their numbers; don't know is dk")
        elif against_places(codes):
            message = f"the codes of {question.id} say another order than its places, which are its scores"
            self.faults.add((*path, "options"), message, "write the lowest first, or give each option its score")

    def _scores(self, question: AnyQuestion, path: Path) -> None:
        """Scores stand at all answers of substance or at none, and say the same order as the scale."""
        options = question.options if isinstance(question, Closed) else ()
        declared = [option for option in options if option.score is not None]
        if not declared or self.faults.touched((*path, "options")):
            return
        place = (*path, "options")
        if not isinstance(question, Single | Matrix):
            self.faults.add(place, f"scores have no meaning in {question.id}", "they belong to questions of type single and matrix")
            return
        for option in declared:
            if option.code in NON_SUBSTANTIVE:
                self.faults.add(place, f"{option.code} of {question.id} is never scored", "don't know and the like are worth nothing")
        substantive = [option for option in options if option.code not in NON_SUBSTANTIVE]
        without = [option.code for option in substantive if option.score is None]
        if without:
            self.faults.add(place, f"some options of {question.id} have a score, but {', '.join(without[:12])} have none")
        elif question.ordered:
            scores = [option.score or 0 for option in substantive]
            codes = [int(option.code) for option in substantive] if numeric(option.code for option in substantive) else []
            if not monotonic(scores):
                self.faults.add(
                    place, f"the scores of {question.id} go neither up nor down all along", "options of a scale stand in its order"
                )
            elif len(codes) > 1 and (codes[1] > codes[0]) != (scores[1] > scores[0]):
                self.faults.add(place, f"the scores of {question.id} say another order than its codes", "let one of them say it")

    def hierarchies(self) -> None:
        for name, hierarchy in self.known.items():
            path: Path = ("hierarchies", name)
            if self.faults.touched(path) or not hierarchy.levels:
                continue
            self.faults.once(((level, (*path, "levels", i)) for i, level in enumerate(hierarchy.levels)), f"level of {name}")
            if hierarchy.levels[-1] != "*":
                self.faults.add(
                    (*path, "levels"), f"the last level of {name} is not *", 'end the levels with "*": nothing is told any more'
                )
            self._nested(name, hierarchy, path)
            values = {value for row in hierarchy.table.values() for value in row} | {b.code for bands in hierarchy.bands for b in bands}
            for value in hierarchy.labels:
                if value not in values:
                    self.faults.add((*path, "labels", value), f"{value} is not a value of {name}", nearest(value, sorted(values)))
            missing = sorted(values - set(hierarchy.labels))
            if missing and hierarchy.labels and hierarchy.rule == "table":
                self.faults.add((*path, "labels"), f"{name} has no label for {', '.join(missing[:12])}")

    def _nested(self, name: str, hierarchy: Hierarchy, path: Path) -> None:
        """Checks that each level is coarser than the one before; else a generalised file would reveal more."""
        middle = hierarchy.levels[1:-1]
        match hierarchy.rule:
            case "table":
                for code, values in hierarchy.table.items():
                    if len(values) != len(middle):
                        message = f"{code} has {len(values)} values for {len(middle)} levels between the first and *"
                        self.faults.add((*path, "map", code), message)
                full = [values for values in hierarchy.table.values() if len(values) == len(middle)]
                for depth in range(len(middle) - 1):
                    above: dict[str, str] = {}
                    for values in full:
                        if above.setdefault(values[depth], values[depth + 1]) != values[depth + 1]:
                            self.faults.add(path, f"{values[depth]} belongs to two values of the level {middle[depth + 1]}")
            case "bands":
                if len(hierarchy.bands) != len(middle):
                    message = f"{name} has {len(middle)} levels between the first and * but {len(hierarchy.bands)} lists of bands"
                    self.faults.add((*path, "bands"), message)
                for finer, coarser in pairwise(hierarchy.bands):
                    starts = {band.lower for band in finer}
                    for band in coarser[1:]:
                        if band.lower not in starts:
                            self.faults.add((*path, "bands"), f"the band {band.code} cuts through a band of the level before")
            case "date":
                if middle not in ((), ("year",), ("period",), ("year", "period")):
                    self.faults.add((*path, "levels"), f"the levels of {name} between the first and * are year and period, in this order")
                if ("period" in middle) != any(hierarchy.bands):
                    self.faults.add(path, f"{name} needs both the level period and the list periods, or neither")


def _range(question: Integer | Numeric | Date) -> tuple[float, float, float | None]:
    """The step between answers, the least and the greatest; of a date the years."""
    match question:
        case Date():
            return 1.0, float(question.min[:4]), None if question.max == "today" else float(question.max[:4])
        case Numeric():
            return 10.0**-question.decimals, question.min, question.max
        case Integer():
            return 1.0, question.min, question.max
        case _:
            assert_never(question)


def _real(text: str, question: Date) -> bool:
    return len(text) == question.length and real_date(text)


def real_date(text: str) -> bool:
    """Whether a year, a month or a day is in the calendar."""
    try:
        date.fromisoformat(text + "0001-01-01"[len(text) :])
    except ValueError:
        return False
    return True


def _possible(code: str, question: Measured) -> bool:
    """Could a number or date be written like this code?"""
    if isinstance(question, Date):
        return code[:4].isdecimal()
    return _NUMBER_CODE.fullmatch(code) is not None and question.min <= float(code) <= question.max
