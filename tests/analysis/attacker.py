"""An attacker who adds and subtracts: everything that follows linearly from what a table shows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

Name = tuple[str, ...]


class Attacker:
    """Knows some values and some sums. Told the truth, too, so that a test can ask what leaked."""

    def __init__(self) -> None:
        self.truth: dict[Name, int] = {}
        self.known: set[Name] = set()
        self._sums: list[dict[Name, int]] = []

    def see(self, name: Name, truth: int, *, shown: bool) -> Name:
        self.truth[name] = truth
        if shown:
            self.known.add(name)
        return name

    def adds_up(self, parts: Iterable[Name], total: Name, times: int = 1) -> None:
        """The parts add up to so many times the total."""
        equation = dict.fromkeys(parts, 1)
        equation[total] = equation.get(total, 0) - times
        assert sum(factor * self.truth[name] for name, factor in equation.items()) == 0, equation
        self._sums.append(equation)

    def learnt(self) -> dict[Name, int]:
        """Every value that is shown or follows: unknowns that are the same in all solutions of the sums."""
        unknown = [name for name in self.truth if name not in self.known]
        at = {name: i for i, name in enumerate(unknown)}
        matrix = np.zeros((max(len(self._sums), 1), max(len(unknown), 1)))
        for line, equation in zip(matrix, self._sums, strict=False):
            for name, factor in equation.items():
                if name in at:
                    line[at[name]] += factor
        _, sizes, directions = np.linalg.svd(matrix)
        free = directions[int((sizes > 1e-9).sum()) :]
        fixed = {name for name, i in at.items() if free.size == 0 or np.abs(free[:, i]).max() < 1e-9}
        return {name: self.truth[name] for name in self.known | fixed}
