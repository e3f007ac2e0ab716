"""Weighted public two-way tables, with the noise of published counts in their intervals. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.snapshot import Table
from services.analysis.disclosure.edition_tables import EditionTables
from services.analysis.disclosure.published_state import PublishedState
from services.analysis.disclosure.weighted_public import outweighed, weighted_accuracy
from services.analysis.state.layout import Counts
from services.analysis.statistics.weighted_tables import Variance, weigh


def public(table: Table, published: PublishedState) -> Table:
    """Returns the published table with weighted shares. Cells that it withholds stay as they are.

    Under a guarantee nothing is weighted. Raises Problem where no side of the table is a margin.
    """
    tables, weights = published.tables, published.weights
    assert tables is not None
    if tables.publication.parameters.guarantee is not None:
        return msgspec.structs.replace(table, weighting=weights.of.published)
    return weigh(table, tables.book, weights.of, weights.rows, _Noise(tables))


@dataclass(frozen=True)
class _Noise:
    """The noise of the two-way tables of one edition, as `statistics.weighted_tables.TableNoise` asks for it."""

    tables: EditionTables

    def within_group(self, columns: NDArray[np.intp], squares: float) -> Variance:
        accuracy = weighted_accuracy(self.tables, squares)

        def variance(shares: Counts) -> Counts:
            wide = np.zeros(len(accuracy.q))
            wide[columns] = shares
            return accuracy.shares(wide)[columns]

        return variance

    def across_groups(self, squares: Counts, base: float) -> Variance:
        of_cell = self.tables.publication.parameters.table_variance(self.tables.responses, len(self.tables.cells.blocks.sizes))
        return lambda shares: of_cell * (squares + shares**2 * base)

    def outweighs(self, deviation: Counts, width: Counts) -> NDArray[np.bool_]:
        return outweighed(deviation, width)
