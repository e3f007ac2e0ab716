"""The state of a survey: one value that adds, subtracts and merges, and of which every statistic is a pure reading."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class UnreadableState(ValueError):
    """The bytes are no state, or one that counts in the columns of another code book."""


class _Head(msgspec.Struct, frozen=True):
    codebook: str
    columns: int
    squares: list[list[str]]
    """Decimal: they outgrow 64 bits."""
    group_squares: list[list[str]]


@dataclass
class State:
    """Sums over responses with columns x (0/1), record key r and scaled numbers v (0 where there is none).

    All entries are whole numbers; in float64 they are exact below 2⁵³, so neither order nor grouping matters, and a
    response that is subtracted leaves nothing behind.
    """

    burt: Matrix
    """Σ x xᵀ, shape (columns, columns): every frequency on the diagonal, every two-way table off it."""
    keys: Matrix
    """Σ r x xᵀ: the cell key of every cell of `burt`."""
    products: Matrix
    """Σ v xᵀ, shape (numbers, columns): the sum of each number within each column."""
    squares: list[list[int]]
    """Σ v vᵀ, shape (numbers, numbers)."""
    group_squares: list[list[int]]
    """Σ v² xᵀ over the columns of strata alone, shape (numbers, groups): variances within groups."""

    @classmethod
    def empty(cls, columns: int, numbers: int, groups: int = 0) -> State:
        square = (columns, columns)
        return cls(np.zeros(square), np.zeros(square), np.zeros((numbers, columns)), _zeros(numbers, numbers), _zeros(numbers, groups))

    @property
    def responses(self) -> int:
        return int(self.burt[0, 0])

    @property
    def nbytes(self) -> int:
        return self.burt.nbytes + self.keys.nbytes + self.products.nbytes

    def copy(self) -> State:
        squares, group_squares = ([row.copy() for row in each] for each in (self.squares, self.group_squares))
        return State(self.burt.copy(), self.keys.copy(), self.products.copy(), squares, group_squares)

    def merge(self, other: State) -> None:
        """Count the responses of both."""
        self._add(other, 1)

    def subtract(self, other: State) -> None:
        """Take back responses that this state counts."""
        self._add(other, -1)

    def _add(self, other: State, sign: int) -> None:
        for mine, theirs in ((self.burt, other.burt), (self.keys, other.keys), (self.products, other.products)):
            (np.add if sign > 0 else np.subtract)(mine, theirs, out=mine)
        add_each(self.squares, other.squares, sign)
        add_each(self.group_squares, other.group_squares, sign)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, State)
            and np.array_equal(self.burt, other.burt)
            and np.array_equal(self.keys, other.keys)
            and np.array_equal(self.products, other.products)
            and self.squares == other.squares
            and self.group_squares == other.group_squares
        )

    def dump(self, codebook: str) -> bytes:
        """Compact bytes. `codebook` is the digest of the code book whose columns these are."""
        upper: Any = np.triu_indices(len(self.burt))
        parts = [self.burt[upper], self.keys[upper], self.products.ravel()]
        squares, group_squares = ([[str(n) for n in row] for row in each] for each in (self.squares, self.group_squares))
        head = msgspec.json.encode(_Head(codebook, len(self.burt), squares, group_squares))
        body = zlib.compress(b"".join(_planes(part) for part in parts), level=1)
        return len(head).to_bytes(4, "big") + head + body

    @classmethod
    def load(cls, data: bytes, codebook: str) -> State:
        """Raises UnreadableState."""
        try:
            end = 4 + int.from_bytes(data[:4], "big")
            head = msgspec.json.decode(data[4:end], type=_Head)
            body = zlib.decompress(data[end:])
        except (msgspec.MsgspecError, zlib.error) as error:
            raise UnreadableState(type(error).__name__) from None
        if head.codebook != codebook:
            raise UnreadableState("another code book")
        state = cls.empty(head.columns, len(head.squares))
        triangle = head.columns * (head.columns + 1) // 2
        if len(body) != 8 * (2 * triangle + state.products.size):
            raise UnreadableState("another shape")
        _fill(state.burt, _numbers(body[: 8 * triangle]))
        _fill(state.keys, _numbers(body[8 * triangle : 16 * triangle]))
        state.products[:] = _numbers(body[16 * triangle :]).reshape(state.products.shape)
        state.squares, state.group_squares = ([[int(n) for n in row] for row in each] for each in (head.squares, head.group_squares))
        return state


def add_each(sums: list[list[int]], addend: list[list[int]], sign: int) -> None:
    """Adds whole numbers of any size in place; with `sign` -1 takes them back."""
    for row, more in zip(sums, addend, strict=True):
        row[:] = [a + sign * b for a, b in zip(row, more, strict=True)]


def _zeros(rows: int, columns: int) -> list[list[int]]:
    return [[0] * columns for _ in range(rows)]


def _planes(numbers: Matrix) -> bytes:
    """All first bytes, then all second bytes, …: small integers leave whole planes of zeros, which compress to nothing."""
    return numbers.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _numbers(planes: bytes) -> Matrix:
    transposed = np.frombuffer(planes, np.uint8).reshape(8, -1).T
    return np.ascontiguousarray(transposed).view("<i8").ravel().astype(np.float64)


def _fill(matrix: Matrix, triangle: Matrix) -> None:
    """The symmetric matrix whose upper triangle this is."""
    upper: Any = np.triu_indices(len(matrix))
    matrix[upper] = triangle
    matrix.T[upper] = triangle
