"""What `platea survey check` says about the noise that a questionnaire's figures will carry. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from services.analysis.disclosure.cells import cells_of, parameters_in
from services.analysis.disclosure.parameters import BLOCKS, parameters_of

RESPONDENTS = 300


def crowded(instrument: Instrument) -> str:
    """That tables carry more noise than usual, and what makes it less; empty where they do not, or where a guarantee sets the noise."""
    if instrument.policy.guaranteed:
        return ""
    blocks, parameters = cells_of(CodeBook(Reader(instrument))).blocks, parameters_of(instrument)
    every, declared = len(blocks.sizes), 0 if blocks.declared is None else int(blocks.declared.sum())
    if every <= BLOCKS:
        return ""
    usual, tables, breakdowns = (sqrt(parameters.table_variance(RESPONDENTS, crossed)) for crossed in (0, every, declared))
    return (
        f"counts in two-way tables are off by about {tables:.1f} with {RESPONDENTS} answers, in breakdowns by {breakdowns:.1f}, instead of "
        f"{usual:.1f}: each of {every} questions, rows of a matrix and options of a multiple choice can be crossed with all others, and "
        f"{declared} are broken down. Fewer of them, or fewer with `crosstab`, make it less."
    )


SIZES = (100, 300, 1_000, 10_000)
"""Respondents for which it is told how far off figures will be."""


@dataclass(frozen=True)
class Promise:
    """What a guarantee costs, as standard deviations. `count`: of the noise of a count. `histograms`: published at each of `editions`."""

    histograms: int
    editions: int
    count: float

    def of_share(self, n: int) -> float:
        """Of the noise of the share of an answer among n respondents, in points, about."""
        return 100 * self.count / n

    @staticmethod
    def of_sampling(n: int) -> float:
        """Of a share of 50 % among n respondents without noise, in points."""
        return 50 / sqrt(n)

    @property
    def outweighs(self) -> bool:
        """Whether there is more noise than sampling error with so many respondents as surveys often have."""
        return self.of_share(RESPONDENTS) > self.of_sampling(RESPONDENTS)


def promised(instrument: Instrument) -> Promise | None:
    """None where no guarantee is asked for."""
    guarantee = parameters_in(CodeBook(Reader(instrument))).guarantee
    return guarantee and Promise(guarantee.histograms, guarantee.editions, sqrt(guarantee.variance))
