"""Simulated respondents: plausible, correlated answers to any instrument, drawn from its definition alone.

A latent class model (Lazarsfeld and Henry, Latent Structure Analysis, 1968): each respondent belongs to a class, made of the
size of the authority, its region and how far it has come; given the class, answers are independent. So who somebody
is, what they do and what they think hang together across the questionnaire, as in real data.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from bisect import bisect
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any, NamedTuple, assert_never

import msgspec
from msgspec import UNSET

from deploy.cli import numbers
from proto.answers import Reader, Submission
from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Option,
    Ranking,
    ShortText,
    Single,
)
from proto.logic import row_attribute
from proto.text_patterns import TextPattern

SIZES = {-1.0: 0.5, 0.0: 0.32, 1.0: 0.18}
REGIONS = {"north": 0.24, "west": 0.3, "south": 0.28, "east": 0.18}
STAGES = {-1.5: 0.38, -0.5: 0.3, 0.5: 0.2, 1.5: 0.12}
LEAVES_OUT = 0.05
"""How often somebody leaves an optional question open; a text 12 times as often."""
BREAKS_OFF = 0.06
"""How many tire on the way and from there on answer only what they must."""

STANDS_ALONE = 0.1
"""How often somebody answers a row that excludes the others."""
MOST_DRAWS = 5_000
"""Of an answer that must not have hidden options."""


class Class(NamedTuple):
    """A latent class: size from small to large, region, and stage from nothing to much."""

    size: float
    region: str
    stage: float


CLASSES = tuple(itertools.starmap(Class, itertools.product(SIZES, REGIONS, STAGES)))
_SHARES = [SIZES[c.size] * REGIONS[c.region] * STAGES[c.stage] * math.exp(1.2 * c.size * c.stage) for c in CLASSES]
_CUMULATED = list(itertools.accumulate(_SHARES))

Draw = Callable[[Random, int], Any]
"""An answer for somebody of this class (its number)."""


class Population:
    """Respondents to one instrument. The same seed and number always give the same respondent; `today` is an ISO date.

    Texts inside options are drawn apart: all other answers are those to the questionnaire without them.
    """

    def __init__(self, instrument: Instrument, seed: int, today: str) -> None:
        self._reader = Reader(instrument)
        self._seed = seed
        self._languages = {region: _choice(_language_weights(instrument.languages, region)) for region in REGIONS}
        inside = [isinstance(question, ShortText) and question.specifies is not None for question in instrument.asked]
        self._places = inside.count(False)
        self._plan = [
            (
                place,
                is_inside,
                question.id,
                self._reader.shown.get(question.id),
                question.required,
                _leaves_out(question),
                _draw(question, self._reader, today),
            )
            for question, is_inside, place in zip(
                instrument.asked, inside, itertools.accumulate(not other for other in inside), strict=True
            )
        ]

    def __iter__(self) -> Iterator[Submission]:
        return map(self.respondent, itertools.count())

    def respondent(self, number: int) -> Submission:
        """What the respondent with this number sends. `answers` is the instrument's Struct."""
        others = Random(self._seed << 40 ^ number)
        kind = bisect(_CUMULATED, others.random() * _CUMULATED[-1])
        answers = self._reader.type()
        tires = 1 + others.randrange(self._places) if others.random() < BREAKS_OFF else self._places
        for place, is_inside, id, shown, required, leaves_out, draw in self._plan:
            random = Random(f"{self._seed}/{number}/{id}") if is_inside else others
            if not required and (place > tires or random.random() < leaves_out):
                continue
            self._reader.compute(answers)
            if shown is None or shown(answers):
                setattr(
                    answers, id, draw(random, kind) if id not in self._reader.parts else self._possible(id, answers, draw, random, kind)
                )
        for id in self._reader.computed:
            setattr(answers, id, UNSET)  # they are not sent
        language = self._languages[CLASSES[kind].region](others)
        return Submission(answers, language, self._reader.instrument.version, consent=True)

    def _possible(self, id: str, answers: Any, draw: Draw, random: Random, kind: int) -> Any:
        """An answer made of the options or rows that are there, drawn until it is one; UNSET where that takes too long."""
        parts = self._reader.parts[id]
        drawn = (parts.possible(answers, draw(random, kind)) for _ in range(MOST_DRAWS))
        return next((answer for answer in drawn if answer is not UNSET), UNSET)

    def body(self, number: int) -> bytes:
        """The same as the JSON body of a request."""
        return msgspec.json.encode(self.respondent(number))


