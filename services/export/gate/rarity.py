"""Which answers count as rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

UNTOLD = -1
"""The code of a row that gave no answer."""
KNOWN = 3
"""How many rare answers of a person an attacker may know."""


@dataclass(frozen=True)
class Answers:
    """The answers to one variable. `codes`: from 0 to `size` - 1, UNTOLD where nothing was answered; shape (rows,).

    `sides`: for an ordered scale, the side of the scale on which each answer lies, shape (size,); None where answers have no order.
    """

    codes: Ints
    size: int
    sides: Ints | None = None

    @property
    def ordered(self) -> bool:
        return self.sides is not None

    def counts(self, rows: Bools | slice = slice(None)) -> Ints:
        """People by answer. Shape (size,)."""
        codes = self.codes[rows]
        return np.bincount(codes[codes != UNTOLD], minlength=self.size)


@dataclass(frozen=True)
class RareColumn:
    """How one variable is released. `steps`: the merged value of each answer, as in `scales`. `withheld`: which rows; shape (rows,)."""

    steps: Ints
    withheld: Bools


def rarity(k: int) -> int:
    """An answer is rare if this many people gave it, or fewer."""
    return 2 * k


def is_rare(counts: Ints, k: int) -> Bools:
    """Which answers are rare, from the people by answer."""
    return (counts > 0) & (counts <= rarity(k))
