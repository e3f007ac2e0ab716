"""How far noise may put a published figure off: the variance of sums of published counts, for the intervals that readers see. Pure.

Of a block of k cells with variance V, moved evenly onto its total, a sum Σ wᵢ nᵢ over its cells has the variance V (Σ w² - (Σ w)² / k).
In a row of a table that holds the share r of all, moved onto margins in proportion to the shares p of rows and q of columns, it is
V₂ (1 - 2r + kᵣ r²) Σ (w - L)² + V r² (Σ w² - (Σ w)² / k) + L² Vᵣ (1 - 1/kᵣ) with L = Σ wⱼ qⱼ: the noise of the table, of its columns and
of the row.
Clipping and rounding are left out: they make small counts less uncertain, so intervals are rather too wide there.

A share p of those who answered is off by (nᵢ - p · answered) / answered; where who did not answer stands in the same block, in two cells,
w is 1 at the answer and p at these two. Delta method; `tests/analysis/test_coverage.py` measures how often intervals hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proto.instrument import Multiple, Ranking
from services.analysis.disclosure.cells import Cells
from services.analysis.disclosure.publication import Publication
from services.analysis.layout import Layout

ABSENT = 2
"""Cells of who did not answer, in the block of a question: skipped and missing, or of a row missing and not asked."""
APART = 3
"""Cells of the block that tells who answered, where answers have blocks of their own."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """The row of a table: the share of all that it holds, the cells and the variance of its block, and the variance of the table."""

    share: float
    cells: int
    variance: float
    of_table: float

    @property
    def own(self) -> float:
        """What moving onto the margin leaves of the variance of the row's cells."""
        return self.of_table * (1 - 2 * self.share + self.cells * self.share**2)


@dataclass(frozen=True)
class Accuracy:
    """Over the widened columns of a layout. `cells`, `variance`: of the block of each; `apart`: whether who answered is told by a block of
    its own; `whole`: whether shares are of all respondents. `q`: the share of all that each column holds, `gone`: that did not
    answer its question. `row`: of a table; None for everybody."""

    cells: NDArray[np.intp]
    variance: Numbers
    apart: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    q: Numbers
    gone: Numbers
    of_answers: float
    """The variance of blocks that tell who answered."""
    row: Row | None = None

    def shares(self, shares: Numbers) -> Numbers:
        """Of each column's count less its share of who answered."""
        known = np.clip(np.nan_to_num(shares), 0.0, 1.0)  # where nobody answered there is no share
        inside, sides = np.where(self.apart | self.whole, 0.0, known), np.where(self.whole, 0.0, known)
        lean = self.q + inside * self.gone
        variance = self._block(1 + ABSENT * inside**2, 1 + ABSENT * inside, lean, self.cells, self.variance)
        outside = sides**2 * self._block(1.0, 1.0, 1 - self.gone, APART, self.of_answers)
        variance = variance + np.where(self.apart, outside, 0.0)
        return variance + self._margin(np.where(self.apart, lean - sides * (1 - self.gone), lean - sides))

    def of(self, columns: NDArray[np.intp], weights: Numbers, base: float = 0.0) -> float:
        """Of Σ w n over columns of one block, less `base` times who answered."""
        at = int(columns[0])
        apart, whole, gone = bool(self.apart[at]), bool(self.whole[at]), float(self.gone[at])
        inside, sides = 0.0 if apart or whole else base, 0.0 if whole else base
        w2, w1 = float(weights @ weights) + ABSENT * inside**2, float(weights.sum()) + ABSENT * inside
        lean = float(weights @ self.q[columns]) + inside * gone
        variance = self._block(w2, w1, lean, int(self.cells[at]), float(self.variance[at]))
        if apart:
            variance += sides**2 * self._block(1.0, 1.0, 1 - gone, APART, self.of_answers)
        return float(variance + self._margin(lean - sides * (1 - gone) if apart else lean - sides))

    def _block(self, w2: Any, w1: Any, lean: Any, cells: Any, variance: Any) -> Any:
        """Of one block, without the margin of the row."""
        single = variance * (w2 - w1**2 / cells)
        if self.row is None:
            return single
        return self.row.own * abs(w2 - 2 * lean * w1 + cells * lean**2) + self.row.share**2 * single

    def _margin(self, lean: Any) -> Any:
        """Of the margin of the row."""
        return 0.0 if self.row is None else lean**2 * self.row.variance * (1 - 1 / self.row.cells)


def accuracy_of(publication: Publication, cells: Cells, layout: Layout, single: Numbers) -> Accuracy:
    """Of everybody's figures. `single`: the published single counts in widened columns."""
    n, sizes = max(float(single[0]), 1.0), publication.blocks.sizes
    block_of = np.full(layout.width, -1, np.intp)
    block_of[: len(cells.block_of)] = cells.block_of
    for ranks, part in zip(layout.ranked, (part for part in layout.parts if part.first is not None), strict=True):
        block_of[part.cells] = cells.block_of[ranks[0]]
    of_block = np.array([publication.spread(block).variance(int(n)) for block in range(len(sizes))]) * publication.blocks.scale**2
    known = block_of >= 0
    apart = np.zeros(layout.width, np.bool_)
    for part in layout.parts:
        if isinstance(part.question, Multiple | Ranking):
            apart[part.cells] = True
            if part.first is not None:
                apart[part.first.start : part.first.start + part.question.rank_count * len(part.codes)] = True  # pyright: ignore[reportAttributeAccessIssue]
    answered = single[layout.of]
    return Accuracy(
        np.where(known, sizes[block_of], 1),
        np.where(known, of_block[block_of], 0.0),
        apart,
        layout.of == 0,
        single / n,
        1 - answered / n,
        publication.parameters.answers.variance(int(n)),
    )


def in_row(accuracy: Accuracy, publication: Publication, block: int, size: float, n: int, crossed: int) -> Accuracy:
    """Of a row of that block which holds `size` of `n`. `accuracy`: of everybody's figures of the same edition."""
    cells = int(publication.blocks.sizes[block])
    variance = publication.spread(block).variance(n) * publication.blocks.scale[block] ** 2
    row = Row(size / max(n, 1), cells, float(variance), publication.parameters.table_variance(n, crossed))
    return replace(accuracy, row=row)
