"""How far noise may put a published figure off: the variance of sums of published counts, for the intervals that readers see. Pure.

Of a block of k cells with variances Vᵢ, moved evenly onto its total, a sum Σ wᵢ nᵢ over its cells has the variance Σ Vᵢ (wᵢ - Σ w / k)².
In a row of a table that holds the share r of all, moved onto margins in proportion to the shares p of rows and q of columns, it is
V₂ (1 - 2r + kᵣ r²) Σ (w - L)² + r² Σ Vᵢ (wᵢ - Σ w / k)² + L² Vᵣ with L = Σ wⱼ qⱼ and Vᵣ that of the row's own single count: the noise of
the table, of its columns and of the row.
Clipping and rounding are left out: they make small counts less uncertain, so intervals are rather too wide there.

A share p of those who answered is off by (nᵢ - p · answered) / answered; where who did not answer stands in the same block, in two cells,
w is 1 at the answer and p at these two. Delta method; `tests/analysis/statistics/test_coverage.py` measures how often intervals hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proto.instrument import ConstantSum, Multiple, Ranking
from services.analysis.disclosure.cells import Cells
from services.analysis.disclosure.publication import Publication
from services.analysis.state.layout import Layout

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class RowVariance:
    """A row of a table: its share of all respondents, the cells of its block, the variances of its single count and of the table."""

    share: float
    cells: int
    variance: float
    of_table: float

    @property
    def own(self) -> float:
        """The variance of the row's cells that is left after the projection onto the margin."""
        return self.of_table * (1 - 2 * self.share + self.cells * self.share**2)


@dataclass(frozen=True)
class Spreads:
    """Blocks, or the block of each column: the number of cells, of cells for non-respondents, and the variances of both kinds of cells.

    Each is a number or an array.
    """

    cells: Any
    absents: Any
    variance: Any
    of_absents: Any

    def at(self, place: Any) -> Spreads:
        return Spreads(self.cells[place], self.absents[place], self.variance[place], self.of_absents[place])

    def moved(self, w2: Any, w1: Any, inside: Any = 0.0) -> Any:
        """Returns the variance of Σ w n over the cells of a block that was projected onto its total.

        `w2`, `w1`: the sums of w² and of w over answers; `inside`: w of the cells for non-respondents.
        """
        mean = (w1 + self.absents * inside) / self.cells
        answers = w2 - 2 * mean * w1 + (self.cells - self.absents) * mean**2
        return self.variance * answers + self.of_absents * self.absents * (inside - mean) ** 2


@dataclass(frozen=True)
class Accuracy:
    """Over the widened columns of a layout. `every`: of all blocks; `blocks`: of the block of each column; `apart`: whether who answered is
    told by a block of its own; `whole`: whether shares are of all respondents. `q`: the share of all that each column holds, `gone`: that
    did not answer its question. `row`: of a table; None for everybody."""

    every: Spreads
    blocks: Spreads
    apart: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    q: Numbers
    gone: Numbers
    answered: Spreads
    """The block that counts who answered a multiple choice: skipped, missing, answered."""
    row: RowVariance | None = None

    def shares(self, shares: Numbers) -> Numbers:
        """Returns the variance of n - share * answered for each widened column. Shape (columns,)."""
        known = np.clip(np.nan_to_num(shares), 0.0, 1.0)  # where nobody answered there is no share
        inside, sides = np.where(self.apart | self.whole, 0.0, known), np.where(self.whole, 0.0, known)
        lean = self.q + inside * self.gone
        variance = self._block(self.blocks, 1.0, 1.0, inside, lean)
        outside = sides**2 * self._block(self.answered, 1.0, 1.0, 0.0, 1 - self.gone)
        variance = variance + np.where(self.apart, outside, 0.0)
        return variance + self._margin(np.where(self.apart, lean - sides * (1 - self.gone), lean - sides))

    def of(self, columns: NDArray[np.intp], weights: Numbers, base: float = 0.0) -> float:
        """Returns the variance of Σ w n - base * answered over columns of one block."""
        at = int(columns[0])
        apart, whole, gone = bool(self.apart[at]), bool(self.whole[at]), float(self.gone[at])
        inside, sides = 0.0 if apart or whole else base, 0.0 if whole else base
        lean = float(weights @ self.q[columns]) + inside * gone
        variance = self._block(self.blocks.at(at), float(weights @ weights), float(weights.sum()), inside, lean)
        if apart:
            variance += sides**2 * self._block(self.answered, 1.0, 1.0, 0.0, 1 - gone)
        return float(variance + self._margin(lean - sides * (1 - gone) if apart else lean - sides))

    def _block(self, block: Spreads, w2: Any, w1: Any, inside: Any, lean: Any) -> Any:
        """Returns the variance of one block, without that of the row's margin."""
        single = block.moved(w2, w1, inside)
        if self.row is None:
            return single
        around = w2 + block.absents * inside**2 - 2 * lean * (w1 + block.absents * inside) + block.cells * lean**2
        return self.row.own * abs(around) + self.row.share**2 * single

    def _margin(self, lean: Any) -> Any:
        """Returns the variance of the row's margin; 0 for everybody."""
        return 0.0 if self.row is None else lean**2 * self.row.variance


def accuracy_of(publication: Publication, cells: Cells, layout: Layout, single: Numbers) -> Accuracy:
    """Returns the accuracy of everybody's figures. `single`: published single counts, shape (widened columns,)."""
    n = max(float(single[0]), 1.0)
    block_of = np.full(layout.width, -1, np.intp)
    block_of[: len(cells.block_of)] = cells.block_of
    for ranks, part in zip(layout.ranked, (part for part in layout.parts if part.first is not None), strict=True):
        block_of[part.cells] = cells.block_of[ranks[0]]
    every = spreads_of(publication, int(n))
    apart = np.zeros(layout.width, np.bool_)
    for part in layout.parts:
        if isinstance(part.question, Multiple | Ranking | ConstantSum):
            apart[part.cells] = apart[part.digits] = True
            if part.first is not None:
                apart[part.first.start : part.first.start + part.question.rank_count * len(part.codes)] = True  # pyright: ignore[reportAttributeAccessIssue]
    answered = single[layout.of]
    answers, absent, _ = (spread.variance(int(n)) for spread in publication.spreads)
    return Accuracy(
        every,
        replace(every.at(block_of), variance=np.where(block_of >= 0, every.variance[block_of], 0.0)),
        apart,
        layout.of == 0,
        single / n,
        1 - answered / n,
        Spreads(3, 2, answers, absent),
    )


def spreads_of(publication: Publication, n: int) -> Spreads:
    """Returns the spreads of all blocks with `n` respondents."""
    blocks, variances = publication.blocks, publication.variances(n)
    sums = (np.add.reduceat(np.where(kind, variances, 0.0), blocks.starts) for kind in (~blocks.of_absent, blocks.of_absent))
    answers, absents = (
        total / np.maximum(count, 1) for total, count in zip(sums, (blocks.sizes - blocks.absents, blocks.absents), strict=True)
    )
    return Spreads(blocks.sizes, blocks.absents, answers, absents)


def in_row(accuracy: Accuracy, publication: Publication, block: int, size: float, n: int, crossed: int) -> Accuracy:
    """Returns the accuracy of a row of this block with `size` of `n` respondents. `accuracy`: of everybody, at the same edition."""
    own = accuracy.every.at(block)
    row = RowVariance(size / max(n, 1), int(own.cells), float(own.moved(1.0, 1.0)), publication.parameters.table_variance(n, crossed))
    return replace(accuracy, row=row)
