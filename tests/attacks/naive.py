"""The build one would write first, kept to be attacked: exact counts at every change, with those from 1 to 4 left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.analysis.layout import arrange
from tests.analysis.small import Answers, book, state_of

HIDDEN = 5


def counts(people: list[Answers]) -> NDArray[np.float64]:
    """Everything over the widened columns, single answers on the diagonal; NaN where it is left out."""
    layout = arrange(book())
    exact = layout.widen(layout.widen(state_of(people).burt).T)
    return np.where((exact > 0) & (exact < HIDDEN), np.nan, exact)


def shares(people: list[Answers]) -> NDArray[np.float64]:
    """What its charts draw: of everything, to a tenth of a percent, whatever the tables leave out."""
    layout = arrange(book())
    exact = layout.widen(layout.widen(state_of(people).burt).T)
    return np.round(exact / len(people), 3)
