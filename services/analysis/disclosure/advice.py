"""What `platea survey check` says about the noise of a questionnaire's tables. Pure."""

from __future__ import annotations

from math import sqrt

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from services.analysis.disclosure.cells import cells_of
from services.analysis.disclosure.parameters import BLOCKS, parameters_of

RESPONDENTS = 300


def crowded(instrument: Instrument) -> str:
    """That tables carry more noise than usual, and what makes it less; empty where they do not."""
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
