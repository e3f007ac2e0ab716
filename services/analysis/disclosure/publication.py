"""What is published of exact counts at one edition: single counts, and two-way tables on top of them. Pure.

Claim. What is told of somebody in a published count is the count's step, one innovation wide (`noise`), and in a table what is left of the
person after moving it onto the single counts (`projection`); nothing else is published that does not follow from these counts. The
variance depends on the number of respondents alone (`parameters`), so no cell can be made less noisy by keeping it small.

Assumes that key and exact counts are secret, and that an edition's number never comes again with other counts: the difference of two
publications with the same number would show the difference of their counts without any noise. Whoever publishes writes both down
durably before anything is shown. Does not protect against somebody who stands with ten times as many own answers as there are
respondents, against the knowledge of all others' answers, nor of groups that all answer alike; `docs/disclosure.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.analysis.disclosure.noise import Names, Noise, NoisePart, Numbers
from services.analysis.disclosure.parameters import Parameters, Spread
from services.analysis.disclosure.projection import Whole, onto_margins, onto_total, rounded

PAIR = np.sqrt((1 - 1 / 3) / (1 - 1 / 2))
"""Projecting two cells onto their total removes half of the variance, three a third. This factor gives a block of two that of three."""


@dataclass(frozen=True)
class Blocks:
    """Cells in blocks, one block after the other. Every respondent is in exactly one cell of each block.

    `names`: of the cells. `sizes`: how many cells each block has. `groups`: which blocks are strata. `declared`: which are broken down by
    the strata; None for all. `choices`: in how many cells of each block a respondent can be, by public knowledge; None for all. `absent`:
    which cells count non-respondents; None where there are none.
    """

    names: Names
    sizes: NDArray[np.intp]
    groups: NDArray[np.bool_]
    declared: NDArray[np.bool_] | None = None
    choices: NDArray[np.intp] | None = None
    absent: NDArray[np.bool_] | None = None
    even: bool = False
    """Whether the noise of all blocks is left unscaled."""

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """The first cell of each block."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.intp)

    def cells(self, block: int) -> slice:
        start = int(self.starts[block])
        return slice(start, start + int(self.sizes[block]))

    def people(self, counts: Whole) -> int:
        """Returns the number of respondents in single counts: every block adds up to it."""
        return int(counts[: self.sizes[0]].sum())

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """The factor by which the noise of each block is scaled, because projecting it onto the total removes a part of it.

        In strata the whole loss is made up, as large as for an attacker who knows which cells are empty: it decides whether a group seems
        to have one person or none.
        """
        if self.even:
            return np.ones(len(self.sizes))
        choices = self.sizes if self.choices is None else np.maximum(self.choices, 2)
        return np.where(self.groups, np.sqrt(choices / (choices - 1)), np.where(self.sizes == 2, PAIR, 1.0))

    @cached_property
    def of_absent(self) -> NDArray[np.bool_]:
        """Whether each cell counts non-respondents."""
        return np.zeros(len(self.names), np.bool_) if self.absent is None else self.absent

    @cached_property
    def absents(self) -> NDArray[np.intp]:
        """How many cells of each block count non-respondents."""
        return np.add.reduceat(self.of_absent.astype(np.intp), self.starts)

    @cached_property
    def kinds(self) -> NDArray[np.intp]:
        """The index of each cell's spread in `Publication.spreads`."""
        return np.where(np.repeat(self.groups, self.sizes), 2, self.of_absent)

    def crossed(self, one: int, other: int) -> int:
        """Returns with how many blocks these are crossed, the larger number of the two: a breakdown only with what is broken down."""
        broken_down = self.groups[one] != self.groups[other]
        if self.declared is None or not broken_down or not self.declared[other if self.groups[one] else one]:
            return len(self.sizes)
        return int(self.declared.sum())