def _leaves_out(question: AnyQuestion) -> float:
    return 12 * LEAVES_OUT if isinstance(question, ShortText | LongText) else LEAVES_OUT


def _draw(question: AnyQuestion, reader: Reader, today: str) -> Draw:
    match question:
        case Single():
            return _single(question.options, _weigher(question, reader.instrument))
        case Multiple():
            return _multiple(question)
        case Matrix():
            return _matrix(question, reader)
        case Ranking():
            return _ranking(question)
        case ConstantSum():
            return numbers.shared_out(question, reader.types[question.id])
        case Integer() | Numeric():
            return numbers.with_special(question, numbers.drawn(question, [0.5 * c.size + 0.3 * c.stage for c in CLASSES]))
        case Date():
            return numbers.with_special(question, numbers.dated(question, today))
        case ShortText() if question.pattern:
            return _patterned(question.pattern)
        case ShortText() | LongText():
            return _text(question.max_chars)
        case _:
            assert_never(question)


def _single(options: tuple[Option, ...], weigh: Callable[[Class], list[float]]) -> Draw:
    draws = [_choice({option.code: weight for option, weight in zip(options, weigh(c), strict=True)}) for c in CLASSES]
    return lambda random, kind: draws[kind](random)


def _weigher(question: Single, instrument: Instrument) -> Callable[[Class], list[float]]:
    """Returns a function from a class of respondents to the weights of the options.

    Personal variables follow size and region, alike within a group of the hierarchy; opinions follow the stage.
    """
    if question.privacy.role != "quasi_identifier":
        return lambda c: _opinions(question.id, question.options, c, ordered=question.ordered)
    hierarchy = instrument.hierarchies.get(question.privacy.hierarchy or "")
    groups = {code: values[0] for code, values in hierarchy.table.items() if values} if hierarchy else {}
    places = _places(question.options)

    def weigh(c: Class) -> list[float]:
        weights: list[float] = []
        for option, place in zip(question.options, places, strict=True):
            lean = 1.2 * _lean(question.id, groups.get(option.code, option.code), c.region) + 0.5 * _lean(question.id, option.code)
            slope = 1.5 * c.size * place if len(places) <= 12 else 0.0  # a list of countries has no direction
            weights.append(0.02 if option.code in NON_SUBSTANTIVE else math.exp(lean + slope))
        return weights

    return weigh


def _opinions(name: str, options: tuple[Option, ...], c: Class, *, ordered: bool) -> list[float]:
    """On a scale, one peak that the stage moves; otherwise later options, which ask for more, suit a later stage."""
    direction = 1.0 if _lean(name, "direction") > -0.4 else -1.0
    peak = 0.4 * direction * c.stage + 0.4 * _lean(name, "peak") + 0.2 * _lean(name, c.region)
    weights: list[float] = []
    for option, place in zip(options, _places(options), strict=True):
        if option.code in NON_SUBSTANTIVE:
            weights.append(0.12 * math.exp(-0.4 * c.stage))
        elif ordered:
            weights.append(math.exp(-2.5 * (place - peak) ** 2))
        else:
            weights.append(math.exp(2.0 * c.stage * place + 0.6 * _lean(name, option.code) + 0.3 * _lean(name, option.code, c.region)) / 4)
    return weights


def _multiple(question: Multiple) -> Draw:
    """Each option on its own, an exclusive one instead of all; then as few or as many as allowed."""
    many = [option.code for option in question.options if not option.exclusive]
    alone = [option.code for option in question.options if option.exclusive]
    least, most = question.min_choices, min(question.max_choices or len(many), len(many))
    chances = [[_logistic(0.9 * _lean(question.id, code) + 0.4 * c.stage + 0.3 * c.size - 0.5) for code in many] for c in CLASSES]
    order = {option.code: place for place, option in enumerate(question.options)}

    def draw(random: Random, kind: int) -> list[str]:
        if alone and least <= 1 and (not many or random.random() < 0.08 - 0.04 * CLASSES[kind].stage):
            return [random.choice(alone)]
        chosen = [code for code, chance in zip(many, chances[kind], strict=True) if random.random() < chance]
        if len(chosen) > most:
            chosen = sorted(random.sample(chosen, most), key=order.__getitem__)
        while len(chosen) < least:
            chosen.append(random.choice([code for code in many if code not in chosen]))
        return chosen

    return draw


