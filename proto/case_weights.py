"""Weights of single cases: data that were weighted elsewhere bring one for each respondent, and it is kept as a class of a grid. Pure.

The classes are as wide in proportion: of `classes` between `least` and `greatest` each is (greatest / least) ** (1 / classes) times as far
up as the one below, and weighs what lies in its middle. A weight is thus off by at most half a class, and a class tells little of
whose it is.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from math import floor, log

from proto.instrument import CaseWeight, Computed, Instrument
from proto.logic import questions_in
from proto.parts import conditional

MOST = 12
"""Classes. Each is a histogram of its own in public figures."""


def grid(least: float, greatest: float, classes: int) -> tuple[str, ...]:
    """The weights of the classes with four digits, the smallest first; they are the codes under which they are stored."""
    spread = greatest / least
    weights = (least * spread ** ((place + 0.5) / classes) for place in range(classes))
    return tuple(format(Decimal(f"{weight:.3e}").normalize(), "f") for weight in weights)


def code_of(question: CaseWeight, weight: float) -> str | None:
    """The class that a weight lies in; None where it lies in none."""
    if not question.least <= weight <= question.greatest:
        return None
    classes = len(question.options)
    place = floor(classes * log(weight / question.least) / log(question.greatest / question.least))
    return question.options[min(place, classes - 1)].code


def weights_of(question: CaseWeight) -> list[float]:
    """What the respondents of each class weigh, in the order of the options."""
    return [float(option.code) for option in question.options]


def misfits(instrument: Instrument) -> list[tuple[tuple[str | int, ...], str, str]]:
    """What is wrong with the weight: where, what, and what to do about it."""
    found: list[tuple[tuple[str | int, ...], str, str]] = []
    path = ("case_weight",)
    if sum(isinstance(question, CaseWeight) for question in instrument.questions) > 1:
        return [(path, "there is more than one weight", "figures can be weighted by one")]
    question = instrument.case_weight
    if question is None:
        return []
    if not 0 < question.least < question.greatest < float("inf"):
        return [((*path, "least"), "the least weight is not between 0 and the greatest", "for example least: 0.2 and greatest: 5")]
    codes = [option.code for option in question.options]
    if not 2 <= len(codes) <= MOST:
        found.append(((*path, "classes"), f"{len(codes)} classes", f"from 2 to {MOST}"))
    elif tuple(codes) != grid(question.least, question.greatest, len(codes)):
        found.append(
            ((*path, "classes"), "the classes do not divide what lies between the least and the greatest weight", "leave them out")
        )
    elif len(set(codes)) < len(codes):
        found.append(((*path, "classes"), "classes so narrow cannot be told apart", "fewer classes, or a greatest weight that is greater"))
    if question.required or question.prefill or question.show_if is not None or question.stats != ("none",):
        found.append((path, "nobody is asked a weight, and it has no figures", "leave out required, prefill, show_if and stats"))
    if instrument.margins:
        found.append((path, "figures are weighted by margins or by a weight that the data bring, not by both", "leave one of them out"))
    if question.id in _used(instrument):
        found.append(
            (path, f"{question.id} stands in a rule, a stratum, a headline or a computed value", "a weight is no answer: leave it out")
        )
    return found


def _used(instrument: Instrument) -> set[str]:
    """The questions that anything else in the questionnaire leans on."""
    derived = {item.id: item.rule for item in instrument.derived}
    rules = [item.show_if for item in (*instrument.questions, *instrument.notes)]
    rules += [part.show_if for question in instrument.questions for part in conditional(question)]
    rules += [item.rule for item in instrument.derived]
    rules += [item.when for item in (*instrument.soft_checks, *instrument.quotas)]
    variables = {name.partition(".")[0] for name in instrument.strata}
    return {
        *chain.from_iterable(questions_in(rule, derived) for rule in rules),
        *(headline.question for headline in instrument.headlines),
        *(part.partition(".")[0] for question in instrument.questions if isinstance(question, Computed) for part in question.of),
        *(question.id for question in instrument.questions if question.var in variables),
    }
