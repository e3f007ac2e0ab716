"""When figures move: by net growth above the highest number of respondents that was ever published. Pure.

Claim. Sending and withdrawing buys no edition. For k more editions of single counts somebody has to stand with (1 + growth)ᵏ - 1 times as
many own answers as there are respondents, all at once; tables move when the survey has doubled. Reopening and closing again is no new
chance, nor is a restart, a new version or another worker: marks are kept, and only rise.

The growth that is waited for is drawn secretly, within half of its mean on either side: otherwise somebody alone in a survey would
learn from the moment of an edition that somebody else came.

A survey that shrinks is silent until it has grown past its mark, but for the clock: single counts may move 1, 2, 4, 8 … days after the
last growth, eight times in the life of a survey, and only where a batch left or changed. An edition a day would let the noise of a step
average out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.analysis.disclosure.parameters import Parameters


@dataclass(frozen=True)
class Marks:
    """What is kept of all editions so far. All are 0 before the first."""

    edition: int = 0
    """The number of the last edition of single counts. No number is used twice."""
    top: int = 0
    """The highest number of respondents ever published."""
    tables: int = 0
    """The number of the last edition of tables. Each comes with one of single counts."""
    tables_at: int = 0
    """Respondents at the last edition of tables."""
    grown: float = 0.0
    """Seconds since the epoch of the last edition by growth."""
    clocked: int = 0
    """Editions by the clock since the last one by growth."""
    clocked_ever: int = 0
    closed: bool = False
    """Of a survey with a guarantee: whether the edition of its first close was made."""


@dataclass(frozen=True)
class Due:
    """Which figures are updated now. `clock`: not because the survey grew. `closing`: the edition of the first close."""

    singles: bool = False
    tables: bool = False
    clock: bool = False
    closing: bool = False


def due(
    marks: Marks,
    n: int,
    now: float,
    parameters: Parameters,
    draw: Callable[[int], float],
    *,
    closed: bool = False,
    moved: int = 0,
) -> Due:
    """Returns which figures are due with `n` respondents at `now` (seconds since the epoch).

    `draw`: returns a secret number between 0 and 1 for each edition. `moved`: the least number of people who came, left or changed since
    the last edition.
    """
    if n < parameters.minimum:
        return Due()
    if parameters.guarantee is not None:
        return _within(parameters.guarantee.editions, marks, n, parameters, closed=closed)
    if marks.edition == 0:
        return Due(True, n >= parameters.table_batch)
    grown = n >= marks.top + step(marks.top, parameters, draw(marks.edition))
    if closed:
        grown = n >= marks.top + parameters.batch
    factor = parameters.closing_factor if closed else parameters.table_factor
    tables = n >= max(math.ceil(factor * marks.tables_at), marks.tables_at + parameters.table_batch)
    if grown:
        return Due(True, tables)
    again = marks.clocked_ever < parameters.clock_editions and now - marks.grown >= parameters.clock * 2 ** min(marks.clocked, 30)
    clock = again and moved >= parameters.batch
    return Due(clock, tables and clock, clock)


def _within(editions: int, marks: Marks, n: int, parameters: Parameters, *, closed: bool) -> Due:
    """Returns what a guarantee allows: at most `editions`, at moments that depend on the number of respondents and on the close alone.

    One edition is reserved for the first close.
    """
    closing = closed and not marks.closed and marks.edition < editions
    grown = n >= max(parameters.table_batch, parameters.table_factor * marks.top) and marks.edition < editions - (not marks.closed)
    return Due(closing or grown, closing or grown, closing=closing)


def after(marks: Marks, what: Due, n: int, now: float) -> Marks:
    """Returns the marks after these figures were updated."""
    return Marks(
        edition=marks.edition + 1,
        top=max(marks.top, n),
        tables=marks.tables + what.tables,
        tables_at=n if what.tables else marks.tables_at,
        grown=marks.grown if what.clock else now,
        clocked=marks.clocked + 1 if what.clock else 0,
        clocked_ever=marks.clocked_ever + what.clock,
        closed=marks.closed or what.closing,
    )


def step(top: int, parameters: Parameters, drawn: float) -> int:
    """Returns by how many respondents the survey has to grow past `top`. `drawn`: uniform between 0 and 1."""
    mean = max(float(parameters.batch), parameters.growth * top)
    least = max(parameters.batch, math.ceil(mean / 2))
    most = max(least + parameters.batch // 2, math.floor(1.5 * mean))
    return min(least + int(drawn * (most - least + 1)), most)


def moved_at_least(before: NDArray[np.int64], now: NDArray[np.int64], starts: NDArray[np.intp]) -> int:
    """Returns how many people, at least, must have come, left or changed to turn the counts `before` into `now`.

    `before`, `now`: shape (cells,). `starts`: the first cell of each block.
    """
    change = now - before
    come, gone = (np.add.reduceat(np.maximum(side, 0), starts) for side in (change, -change))
    return int(max(come.max(initial=0), gone.max(initial=0)))
