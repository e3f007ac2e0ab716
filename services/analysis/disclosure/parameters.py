"""The parameters of protection: every number that the noise of figures depends on. Pure.

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
    """The variance of the noise of a single count: `root` times the square root of the number of respondents, at least `least`.

    The part `lasting` is drawn once for the life of a survey. The variance grows, since an attacker can have more own answers in a larger
    survey; it grows more slowly than the sampling variance, so the part of noise in the error of a share falls.
    """

    least: float
    root: float
    lasting: float

    def variance(self, n: int) -> float:
        return max(self.least, self.root * sqrt(n))


@dataclass(frozen=True)
class Parameters:
    """When editions are due, and how much noise they carry.

    `batch`, `growth`: an edition of single counts is due when the number of respondents exceeds every earlier one by the larger of `batch`
    and `growth` times that number. `table_batch`, `table_factor`: the first tables are due with `table_batch` respondents, the next when
    there are `table_factor` times as many as at the last. `closing_factor`: the same at the close.
    """

    minimum: int = 10
    batch: int = 10
    growth: float = 0.08
    table_batch: int = 40
    table_factor: float = 2.0
    closing_factor: float = 1.5
    answers: Spread = Spread(8.5, 0.7, 5.0)
    absent: Spread = Spread(8.5, 0.7, 5.0)
    """The noise of counts of non-respondents of a question."""
    groups: Spread = Spread(20.0, 0.7, 16.0)
    """The noise of strata. In single counts the lasting part alone protects whether a group has one person or none, once an attacker pushes
    it over `minimum`; in rows of tables that part is `table_lasting`."""
    phi: float = 0.5
    """The correlation of the other part between neighbouring editions: a step between two editions then holds one whole innovation, while
    independent noise would average out."""
    table_least: float = 8.0
    table_share: float = 0.02
    table_most: float = 12.0
    table_lasting: float = 3.0
    clock: float = DAY
    """Seconds after the last growth until single counts may move without growth, for the first time."""
    clock_editions: int = 8
    guarantee: Guarantee | None = None
    """Differential privacy: every count then carries the noise that it takes. All figures are updated together, at `table_batch`
    respondents, whenever there are `table_factor` times as many as ever before, and once at the first close."""

    def table_variance(self, n: int, crossed: int = 0) -> float:
        """Returns the variance of the noise of a count in a two-way table.

        `n`: respondents. `crossed`: of the two questions the number of blocks that the more connected one is crossed with in all tables;
        beyond BLOCKS the variance grows with it.
        """
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
