"""Folding: responses become sums. Pure; the only place where a response meets the state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from services.analysis.state import State

ROWS = 1024
"""Responses tabulated at once."""
EXACT = 256
"""Most responses in one float32 product with record keys: 256 keys below 2¹⁶ sum to at most 2²⁴, which float32 still holds."""

Answered = tuple[str, Any]
"""A response's id and its answers as the Struct of its version."""


class Folder:
    """Folds the responses of one survey. `secret` keys the record keys; with another secret every cell key differs."""

    def __init__(self, codebook: CodeBook, secret: bytes) -> None:
        self.codebook = codebook
        self._secret = secret

    def empty(self) -> State:
        return State.empty(len(self.codebook), len(self.codebook.numbers))

    def fold(self, state: State, responses: Sequence[Answered], sign: int = 1) -> None:
        """Adds the responses to the state; with `sign` -1 takes them back."""
        add = np.add if sign > 0 else np.subtract
        with ThreadPoolExecutor(1) as beside:  # the next rows are tabulated while the last are multiplied
            done: list[Future[None]] = []
            for _, version in groupby(responses, _version):
                same = list(version)
                for start in range(0, len(same), ROWS):
                    rows = same[start : start + ROWS]
                    x, numbers = self.codebook.tabulate([answers for _, answers in rows])
                    keys = self._record_keys(id for id, _ in rows)
                    if len(done) > 1:
                        done[-2].result()  # no more than two wait
                    done.append(beside.submit(_multiply, state, x, keys, numbers, add, sign))
        for one in done:
            one.result()

    def _record_keys(self, ids: Iterator[str]) -> NDArray[np.float32]:
        """16 bits per response that nobody without the secret can tell from its id."""
        drawn = b"".join(hashlib.blake2b(bytes.fromhex(id), digest_size=2, key=self._secret).digest() for id in ids)
        return np.frombuffer(drawn, "<u2").astype(np.float32)


def _multiply(
    state: State, x: NDArray[np.float32], keys: NDArray[np.float32], numbers: NDArray[np.int64], add: np.ufunc, sign: int
) -> None:
    add(state.burt, x.T @ x, out=state.burt)
    for start in range(0, len(x), EXACT):
        some = x[start : start + EXACT]
        add(state.keys, some.T @ (some * keys[start : start + EXACT, None]), out=state.keys)
    if numbers.shape[1]:
        add(state.products, numbers.T.astype(np.float64) @ x, out=state.products)
        for row, addend in zip(state.squares, _squares(numbers), strict=True):
            row[:] = [a + sign * int(b) for a, b in zip(row, addend, strict=True)]


def _version(response: Answered) -> object:
    return response[1].__class__


def _squares(numbers: NDArray[np.int64]) -> list[list[int]]:
    """Sums of products, exact also where they outgrow 64 bits."""
    if int(np.abs(numbers).max()) ** 2 * len(numbers) < 2**63:
        return (numbers.T @ numbers).tolist()
    whole: Any = numbers.astype(object)
    return (whole.T @ whole).tolist()
