"""One edition after the other: marks, exact counts and published single counts, from which every table of the edition follows. Pure."""

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
    """`counts`: exact single counts, `singles`: the published ones, both of all cells; `of_tables`: those published when tables last moved,
    None before the first tables. `n`: respondents."""

    marks: Marks
    n: int
    counts: Whole
    singles: Whole
    of_tables: Whole | None = None

    @classmethod
    def of(cls, publication: Publication, marks: Marks, counts: Whole, of_tables: Whole | None = None) -> Edition:
        """The edition with these marks and counts, which are all that has to be kept of it."""
        return cls(marks, publication.blocks.people(counts), counts, publication.singles(marks.edition, counts), of_tables)


def advance(
    publication: Publication, before: Edition | None, counts: Whole, now: float, *, closed: bool = False
) -> tuple[Edition, Due] | None:
    """The next edition where one is due, and what moves with it; None while the last one stands. `counts`: exact single counts of all
    cells; `now`: seconds since the epoch."""
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
    made = Edition.of(publication, after(marks, what, n, now), counts, before.of_tables if before else None)
    return (replace(made, of_tables=made.singles) if what.tables else made), what


def tables(publication: Publication, edition: Edition, pairs: Sequence[tuple[int, int]], burt: NDArray[np.int64]) -> list[Whole]:
    """Two-way tables of pairs of blocks. `burt`: the exact Burt matrix over all cells, of when tables last moved. Raises ValueError
    before the first tables."""
    if edition.of_tables is None:
        raise ValueError("tables have not moved yet")
    cells = publication.blocks.cells
    exact = [burt[cells(one), cells(other)] for one, other in pairs]
    return publication.tables(edition.marks.tables, pairs, exact, edition.of_tables)
