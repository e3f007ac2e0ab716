"""One edition of a survey, with what the next one is computed from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.analysis.disclosure.editions import Due, Marks, after, due, moved_at_least
from services.analysis.disclosure.projection import Whole
from services.analysis.disclosure.publication import Publication


@dataclass(frozen=True)
class Edition:
    """`counts`: exact single counts; `singles`: the published ones; `of_tables`: those published with the last edition of tables, None
    before the first. All have the shape (cells,). `n`: respondents."""

    marks: Marks
    n: int
    counts: Whole
    singles: Whole
    of_tables: Whole | None = None

    @classmethod
    def of(cls, publication: Publication, marks: Marks, counts: Whole, of_tables: Whole | None = None) -> Edition:
        """Returns the edition with these marks and exact counts. Nothing else of it has to be kept."""
        return cls(marks, publication.blocks.people(counts), counts, publication.singles(marks.edition, counts), of_tables)


def advance(
    publication: Publication, before: Edition | None, counts: Whole, now: float, *, closed: bool = False
) -> tuple[Edition, Due] | None:
    """Returns the next edition and what it updates; None where no edition is due.

    `counts`: exact single counts, shape (cells,); `now`: seconds since the epoch.
    """
    marks = before.marks if before else Marks()
    n = publication.blocks.people(counts)
    moved = moved_at_least(before.counts, counts, publication.blocks.starts) if before else 0
    what = due(
        marks,
        n,
        now,
        publication.parameters,
        publication.noise.threshold,
        closed=closed,
        moved=moved,
    )
    if not what.singles:
        return None
    edition = Edition.of(publication, after(marks, what, n, now), counts, before.of_tables if before else None)
    return (replace(edition, of_tables=edition.singles) if what.tables else edition), what


def tables(publication: Publication, edition: Edition, pairs: Sequence[tuple[int, int]], burt: NDArray[np.int64]) -> list[Whole]:
    """Returns the published two-way tables of pairs of blocks. Raises ValueError before the first edition of tables.

    `burt`: the exact Burt matrix at the last edition of tables, shape (cells, cells).
    """
    if edition.of_tables is None:
        raise ValueError("tables have not moved yet")
    cells = publication.blocks.cells
    exact = [burt[cells(one), cells(other)] for one, other in pairs]
    return publication.tables(edition.marks.tables, pairs, exact, edition.of_tables)
