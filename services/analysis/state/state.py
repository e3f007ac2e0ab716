"""The state of a survey: sums over its responses, from which every statistic is computed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.analysis.state.state_codec import UnreadableState, pack, symmetric, unpack, upper

Matrix = NDArray[np.float64]


class _StateHeader(msgspec.Struct, frozen=True):
    codebook: str
    columns: int
    squares: list[list[str]]
    """Decimal: they outgrow 64 bits."""
    group_squares: list[list[str]]


@dataclass
class State:
    """Sums over responses with columns x (0 or 1) and scaled numbers v (0 where there is none).

    All entries are whole numbers, which float64 holds exactly below 2⁵³. So the sums do not depend on order or grouping, and a response
    that is subtracted leaves no trace.
    """

    burt: Matrix
    """Σ x xᵀ, shape (columns, columns): every frequency on the diagonal, every two-way table off it."""
    products: Matrix
    """Σ v xᵀ, shape (numbers, columns): the sum of each number within each column."""
    squares: list[list[int]]
    """Σ v vᵀ, shape (numbers, numbers)."""
    group_squares: list[list[int]]
    """Σ v² xᵀ over the columns of strata alone, shape (numbers, groups): variances within groups."""

    @classmethod
    def empty(cls, columns: int, numbers: int, groups: int = 0) -> State:
        return cls(np.zeros((columns, columns)), np.zeros((numbers, columns)), _zeros(numbers, numbers), _zeros(numbers, groups))

    @property
    def responses(self) -> int:
        return int(self.burt[0, 0])

    def copy(self) -> State:
        squares, group_squares = ([row.copy() for row in matrix] for matrix in (self.squares, self.group_squares))
        return State(self.burt.copy(), self.products.copy(), squares, group_squares)

    def merge(self, other: State) -> None:
        """Adds the responses of another state."""
        self._add(other, 1)

    def subtract(self, other: State) -> None:
        """Subtracts responses that this state counts."""
        self._add(other, -1)

    def _add(self, other: State, sign: int) -> None:
        for mine, theirs in ((self.burt, other.burt), (self.products, other.products)):
            (np.add if sign > 0 else np.subtract)(mine, theirs, out=mine)
        add_each(self.squares, other.squares, sign)
        add_each(self.group_squares, other.group_squares, sign)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, State)
            and np.array_equal(self.burt, other.burt)
            and np.array_equal(self.products, other.products)
            and self.squares == other.squares
            and self.group_squares == other.group_squares
        )

    def dump(self, codebook: str) -> bytes:
        """Returns compact bytes. `codebook`: the digest of the code book whose columns these are."""
        squares, group_squares = ([[str(n) for n in row] for row in matrix] for matrix in (self.squares, self.group_squares))
        parts = upper(self.burt), self.products.ravel()
        return pack(_StateHeader(codebook, len(self.burt), squares, group_squares), (part.astype(np.int64) for part in parts))

    @classmethod
    def load(cls, data: bytes, codebook: str) -> State:
        """Reads what `dump` wrote, also in earlier releases of Platea, whose sums of record keys are skipped. Raises UnreadableState."""
        head, body = unpack(data, _StateHeader)
        if head.codebook != codebook:
            raise UnreadableState("another code book")
        width, numbers = head.columns, len(head.squares)
        triangle = width * (width + 1) // 2
        with_keys = len(body) == 8 * (2 * triangle + numbers * width)
        if not with_keys and len(body) != 8 * (triangle + numbers * width):
            raise UnreadableState("another shape")
        burt = symmetric(body.take(triangle, "<i8").astype(np.float64), width)
        if with_keys:
            body.take(triangle, "<i8")
        products = body.take(numbers * width, "<i8").astype(np.float64).reshape(numbers, width)
        squares, group_squares = ([[int(n) for n in row] for row in matrix] for matrix in (head.squares, head.group_squares))
        return cls(burt, products, squares, group_squares)


def add_each(sums: list[list[int]], addend: list[list[int]], sign: int) -> None:
    """Adds whole numbers of any size in place; with `sign` -1 takes them back."""
    for row, more in zip(sums, addend, strict=True):
        row[:] = [a + sign * b for a, b in zip(row, more, strict=True)]


def _zeros(rows: int, columns: int) -> list[list[int]]:
    return [[0] * columns for _ in range(rows)]