def _matrix(question: Matrix, reader: Reader) -> Draw:
    kind_of_rows: Any = reader.types[question.id]
    rows = [
        (
            row_attribute(i),
            _single(
                question.options, lambda c, name=f"{question.id}.{row.code}": _opinions(name, question.options, c, ordered=question.ordered)
            ),
        )
        for i, row in enumerate(question.rows)
    ]
    alone = [row for row, written in zip(rows, question.rows, strict=True) if written.exclusive]
    together = [row for row in rows if row not in alone]

    def draw(random: Random, kind: int) -> Any:
        answers = kind_of_rows()
        if alone and (not together or random.random() < STANDS_ALONE):
            attribute, draw_row = random.choice(alone)
            setattr(answers, attribute, draw_row(random, kind))
            return answers
        for attribute, draw_row in together:
            if question.required or random.random() >= LEAVES_OUT:
                setattr(answers, attribute, draw_row(random, kind))
        if all(getattr(answers, attribute) is UNSET for attribute, _ in together):
            attribute, draw_row = together[0]
            setattr(answers, attribute, draw_row(random, kind))
        return answers

    return draw


def _ranking(question: Ranking) -> Draw:
    """Plackett and Luce's model: the highest utilities with Gumbel noise, in their order."""
    utilities = [
        [
            (option.code, 1.2 * _lean(question.id, option.code) + 0.4 * c.stage * _lean(question.id, option.code, "stage"))
            for option in question.options
        ]
        for c in CLASSES
    ]

    def draw(random: Random, kind: int) -> list[str]:
        noisy = [(utility - math.log(random.expovariate(1.0) + 1e-300), code) for code, utility in utilities[kind]]
        return [code for _, code in sorted(noisy, reverse=True)[: question.rank_count]]

    return draw


def _text(most: int) -> Draw:
    subjects = ("Our council", "The local police", "The data protection officer", "A small team", "The region")
    verbs = ("has started with", "is waiting for guidance on", "would like help with", "shares experience about", "has no staff for")
    objects = ("training for operators", "impact assessments", "clear procurement terms", "talking with residents", "testing before use")
    return lambda random, _: f"{random.choice(subjects)} {random.choice(verbs)} {random.choice(objects)}."[:most].rstrip() or "-"


def _patterned(pattern: TextPattern) -> Draw:
    """Addresses of nobody: a reserved domain (RFC 2606), numbers kept free for examples, postal codes of any place."""
    match pattern:
        case "email":
            return lambda random, _: f"{random.randrange(1000)}@mail.test"
        case "telephone":
            return lambda random, _: f"+1 555 01{random.randrange(100):02}"
        case "postal_code":
            return lambda random, _: f"{random.randrange(10_000):04}"
        case _:
            assert_never(pattern)


def _choice(weights: dict[str, float]) -> Callable[[Random], str]:
    codes, sums = list(weights), list(itertools.accumulate(weights.values()))
    return lambda random: codes[bisect(sums, random.random() * sums[-1])]


def _places(options: tuple[Option, ...]) -> list[float]:
    """Position of each substantive option on a scale from -1 (first) to 1 (last)."""
    count = sum(option.code not in NON_SUBSTANTIVE for option in options)
    return [2.0 * min(i, count - 1) / max(count - 1, 1) - 1.0 for i, _ in enumerate(options)]


@cache
def _lean(*names: str) -> float:
    """A number between -1 and 1 that belongs to these names: the same in every simulation."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**31 - 1.0


def _language_weights(languages: tuple[str, ...], region: str) -> dict[str, float]:
    return {language: math.exp(1.5 * _lean(language, region)) for language in languages}


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))
