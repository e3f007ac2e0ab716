"""Rare answers hide among at least k rows: neighbours on a scale are merged, other rare answers are withheld cell by cell.

Claim: take somebody who knows up to three rare answers of a person. At least k rows look the same as the person's in these variables,
where "withheld" is a look like any other. So at least k rows agree with what is known, a withheld cell agreeing with anything, and whoever
prefers rows that tell the answers to rows that withhold them still faces k. No answer is told in fewer than k rows. Rare is what at most
2 k people gave: such an answer is what an outsider may have heard of. This is k^m-anonymity (Terrovitis, Mamoulis and Kalnis, VLDB 2008)
for m up to 3, over rare answers alone, since common ones make every row of a long survey unique.

How: on a scale, an answer of fewer than k is merged with its neighbour (`scales`); elsewhere it is withheld. Then, person by person,
those of most rare answers first: where fewer than k rows look the same, as many of the answers as possible stay, and the others are
withheld, in this row and in those that cost least of the rows that look the same in what stays. That may leave others with fewer than
k, so it is repeated until nobody is. Where it would take much more from a step of a scale than from the whole scale, the step is merged
instead, and all begins again: a mean of what is told does not lean.

Does not protect against who knows four rare answers or more, or common ones (the report says how far these reach). That an answer is
missing from what is told says that it is among the withheld ones. Refusals to answer are no answers and stay, unless they keep company.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.export.gate import scales

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

UNTOLD, WITHHELD = -1, -2
KNOWN = 3
"""So many rare answers of a person may be known."""
MANY, WORK = 20_000, 2_000_000_000
"""Rows with two rare answers up to which company is found for each, and such rows times all rows; where there are more, the variables with
most of them are withheld whole."""
FEW, LOOKED_AT = 0.02, 500
"""Scales are merged until such a share of the people at most has less than k for company in their answers to scales; of so many people."""
UNASKED = 4.0
"""What withholding costs where nothing was answered, against 1 for an answer: it is seen that the question was not asked there."""


@dataclass(frozen=True)
class Answers:
    """What was answered to one variable: places below `size`, UNTOLD where nothing was.

    `sides`: of a scale, neighbours of which may be merged, the side on which each answer lies.
    """

    codes: Ints
    size: int
    sides: Ints | None = None

    @property
    def ordered(self) -> bool:
        return self.sides is not None

    def counts(self, rows: Bools | slice = slice(None)) -> Ints:
        """People by answer."""
        codes = self.codes[rows]
        return np.bincount(codes[codes != UNTOLD], minlength=self.size)


@dataclass(frozen=True)
class Shown:
    """How one variable is released. `steps`: the merged value of each answer, as `scales` has it. `withheld`: in which rows."""

    steps: Ints
    withheld: Bools


def rarity(k: int) -> int:
    """An answer is rare that so many people gave, or fewer."""
    return 2 * k


def withhold(columns: Sequence[Answers], k: int, rank: Ints, former: Sequence[Shown] = ()) -> list[Shown]:
    """How each variable is released; nothing that `former` merges or withholds is told. `rank`: the rows from 0 in a secret order."""
    shown = [*former, *(Shown(np.arange(each.size), np.zeros(len(each.codes), dtype=bool)) for each in columns[len(former) :])]
    some = [
        place for place, (each, at) in enumerate(zip(columns, shown, strict=True)) if _rare(each.counts(), k).any() or at.withheld.any()
    ]
    found = _withhold([columns[place] for place in some], k, rank, [shown[place] for place in some])
    for place, how in zip(some, found, strict=True):
        shown[place] = how
    return shown


def _withhold(columns: list[Answers], k: int, rank: Ints, former: list[Shown]) -> list[Shown]:
    """The same of variables that have rare answers, or had."""
    steps = [
        scales.large_enough(how.steps, each.counts(), k) if each.ordered else how.steps for each, how in zip(columns, former, strict=True)
    ]
    while True:
        work = _Work(columns, steps, former, k, rank)
        merged = work.crowded()
        if not merged:
            work.hide()
            merged = work.leaning()
        if not merged:
            return [Shown(step, gone) for step, gone in zip(steps, work.withheld, strict=True)]
        steps = [merged.get(place, step) for place, step in enumerate(steps)]


def _rare(counts: Ints, k: int) -> Bools:
    return (counts > 0) & (counts <= rarity(k))


@dataclass
class _Work:
    """`values[c]`: the merged value of each row. `known[c]`: whether the answer is rare. `withheld[c]`: changed in place.

    Sets of rows are whole numbers, a bit for each row, where they are intersected.
    """

    columns: Sequence[Answers]
    steps: list[Ints]
    former: list[Shown]
    k: int
    rank: Ints
    withheld: list[Bools] = field(init=False)
    coarse: list[bool] = field(init=False)
    values: list[Ints] = field(init=False)
    known: list[Bools] = field(init=False)

    def __post_init__(self) -> None:
        self.withheld = [each.withheld.copy() for each in self.former]
        self.coarse = [scales.coarse(steps, each.counts()) for each, steps in zip(self.columns, self.steps, strict=True)]
        small = [np.append(step, UNTOLD).astype(np.min_scalar_type(-1 - len(step))) for step in self.steps]
        self.values = [step[each.codes] for each, step in zip(self.columns, small, strict=True)]
        self.known = []
        for each, gone in zip(self.columns, self.withheld, strict=True):
            self.known.append(np.append(_rare(each.counts(), self.k), False)[each.codes] & (not gone.all()))

    def crowded(self) -> dict[int, Ints]:
        """The scale whose step leaves most people alone with rare answers to scales, and coarser steps of it; none where few are.

        Of answers that leave somebody alone together, the one that fewest gave is to blame.
        """
        ordered = [place for place, each in enumerate(self.columns) if each.ordered]
        alike, blame, people = [dict[int, int]() for _ in self.columns], Counter[int](), 0
        rows = np.flatnonzero(self._several(ordered) >= 2)
        rows = rows[np.argsort(self.rank[rows], kind="stable")][:LOOKED_AT]
        for row in rows.tolist():
            same = {place: self._alike(alike[place], place, row) for place in ordered if self.known[place][row]}
            alone = _alone(same, self.k)
            people += bool(alone)
            if alone:
                least = min(sorted(alone), key=lambda place: same[place].bit_count())
                blame[least] += 1
        if people <= FEW * min(len(self.rank), LOOKED_AT):
            return {}
        for place in sorted(blame, key=lambda place: (-blame[place], place)):
            if (found := self._coarser(place)) is not None:
                return {place: found}
        return {}

    def leaning(self) -> dict[int, Ints]:
        """Scales of which a step lost more than the whole, and coarser steps of them."""
        lost = {
            place: scales.leaning(steps, each.counts(), each.counts(~gone))
            for place, (each, steps, gone) in enumerate(zip(self.columns, self.steps, self.withheld, strict=True))
            if each.ordered and gone.any()
        }
        found = {place: self._coarser(place, step) for place, step in lost.items() if step is not None}
        return {place: steps for place, steps in found.items() if steps is not None}

    def _coarser(self, place: int, step: int | None = None) -> Ints | None:
        counts = self.columns[place].counts()
        return scales.coarser(self.steps[place], counts, _rare(counts, self.k), self.columns[place].sides if step is None else None, step)

    def hide(self) -> None:
        self._too_many()
        while True:
            for place in range(len(self.columns)):
                while self._few(place) or self._fill(place):
                    pass
            if not self._company():
                return

    def _few(self, place: int) -> bool:
        """Withholds values that fewer than k rows tell. Whether there were any."""
        values, gone = self.values[place], self.withheld[place]
        counts = np.bincount(values[~gone & (values != UNTOLD)], minlength=self.columns[place].size)
        few = np.append((counts > 0) & (counts < self.k), False)[values] & ~gone
        gone |= few
        return bool(few.any())

    def _fill(self, place: int) -> bool:
        """Withholds cells of other answers where fewer than k cells are. Whether there were any."""
        gone = self.withheld[place]
        missing = self.k - int(gone.sum())
        if not 0 < missing < self.k:
            return False
        rows = np.flatnonzero(~gone)
        order = np.lexsort((self.rank[rows], self.values[place][rows] == UNTOLD))
        gone[rows[order[:missing]]] = True
        return True

    def _too_many(self) -> None:
        """Withholds whole variables until few rows have two rare answers: finding company for each would take hours."""
        while int((several := self._several() >= 2).sum()) > min(MANY, WORK // len(self.rank)):
            most = int(np.argmax([int((known & several).sum()) for known in self.known]))
            self.withheld[most][:], self.known[most][:] = True, False

    def _several(self, places: Iterable[int] | None = None) -> Ints:
        """How many rare answers each row has to these variables, or to all that are not withheld whole."""
        found = np.zeros(len(self.rank), dtype=np.int32)
        for place in range(len(self.columns)) if places is None else places:
            found += self.known[place]
        return found

    def _company(self) -> bool:
        """Each row with two rare answers or more gets k rows that look the same in any three of them. Whether any was without."""
        many = self._several()
        rows = np.flatnonzero(many >= 2)
        alike, changed = [dict[int, int]() for _ in self.columns], False
        for row in rows[np.lexsort((self.rank[rows], -many[rows]))].tolist():
            where = [place for place, known in enumerate(self.known) if known[row]]
            while alone := _alone(same := {place: self._alike(alike[place], place, row) for place in where}, self.k):
                changed = True
                for place in self._withhold(row, {place: same[place] for place in alone}):
                    alike[place].clear()
        return changed

    def _alike(self, found: dict[int, int], place: int, row: int) -> int:
        """The rows that show the same in this variable. `found`: by what they show, as far as it was asked for."""
        gone, value = self.withheld[place], int(self.values[place][row])
        shown = WITHHELD if gone[row] else value
        if shown not in found:
            found[shown] = _bits(gone if shown == WITHHELD else ~gone & (self.values[place] == value))
        return found[shown]

    def _withhold(self, row: int, agreeing: dict[int, int]) -> list[int]:
        """Withholds some of these answers of a row, and the same variables in others that agree with the rest of them. Which variables."""
        among, away = (1 << len(self.rank)) - 1, list[int]()
        for place in sorted(
            agreeing, key=lambda place: (not self.columns[place].ordered, self.coarse[place], -agreeing[place].bit_count(), place)
        ):
            if (fewer := among & agreeing[place]).bit_count() >= self.k:
                among = fewer
            else:
                away.append(place)
        rows = np.flatnonzero(_rows(among, len(self.rank)))
        cost = np.zeros(len(rows))
        for place in away:
            unasked = self.values[place][rows] == UNTOLD
            price = np.where(unasked, UNASKED, np.where(self.known[place][rows], 0.5, 1.0))
            cost += np.where(self.withheld[place][rows], 0.0, price)
        cost[rows == row] = -1.0
        order = 2 * cost * len(self.rank) + self.rank[rows]  # costs are halves; ranks lie below the number of rows
        chosen = rows[np.argpartition(order, self.k - 1)[: self.k]]
        for place in away:
            self.withheld[place][chosen] = True
        return away


def _alone(agreeing: dict[int, int], k: int) -> set[int]:
    """The variables in pairs and triples with which fewer than k rows agree."""
    found, places = set[int](), list(agreeing)
    everything = -1
    for each in agreeing.values():
        everything &= each
    if everything.bit_count() >= k:
        return found
    for at, first in enumerate(places):
        for further, second in enumerate(places[at + 1 :], at + 1):
            both = agreeing[first] & agreeing[second]
            if both.bit_count() < k:
                found |= {first, second}
                continue
            for third in places[further + 1 :]:
                if not {first, second, third} <= found and (both & agreeing[third]).bit_count() < k:
                    found |= {first, second, third}
    return found


def _bits(rows: Bools) -> int:
    return int.from_bytes(np.packbits(rows, bitorder="little").tobytes(), "little")


def _rows(bits: int, many: int) -> Bools:
    body = np.frombuffer(bits.to_bytes((many + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(body, count=many, bitorder="little").astype(bool)
