"""How often figures move and how much noise they carry: every number that protection hangs on, in one place. Pure.

Claim. With these numbers somebody who takes part, with as many own answers as there are others, reads a single answer of another
person hardly better than by the best guess. Variances grow with the number of respondents and with nothing else: a cell that is kept
small has no less noise, and how much noise there is tells nothing. What lasts for life is constant: a lasting part that grew could be
solved for from two editions. `docs/disclosure.md` says how each number was found and what it costs; `tests/attacks` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

from proto.instrument import Instrument
from services.analysis.disclosure.accountant import Guarantee

DAY = 86_400.0
BLOCKS = 60
"""With so many blocks crossed with each other the variance of tables was measured; with more it grows in proportion."""
EDITIONS = 8
"""Of a survey with a guarantee: at 40 respondents, 80 … 2,560, and one at the first close."""


@dataclass(frozen=True)
class Spread:
    """Of the noise of a single count: the variance is `root` times the root of the number of respondents, at least `least`; `lasting` of it
    is drawn once for the life of a survey. It grows, since somebody may stand with more own answers the larger a survey is, and slower
    than the variance of a sample, so noise is ever less of what a share is off by."""

    least: float
    root: float
    lasting: float

    def variance(self, n: int) -> float:
        return max(self.least, self.root * sqrt(n))


@dataclass(frozen=True)
class Parameters:
    """`batch`, `growth`: single counts move when there are more respondents than at any edition before, by the larger of `batch` and
    `growth` of them. `table_batch`, `table_factor`: two-way tables move when there are so many times as many as when they last
    moved. `closing_factor`: the same at the close.
    """

    minimum: int = 10
    batch: int = 10
    growth: float = 0.08
    table_batch: int = 40
    table_factor: float = 2.0
    closing_factor: float = 1.5
    answers: Spread = Spread(8.5, 0.7, 5.0)
    absent: Spread = Spread(8.5, 0.7, 5.0)
    """Of who did not answer a question."""
    groups: Spread = Spread(20.0, 0.7, 16.0)
    """Of strata: in single counts the lasting part alone decides whether a group has one person or none, once it is pushed over `minimum`;
    in rows of tables it is `table_lasting`."""
    phi: float = 0.5
    """The correlation of what does not last from one edition to the next: a step between two editions is one innovation and little else,
    while independent noise would average out."""
    table_least: float = 8.0
    table_share: float = 0.02
    table_most: float = 12.0
    table_lasting: float = 3.0
    clock: float = DAY
    """Seconds after the last growth until single counts may move without growth, for the first time."""
    clock_editions: int = 8
    guarantee: Guarantee | None = None
    """Of differential privacy: then every count carries the noise that this takes, and everything moves together, at `table_batch`
    respondents and whenever there are `table_factor` times as many as ever before, and once at the first close."""

    def table_variance(self, n: int, crossed: int = 0) -> float:
        """Of a count of two answers. `crossed`: with how many blocks these are crossed."""
        if self.guarantee is not None:
            return float(self.guarantee.variance)
        return min(max(self.table_share * n, self.table_least), self.table_most) * max(crossed / BLOCKS, 1.0)


OPEN = Parameters()
"""Where everybody may answer, and so may an attacker, as often as the flood guard lets through."""
INVITED = Parameters(growth=0.05, answers=Spread(4.0, 0.35, 2.0), absent=Spread(20.0, 0.7, 16.0), table_lasting=7.0)
"""Where each answer takes an invitation, so that an attacker has a few own answers at most. Strata have the noise of an open survey, and
who did not answer has that of strata: whether there is somebody takes few own answers or none. Tables have it too, but most of it lasts:
strangers hide who came between two editions, and whoever is there in all of them would show through noise that is drawn anew."""


def first_edition(instrument: Instrument) -> int:
    """So many respondents the first figures are of."""
    parameters = parameters_of(instrument)
    return parameters.minimum if parameters.guarantee is None else parameters.table_batch


def parameters_of(instrument: Instrument, histograms: int = 1) -> Parameters:
    """Those of a survey. One whose author understands that it protects nobody moves with each `batch`, whoever comes or leaves.
    `histograms`: published at each edition; the noise of a guarantee grows with them."""
    usual, policy = INVITED if instrument.participation == "invited" else OPEN, instrument.policy
    if policy.guaranteed:
        assert policy.epsilon is not None
        assert policy.delta is not None
        first = max(usual.table_batch, policy.minimum)
        guarantee = Guarantee(policy.epsilon, policy.delta, EDITIONS, histograms)
        same = Spread(float(guarantee.variance), 0.0, 0.0)
        return Parameters(policy.minimum, first, 1.0, first, 2.0, answers=same, absent=same, groups=same, guarantee=guarantee)
    if policy.i_understand_that_this_protects_nobody:
        usual = replace(usual, growth=0.0, table_batch=policy.batch, table_factor=1.0, closing_factor=1.0, clock=0.0, clock_editions=2**31)
        return replace(usual, minimum=policy.minimum, batch=policy.batch)
    return replace(usual, minimum=policy.minimum, batch=policy.batch, table_batch=max(usual.table_batch, policy.minimum))
