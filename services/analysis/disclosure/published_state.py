"""The published state of a survey: every public figure is computed from it until the next edition. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.snapshot import Snapshot
from services.analysis.disclosure import public_view
from services.analysis.disclosure.accuracy import accuracy_of
from services.analysis.disclosure.cells import cells_of
from services.analysis.disclosure.edition_tables import EditionTables, publication_of
from services.analysis.disclosure.editions import Due, Marks, after, due, moved_at_least
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.published_policy import published_policy
from services.analysis.disclosure.weighted_public import PublicWeights, public_weights
from services.analysis.state.fold import Folder
from services.analysis.state.layout import arrange
from services.analysis.state.state import State
from services.analysis.state.state_codec import UnreadableState, pack, symmetric, unpack, upper
from services.analysis.statistics import stats
from services.analysis.statistics.marginals import read_marginals


class _Tables(msgspec.Struct, frozen=True):
    version: str
    codebook: str
    width: int
    edition: int
    singles_edition: int
    as_of: str


class _SavedHeader(msgspec.Struct, frozen=True):
    marks: Marks
    columns: int
    tables: _Tables | None


@dataclass(frozen=True)
class PublishedState:
    """One edition of a survey's figures.

    `single`: exact single counts, shape (columns of the code book,). An edition is computed from them and from the marks, so both are
    stored before any figure is shown. `tables`: the last edition of tables; None before the first.
    """

    folder: Folder
    marks: Marks
    single: NDArray[np.int64]
    tables: EditionTables | None
    weights: PublicWeights
    public: Snapshot
    noise: Noise

    @classmethod
    def of(
        cls, folder: Folder, marks: Marks, single: NDArray[np.int64], tables: EditionTables | None, noise: Noise, revision: int, as_of: str
    ) -> PublishedState:
        book, layout, cells = folder.codebook, arrange(folder.codebook), cells_of(folder.codebook)
        publication = publication_of(book, noise)
        published = cells.by_column(publication.singles(marks.edition, cells.counts(single)), int(single[0]))
        wide = layout.widen(published[None])
        (everybody,) = read_marginals(layout, wide, [accuracy_of(publication, cells, layout, wide[0])])
        weights = public_weights(book, tables)
        everybody.weighted = weights.estimates
        policy = published_policy(book, everybody.n[0], marks.edition)
        whole = stats.whole(book, everybody, None, weights.of.published, policy, revision=revision, as_of=as_of)
        noise_variance = stats.noise_variance_of(layout, everybody)
        public = public_view.conceal(whole, layout, everybody, public_view.breakdowns(book, tables), noise_variance)
        return cls(folder, marks, single, tables, weights, public, noise)

    def dump(self) -> bytes:
        """Returns compact bytes, from which `SavedState.load` and `of` restore the same state."""
        tables = self.tables
        of_tables = None
        parts = [self.single.astype(np.int64)]
        if tables is not None:
            of = tables.book
            of_tables = _Tables(of.instrument.version, of.digest, len(of), tables.edition, tables.singles_edition, tables.as_of)
            parts.append(upper(tables.burt).astype(np.int64))
        return pack(_SavedHeader(self.marks, len(self.single), of_tables), parts)


@dataclass(frozen=True)
class SavedState:
    """What `PublishedState.dump` wrote. `version`, `codebook`: of the tables."""

    marks: Marks
    single: NDArray[np.int64]
    version: str = ""
    codebook: str = ""
    burt: NDArray[np.int64] | None = None
    edition: int = 0
    singles_edition: int = 0
    as_of: str = ""

    @classmethod
    def load(cls, data: bytes) -> SavedState:
        """Reads what `dump` wrote. Raises UnreadableState, also for bytes of Platea up to 0.2."""
        head, body = unpack(data, _SavedHeader)
        tables = head.tables
        triangle = tables.width * (tables.width + 1) // 2 if tables else 0
        if len(body) != 8 * (head.columns + triangle):
            raise UnreadableState("another shape")
        single = body.take(head.columns, "<i8")
        if tables is None:
            return cls(head.marks, single)
        burt = symmetric(body.take(triangle, "<i8"), tables.width)
        return cls(head.marks, single, tables.version, tables.codebook, burt, tables.edition, tables.singles_edition, tables.as_of)

    def tables(self, book: CodeBook, noise: Noise) -> EditionTables:
        """Returns the two-way tables of the edition, with the noise that they were published with. `book`: of the version `self.version`.

        There must be some: `burt` is not None.
        """
        assert self.burt is not None
        return EditionTables(book, noise, self.burt, self.edition, self.singles_edition, self.as_of)


def due_now(folder: Folder, state: State, before: PublishedState | None, marks: Marks, noise: Noise, now: float, *, closed: bool) -> Due:
    """Returns which figures the next edition updates now.

    `before`: the published state, if there is one; `marks`: of the editions so far; `now`: seconds since the epoch.
    """
    book, moved = folder.codebook, 0
    if before is not None and before.folder.codebook.digest == book.digest:
        cells = cells_of(book)
        moved = moved_at_least(cells.counts(before.single), cells.counts(state.burt.diagonal()), cells.blocks.starts)
    parameters = publication_of(book, noise).parameters
    return due(marks, state.responses, now, parameters, noise.threshold, closed=closed, moved=moved)


def next_edition(
    folder: Folder,
    state: State,
    before: PublishedState | None,
    marks: Marks,
    what: Due,
    noise: Noise,
    revision: int,
    now: float,
    as_of: str,
) -> PublishedState:
    """Returns the next edition. `before`: the last one, which may be of another version of the questionnaire."""
    passed = after(marks, what, state.responses, now)
    single = state.burt.diagonal().astype(np.int64)
    tables = before.tables if before else None
    if what.tables:
        tables = EditionTables(folder.codebook, noise, state.burt.astype(np.int64), passed.tables, passed.edition, as_of)
    return PublishedState.of(folder, passed, single, tables, noise, revision, as_of)
