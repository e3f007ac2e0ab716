"""Folding: adds responses to the state, the only place where a response meets it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from services.analysis.state.state import Matrix, State, add_each

ROWS = 256
"""Most responses in one float32 product. It stays exact up to 2²⁴ of them."""
FEW = 12
"""Fewer responses are added cell by cell: a matrix product costs the same for one response as for dozens."""

Answered = tuple[str, Any]
"""A response's id and its answers as the Struct of its version."""


class Folder:
    """Folds the responses of one survey."""

    def __init__(self, codebook: CodeBook) -> None:
        self.codebook = codebook

    def empty(self) -> State:
        return State.empty(len(self.codebook), len(self.codebook.numbers), len(self.codebook.groups))

    def fold(self, state: State, responses: Sequence[Answered], sign: int = 1) -> None:
        """Adds the responses to the state; subtracts them with `sign` -1."""
        for _, version in groupby(responses, _version):
            same = list(version)
            for start in range(0, len(same), ROWS):
                rows = same[start : start + ROWS]
                x, numbers = self.codebook.tabulate([answers for _, answers in rows])
                (_add_each if len(x) < FEW else _add_all)(state, x, sign)
                _add_numbers(state, x, numbers, self.codebook.groups, sign)


def _add_each(state: State, x: NDArray[np.float32], sign: int) -> None:
    for row in x:
        columns = np.flatnonzero(row)
        state.burt[np.ix_(columns, columns)] += sign


def _add_all(state: State, x: NDArray[np.float32], sign: int) -> None:
    _add(state.burt, x.T @ x, sign)


def _add_numbers(state: State, x: NDArray[np.float32], numbers: NDArray[np.int64], groups: list[int], sign: int) -> None:
    if numbers.shape[1]:
        _add(state.products, numbers.T.astype(np.float64) @ x, sign)
        # Sums of products are exact also where they outgrow 64 bits.
        whole: Any = numbers if int(np.abs(numbers).max()) ** 2 * len(numbers) < 2**63 else numbers.astype(object)
        add_each(state.squares, (whole.T @ whole).tolist(), sign)
        if groups:
            add_each(state.group_squares, ((whole * whole).T @ x[:, groups].astype(np.int64)).tolist(), sign)


def _add(sums: Matrix, addend: NDArray[Any], sign: int) -> None:
    (np.add if sign > 0 else np.subtract)(sums, addend, out=sums)


def _version(response: Answered) -> object:
    return response[1].__class__