@dataclass(frozen=True)
class Publication:
    """Turns exact counts of one survey into published ones."""

    blocks: Blocks
    parameters: Parameters
    noise: Noise

    @property
    def spreads(self) -> tuple[Spread, Spread, Spread]:
        """The spreads of answers, of non-respondents, and of strata."""
        return self.parameters.answers, self.parameters.absent, self.parameters.groups

    def variances(self, n: int) -> NDArray[np.float64]:
        """Returns the variance of the noise of each cell with `n` respondents, before the projection. Shape (cells,)."""
        of_kinds = np.array([spread.variance(n) for spread in self.spreads])
        return of_kinds[self.blocks.kinds] * np.repeat(self.blocks.scale, self.blocks.sizes) ** 2

    def singles(self, edition: int, counts: Whole) -> Whole:
        """Returns published single counts at this edition, shape (cells,). Each block adds up to the number of respondents.

        `counts`: exact single counts, same shape.
        """
        starts, sizes = self.blocks.starts, self.blocks.sizes
        n = self.blocks.people(counts)
        drawn = self._drawn(edition, n)
        published = np.zeros(len(counts), np.int64)
        for size in sorted(set(sizes.tolist())):
            at: NDArray[np.intp] = starts[sizes == size][:, None] + np.arange(int(size))
            moved = onto_total(counts[at] + drawn[at], n)
            published[at] = rounded(moved, np.full(len(at), n))
        return published

    def _drawn(self, edition: int, n: int) -> Numbers:
        """Returns the noise of single counts. Shape (cells,)."""
        names, sizes, guarantee = self.blocks.names, self.blocks.sizes, self.parameters.guarantee
        if guarantee is not None:
            return self.noise.guaranteed(NoisePart.GUARANTEED, edition, guarantee.variance, names).astype(np.float64)
        lasting = np.array([spread.lasting for spread in self.spreads])
        rest = np.array([spread.variance(n) for spread in self.spreads]) - lasting
        lasting, rest = np.sqrt(lasting)[self.blocks.kinds], np.sqrt(rest)[self.blocks.kinds]
        drawn = lasting * self.noise.normals(NoisePart.LASTING, 0, names) + rest * self.noise.with_memory(
            edition, names, self.parameters.phi
        )
        return drawn * np.repeat(self.blocks.scale, sizes)

    def tables(self, edition: int, pairs: Sequence[tuple[int, int]], counts: Sequence[Whole], singles: Whole) -> list[Whole]:
        """Returns published two-way tables of pairs of different blocks at this edition. Rows and columns add up to `singles`.

        `counts`: the exact table of each pair, shape (cells of one, cells of the other). `singles`: published with this edition.
        """
        published: dict[int, Whole] = {}
        alike: dict[tuple[int, int, int], list[int]] = {}
        turned = [self._first(one) > self._first(other) for one, other in pairs]
        sides = [(other, one) if turn else (one, other) for turn, (one, other) in zip(turned, pairs, strict=True)]
        for place, (one, other) in enumerate(sides):
            kind = int(self.blocks.sizes[one]), int(self.blocks.sizes[other]), self.blocks.crossed(one, other)
            alike.setdefault(kind, []).append(place)
        for places in alike.values():
            exact = np.array([counts[place].T if turned[place] else counts[place] for place in places])
            tables = self._alike(edition, [sides[place] for place in places], exact, singles)
            published |= {place: table.T if turned[place] else table for place, table in zip(places, tables, strict=True)}
        return [published[place] for place in range(len(pairs))]

    def _first(self, block: int) -> list[int]:
        """Returns a key that decides which side comes first, so that a table turned round has the same counts, in every version."""
        return self.blocks.names[self.blocks.cells(block)].tolist()

    def _alike(self, edition: int, pairs: Sequence[tuple[int, int]], counts: NDArray[np.int64], singles: Whole) -> Whole:
        blocks, names = np.array(pairs, np.intp), self.blocks.names
        one, other = (self.blocks.starts[side][:, None] + np.arange(int(self.blocks.sizes[side[0]])) for side in blocks.T)
        rows, columns = np.broadcast_arrays(names[one][:, :, None], names[other][:, None, :])
        if (guarantee := self.parameters.guarantee) is not None:
            noise = self.noise.guaranteed(NoisePart.TABLE_GUARANTEED, edition, guarantee.variance, rows, columns)
            return onto_margins((counts + noise).astype(np.float64), singles[one], singles[other])
        n = int(singles[one[0]].sum())
        lasting = self.parameters.table_lasting
        rest = self.parameters.table_variance(n, self.blocks.crossed(*pairs[0])) - lasting
        drawn = np.sqrt(lasting) * self.noise.normals(NoisePart.TABLE_LASTING, 0, rows, columns)
        drawn = drawn + np.sqrt(rest) * self.noise.normals(NoisePart.TABLE_FRESH, edition, rows, columns)
        return onto_margins(counts + drawn, singles[one], singles[other])
