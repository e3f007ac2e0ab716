"""Classes of people in a sequence of releases: which may still be released, how new ones are formed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.export.protect import diversity, frame
from services.export.protect.anonymise import LEFT_OUT, protect
from services.export.protect.hierarchy import Ladder, ValueHierarchy
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import ProtectionRequest, Sensitive

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Classes:
    """`of[i]`: the class of each person, -1 for none. `nodes[c]`: what class c is released with, as nodes of the hierarchies."""

    of: Ints
    nodes: NDArray[np.int32]

    @staticmethod
    def none(people: int, variables: int) -> Classes:
        return Classes(np.full(people, LEFT_OUT, dtype=np.int64), np.zeros((0, variables), dtype=np.int32))

    def at(self, rows: Ints) -> Classes:
        return Classes(self.of[rows], self.nodes)

    def only(self, which: Bools) -> Classes:
        """Without the people for whom `which` is false. `which`: shape (people,)."""
        return Classes(np.where(which, self.of, LEFT_OUT), self.nodes)

    def joined(self, rows: Ints, others: Classes) -> Classes:
        """With the classes of these people beside those that were there."""
        of = self.of.copy()
        of[rows] = np.where(others.of == LEFT_OUT, LEFT_OUT, others.of + len(self.nodes))
        return Classes(of, np.concatenate([self.nodes, others.nodes]))


@dataclass(frozen=True)
class ProtectionTable:
    """The people of a release, with what is known of them."""

    people: NDArray[np.generic]
    codes: NDArray[np.integer]
    hierarchies: Sequence[ValueHierarchy]
    sensitive: Sequence[Sensitive]
    ladders: list[Ladder]

    def true(self, classes: Classes) -> Classes:
        """Without people whose released values no longer fit their answers."""
        of = classes.of.copy()
        for v, ladder in enumerate(self.ladders):
            has = np.flatnonzero(of != LEFT_OUT)
            of[has[~ladder.holds[classes.nodes[of[has], v], self.codes[has, v]]]] = LEFT_OUT
        return Classes(of, classes.nodes)

    def standing(self, classes: Classes, asked: ProtectionRequest) -> Bools:
        """Whether the class of each person may be released as it is now."""
        count = len(classes.nodes)
        has = classes.of != LEFT_OUT
        if not has.any():
            return has
        of = classes.of[has]
        holds = np.bincount(of, minlength=count) >= asked.k
        for answer in self.sensitive:
            table, of_all = diversity.histograms(of, count, answer.of(has)), diversity.shares(answer)
            if asked.diversity:
                holds &= diversity.diverse(table, asked.diversity, answer.harmless)
            if asked.closeness:
                holds &= diversity.close(table, asked.closeness, of_all)
        if asked.frame:
            on = [classes.nodes[:, v].astype(np.int64) for v in asked.frame.variables]
            holds &= frame.population(asked.frame, self.ladders, on) >= asked.frame.least
        return np.append(holds, False)[classes.of]  # index -1 is of those without a class

    def classes(self, rows: Ints, asked: ProtectionRequest, within: Ints | None = None) -> Classes | None:
        """Classes of these people among themselves alone, or of each of `within` alone; None where they must wait."""
        own = [
            replace(answer, codes=answer.codes[rows], everybody=None if within is None else diversity.shares(answer))
            for answer in self.sensitive
        ]
        try:
            result = protect(self.codes[rows], self.hierarchies, own, asked, self.people[rows], within)
        except Unprotectable:
            return None
        kept = result.kept
        first = np.zeros(int(result.classes.max()) + 1, dtype=np.int64)
        first[result.classes[kept]] = np.flatnonzero(kept)
        return Classes(result.classes, result.released[first])
