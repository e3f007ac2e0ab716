"""The two-way tables of one edition, computed on demand from its exact counts, always with the same noise. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from services.analysis.disclosure.accuracy import Accuracy, accuracy_of, in_row
from services.analysis.disclosure.cells import Cells, cells_of, parameters_in
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.projection import Whole
from services.analysis.disclosure.publication import Publication
from services.analysis.state.layout import Counts, Layout, arrange


def publication_of(book: CodeBook, noise: Noise) -> Publication:
    """Returns what publishes the counts of this version of a questionnaire."""
    return Publication(cells_of(book).blocks, parameters_in(book), noise)


@dataclass(frozen=True, eq=False)
class EditionTables:
    """`burt`: the exact Burt matrix over the columns of `book` at the edition. `edition`: the number of the edition of tables;
    `singles_edition`: of the single counts that were published with it."""

    book: CodeBook
    noise: Noise
    burt: NDArray[np.int64]
    edition: int
    singles_edition: int
    as_of: str

    @property
    def responses(self) -> int:
        return int(self.burt[0, 0])

    @property
    def layout(self) -> Layout:
        return arrange(self.book)

    @property
    def cells(self) -> Cells:
        return cells_of(self.book)

    @cached_property
    def publication(self) -> Publication:
        return publication_of(self.book, self.noise)

    @cached_property
    def singles(self) -> Whole:
        """The single counts published with these tables. Shape (cells,)."""
        return self.publication.singles(self.singles_edition, self.cells.counts(self.burt.diagonal()))

    @cached_property
    def single(self) -> Counts:
        """The same, shape (widened columns,)."""
        return self.layout.widen(self.cells.by_column(self.singles, self.responses)[None])[0]

    @cached_property
    def accuracy(self) -> Accuracy:
        return accuracy_of(self.publication, self.cells, self.layout, self.single)

    def accuracy_in(self, column: int, others: Sequence[int]) -> Accuracy:
        """Returns the accuracy of the row of a column, crossed with these blocks."""
        block = int(self.cells.block_of[column])
        crossed = max((self.publication.blocks.crossed(block, other) for other in others if other != block), default=0)
        return in_row(self.accuracy, self.publication, block, float(self.singles[self.cells.cell_of[column]]), self.responses, crossed)

    def rows(self, columns: Sequence[int], others: Iterable[int]) -> Counts:
        """Returns published counts of these columns crossed with all columns of the blocks `others`.

        Shape (columns, columns of the code book); 0 where nothing is asked for or published.
        """
        cells, others, rows_of = self.cells, list(others), np.zeros((len(columns), len(self.book)))
        blocks = cells.all_of(columns)
        pairs = [(one, other) for one in blocks for other in others if one != other]
        exact = {one: cells.rows(self.burt, one) for one in blocks}
        counts = [exact[one][:, cells.blocks.cells(other)] for one, other in pairs]
        wide = {one: np.zeros(rows.shape, np.int64) for one, rows in exact.items()}
        for (one, other), table in zip(pairs, self.publication.tables(self.edition, pairs, counts, self.singles), strict=True):
            wide[one][:, cells.blocks.cells(other)] = table
        for one in set(blocks) & set(others):
            wide[one][:, cells.blocks.cells(one)] = np.diag(self.singles[cells.blocks.cells(one)])
        for at, column in enumerate(columns):
            if (block := int(cells.block_of[column])) >= 0:
                cell = int(cells.cell_of[column])
                row = wide[block][cell - cells.blocks.cells(block).start]
                rows_of[at] = np.where(cells.cell_of >= 0, row[cells.cell_of], 0)
                rows_of[at, 0] = self.singles[cell]
        return rows_of

    def blocks_of(self, questions: Iterable[str]) -> list[int]:
        """Returns the blocks of these questions."""
        ids = set(questions)
        return self.cells.all_of(i for i, column in enumerate(self.book.columns) if column.question in ids)

    @cached_property
    def groups(self) -> Counts:
        """The rows of all groups of strata, over the widened columns of the questions that are broken down."""
        columns = [column for stratum in self.layout.strata for _, column in stratum.groups]
        return self.layout.widen(self.rows(columns, self.broken_down))

    @cached_property
    def broken_down(self) -> list[int]:
        return self.blocks_of(question.id for question in self.book.instrument.questions if "crosstab" in question.stats)
