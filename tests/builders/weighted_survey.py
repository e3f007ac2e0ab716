"""The small survey with a weight that imported data bring with them, and respondents who have one."""

from __future__ import annotations

from functools import cache

import numpy as np
from msgspec.structs import replace

from proto import case_weights
from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook
from tests.builders.small_survey import Answers, crowd, survey


def weight(classes: int = 8, least: float = 0.2, greatest: float = 5.0, role: i.Role = "insensitive") -> i.CaseWeight:
    codes = case_weights.grid(least, greatest, classes)
    return i.CaseWeight(
        id="Weight",
        var="weight",
        section="S",
        text={"en": "Weight of the panel"},
        privacy=i.Privacy(role),
        stats=("none",),
        options=tuple(i.Option(code, {"en": code}) for code in codes),
        least=least,
        greatest=greatest,
    )


@cache
def book(classes: int = 8, minimum: int = 10) -> CodeBook:
    small = survey(minimum)
    return CodeBook(Reader(replace(small, questions=(*small.questions, weight(classes)))))


def weighing(seed: int, size: int, of: CodeBook, *, some: bool = False, spread: float = 0.6) -> tuple[list[Answers], list[float]]:
    """A crowd with log-normal weights, and these before they are rounded. `some`: a tenth have none; their weight is 0.

    `spread`: the standard deviation of their logarithm; 0.43, 0.64 and 0.83 make the design effect 1.2, 1.5 and 2.
    """
    draw, question = np.random.default_rng(seed), of.instrument.case_weight
    assert question is not None
    weights = np.clip(np.exp(draw.normal(0, spread, size)), question.least, question.greatest)
    weights[draw.random(size) < 0.1 * some] = 0
    people = crowd(seed, size)
    codes = [case_weights.code_of(question, float(weight)) for weight in weights]
    return [one | ({"Weight": code} if code else {}) for one, code in zip(people, codes, strict=True)], weights.tolist()
