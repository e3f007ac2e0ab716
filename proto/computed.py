"""Values that are computed from answers: sums, means and scores over numbers, shares of a total and items of scales. Pure.

They are computed wherever answers are read, and stored nowhere: a version that computes otherwise counts everybody by its own formula.
Arithmetic is exact; the result is rounded to the decimals of the value, a half to the even digit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, cast

from msgspec import UNSET

from proto.instrument import AnyQuestion, Computed, ConstantSum, Integer, Matrix, Multiple, Number, Numeric, Single, WithRows
from proto.logic import row_attribute
from proto.scores import scored

Worth = Callable[[Any], int | None]
"""What an answer adds, in steps of 1 / scale; None where it is absent, or a code without a number."""


class ComputedPart(NamedTuple):
    """A question, or a row of a matrix or constant sum by its place. `counts`: an answer is worth one, whatever it is, and each choice."""

    id: str
    row: int | None
    worth: Worth
    counts: bool


class ComputedFormula:
    """One computed value. `questions`: those of the instrument, by id. Raises KeyError where it speaks of what is not there, or of what has
    no number."""

    def __init__(self, question: Computed, questions: Mapping[str, AnyQuestion]) -> None:
        self.question = question
        asked = {id: questions[id] for id in (name.partition(".")[0] for name in question.of)}
        counts = question.op == "count"
        self.scale: int = 1 if counts else 10 ** max(map(_decimals, asked.values()), default=0)
        self.parts: list[ComputedPart] = [part for name in question.of for part in _parts(name, asked, 0 if counts else self.scale)]

    def __call__(self, given: Sequence[Any]) -> Any:
        """The value for the answers to the parts, in their order: whole where it has no decimals, UNSET where too few are known."""
        known = [worth for part, value in zip(self.parts, given, strict=True) if (worth := part.worth(value)) is not None]
        if not known or len(known) < self.question.least:
            return UNSET
        match self.question.op:
            case "sum" | "count":
                exact = Fraction(sum(known), self.scale)
            case "mean":
                exact = Fraction(sum(known), self.scale * len(known))
            case "score":
                exact = Fraction(sum(known) * len(self.parts), self.scale * len(known))
            case "min":
                exact = Fraction(min(known), self.scale)
            case "max":
                exact = Fraction(max(known), self.scale)
        rounded = round(exact, self.question.decimals)
        return int(rounded) if self.question.decimals == 0 else float(rounded)

    def of(self, answers: Any) -> Any:
        """The value for these answers, a Struct of `proto.answers`."""
        return self([answer_to(part, answers) for part in self.parts])


def answer_to(part: ComputedPart, answers: Any) -> Any:
    """The answer in a Struct of `proto.answers`."""
    value = getattr(answers, part.id)
    return value if part.row is None or value is UNSET else getattr(value, row_attribute(part.row))


def _decimals(question: AnyQuestion) -> int:
    return question.decimals if isinstance(question, Numeric) else 0


def _parts(name: str, questions: Mapping[str, AnyQuestion], scale: int) -> Iterator[ComputedPart]:
    """`scale`: how many steps a one has; 0: each answer counts, whatever it is worth."""
    id, _, row = name.partition(".")
    question = questions[id]
    if isinstance(question, WithRows):
        places = [place for place, item in enumerate(question.rows) if row in ("", item.code)]
        if not places or (isinstance(question, ConstantSum) and not scale):
            raise KeyError(name)
        if isinstance(question, ConstantSum):
            worth = _number(scale)
        else:
            worth = _looked_up({code: score * scale if scale else 1 for code, score in scored(question)})
        yield from (ComputedPart(id, place, worth, not scale) for place in places)
    elif row or isinstance(question, Computed):
        raise KeyError(name)
    elif isinstance(question, Single):
        yield ComputedPart(id, None, _looked_up({code: score * scale if scale else 1 for code, score in scored(question)}), not scale)
    elif isinstance(question, Number):
        yield ComputedPart(id, None, _number(scale), not scale)
    elif isinstance(question, Multiple) and not scale:
        yield ComputedPart(id, None, _choices, True)
    else:
        raise KeyError(name)


def _number(scale: int) -> Worth:
    return lambda value: (round(value * scale) if scale else 1) if isinstance(value, int | float) else None


def _choices(value: Any) -> int | None:
    return len(cast("list[Any]", value)) if isinstance(value, list) else None


def _looked_up(table: Mapping[str, int]) -> Worth:
    return lambda value: table.get(value) if isinstance(value, str) else None


def ends_of(question: Computed, questions: Mapping[str, AnyQuestion]) -> tuple[float, float]:
    """The least and the greatest value that the formula can give. Raises KeyError as `ComputedFormula` does."""
    formula = ComputedFormula(question, questions)
    ends_by_part = [_worths(part, questions[part.id], question.op == "count") for part in formula.parts]
    lows, highs = zip(*ends_by_part, strict=True)
    many, some = len(lows), question.least < len(lows)
    shares = _of_totals(formula.parts, questions)
    apart = [ends for part, ends in zip(formula.parts, ends_by_part, strict=True) if part.id not in shares]
    match question.op:
        case "sum" | "count":
            terms = [*apart, *shares.values()]
            ends = sum(min(low, 0) if some else low for low, _ in terms), sum(max(high, 0) if some else high for _, high in terms)
        case "mean" | "score" if len(shares) == 1 and not apart:
            ((low, high),) = shares.values()  # the rows of one question are known together
            ends = (low / many, high / many) if question.op == "mean" else (low, high)
        case "score":
            ends = min(lows) * many, max(highs) * many
        case "mean" | "min" | "max":
            ends = min(lows), max(highs)
    step = 10**question.decimals
    return math.floor(Fraction(ends[0]) * step) / step, math.ceil(Fraction(ends[1]) * step) / step


def _of_totals(parts: Sequence[ComputedPart], questions: Mapping[str, AnyQuestion]) -> dict[str, tuple[Fraction, Fraction]]:
    """For each constant sum the least and the greatest sum of the rows that are parts: all go to the row named least or most often."""
    named = Counter((part.id, part.row) for part in parts)
    found: dict[str, tuple[Fraction, Fraction]] = {}
    for id in dict.fromkeys(part.id for part in parts):
        if isinstance(question := questions[id], ConstantSum):
            often = [named[id, place] for place in range(len(question.rows))]
            found[id] = Fraction(question.total * min(often)), Fraction(question.total * max(often))
    return found


def _worths(part: ComputedPart, question: AnyQuestion, counts: bool) -> tuple[Fraction, Fraction]:
    match question:
        case Multiple():
            return Fraction(question.min_choices), Fraction(question.max_choices or len(question.options))
        case _ if counts:
            return Fraction(1), Fraction(1)
        case Integer() | Numeric():
            return Fraction(str(question.min)), Fraction(str(question.max))
        case ConstantSum():
            return Fraction(0), Fraction(question.total)
        case Single() | Matrix():
            scores = [score for _, score in scored(question)]
            return Fraction(min(scores)), Fraction(max(scores))
        case _:
            raise KeyError(part.id)
