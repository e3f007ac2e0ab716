"""Which columns of the state hold the figures of each question. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook, strata
from proto.instrument import AnyQuestion, Closed, ConstantSum, Matrix, Measured, Option, Ranking, WithRows

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """The columns of one question, or of one row."""

    question: AnyQuestion
    row: str | None
    codes: tuple[str, ...]
    cells: slice
    """The widened columns (`Layout.widen`) of `codes`, in order."""
    skipped: int
    """The column that counts those whom skip logic did not ask."""
    missing: int
    """The column that counts those who were asked and gave no answer."""
    answered: int
    """The widened column that counts those who answered."""
    first: slice | None = None
    """Of a ranking: the columns that count each option on the first place."""
    digits: slice = field(default_factory=lambda: slice(0, 0))
    """Of a row of a constant sum: the columns that count its binary digits, the lowest first."""


@dataclass(frozen=True)
class Stratum:
    name: str
    source: str | None
    """The question that is generalised, or the computed value; None for a derived variable."""
    groups: tuple[tuple[str, int], ...]


@dataclass
class Layout:
    """The columns of one code book, widened by sums of them: who ranked an option at all, and who answered a question.

    The summed columns exclude each other, so every statistic that is a sum over a column is a sum over a widened column too.
    """

    book: CodeBook
    parts: list[Part] = field(default_factory=list[Part])
    strata: list[Stratum] = field(default_factory=list[Stratum])
    ranked: list[NDArray[np.intp]] = field(default_factory=list[NDArray[np.intp]])
    absent: tuple[NDArray[np.intp], NDArray[np.intp]] = (np.zeros(0, np.intp), np.zeros(0, np.intp))
    """For each part, its skipped and its missing column."""
    rows: list[tuple[int, slice]] = field(default_factory=list[tuple[int, slice]])
    """Rows of matrices: their index among the parts, and their columns. A respondent whom an earlier version did not ask a row sets none
    of them, neither skipped nor missing."""
    of: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    """For each widened column, the one that counts who answered its question; 0 ("all") where it has none."""

    @property
    def width(self) -> int:
        return len(self.of)

    def widen(self, counts: Counts) -> Counts:
        """Returns rows of the Burt matrix, widened: from shape (rows, columns) to (rows, width). Widened rows are unchanged."""
        if counts.shape[1] == self.width:
            return counts
        skipped, missing = self.absent
        answered = counts[:, :1] - counts[:, skipped] - counts[:, missing]
        for place, cells in self.rows:
            answered[:, place] = counts[:, cells].sum(axis=1)
        return np.hstack([counts, *(counts[:, columns].sum(axis=1) for columns in self.ranked), answered])

    def answered(self, wide: Counts) -> Counts:
        """Returns, for each widened cell, how many answered its question. Same shape as `wide`.

        Where noise put a part above its whole, the whole is as large as its largest part, so no share exceeds 1.
        """
        answered = wide[:, self.of]
        if (answered < wide).any():
            for part in self.parts:
                for cells in (part.cells, part.first):
                    if cells is not None and cells.stop > cells.start:
                        answered[:, cells] = np.maximum(answered[:, cells], wide[:, cells].max(axis=1, keepdims=True))
        return answered

    def ranks(self, columns: NDArray[np.intp]) -> NDArray[np.intp] | None:
        """Returns the columns whose sums are these ranked-at-all columns, shape (ranks, columns); None for other columns."""
        for part, ranked in zip((part for part in self.parts if part.first is not None), self.ranked, strict=True):
            if part.cells.start == columns[0]:
                return ranked
        return None

    def part(self, question: str, row: str | None = None) -> Part | None:
        return next((p for p in self.parts if p.question.id == question and p.row == row), None)


@lru_cache(maxsize=32)
def arrange(book: CodeBook) -> Layout:
    """Returns the layout of a code book."""
    layout = Layout(book)
    asked = [(q, row) for q in book.instrument.questions for row in (_rows(q) or [None])]
    ranked = len(book)
    answered = ranked + sum(len(q.options) for q in book.instrument.questions if isinstance(q, Ranking))
    of = np.zeros(answered + len(asked), np.intp)
    for place, (question, row) in enumerate(asked, answered):
        skipped, missing = book.absent(question.id, row)
        columns = book.of(question.id, row)
        first = None
        if isinstance(question, Ranking):
            first = slice(columns[0], columns[0] + len(question.options))
            layout.ranked.append(np.array(columns, np.intp).reshape(question.rank_count, -1))
            of[columns] = place
            columns = list(range(ranked, ranked + len(question.options)))
            ranked += len(question.options)
        codes = tuple(book.columns[i].code for i in columns) if first is None else tuple(o.code for o in question_options(question))
        cells = slice(columns[0], columns[-1] + 1) if columns else slice(0, 0)
        of[cells] = place
        if isinstance(question, Matrix):
            layout.rows.append((len(layout.parts), cells))
        digits = slice(0, 0)
        if isinstance(question, ConstantSum) and row is not None:
            worth = book.digits(question.id, row)
            digits = slice(worth[0], worth[-1] + 1)
            of[digits] = place
        layout.parts.append(Part(question, row, codes, cells, skipped, missing, place, first, digits))
    layout.of = of
    layout.absent = (np.array([part.skipped for part in layout.parts], np.intp), np.array([part.missing for part in layout.parts], np.intp))
    for name in book.instrument.strata:
        groups = tuple((book.columns[i].code, i) for i in book.of(name))
        layout.strata.append(Stratum(name, source(book, name), groups))
    return layout


def _rows(question: AnyQuestion) -> list[str | None]:
    return [row.code for row in question.rows] if isinstance(question, WithRows) else []


def source(book: CodeBook, stratum: str) -> str | None:
    """Returns the question that a stratum generalises; None for a derived variable."""
    if any(derived.id == stratum for derived in book.instrument.derived):
        return None
    return strata(book.instrument, stratum)[0]


def question_options(question: AnyQuestion) -> tuple[Option, ...]:
    """Returns the options of a closed question, and the special values of a number or date; none for others."""
    if isinstance(question, Measured):
        return question.special
    return question.options if isinstance(question, Closed) else ()


def has_statistics(question: AnyQuestion) -> bool:
    """Returns whether figures of the question are published at all."""
    return "none" not in question.stats and question.privacy.role != "identifying"
