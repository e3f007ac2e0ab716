"""The blocks of a questionnaire: which cells its closed answers make, and how they follow from the columns of its code book. Pure.

A single choice, a row of a matrix, a number's bands are one block each; a multiple choice is a block for who answered and one for each
option (chosen, or not); a ranking likewise, with the places in the blocks of its options; a constant sum has one for who answered,
one for the bands of each row, and one for each binary digit of each row's number (one, or not). *Skipped* and *missing* are cells like any
other, so no base is exact. A stratum is a block of its own; one that is the answers themselves is the block of its question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook, Column, strata
from proto.instrument import (
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Measured,
    Multiple,
    Numeric,
    Ranking,
    Rule,
    ShortText,
    Single,
)
from services.analysis.disclosure.noise import names_of
from services.analysis.disclosure.parameters import Parameters, parameters_of
from services.analysis.disclosure.projection import Whole
from services.analysis.disclosure.publication import Blocks
from services.analysis.state.layout import has_statistics


@dataclass(frozen=True)
class Cells:
    """How cells follow from the columns of the code book.

    `columns`: for each block, the columns that are its first cells, in order. `remainder`: which blocks have one more cell, for respondents
    in none of these columns. `cell_of`, `block_of`: the cell and the block of each column; -1 for columns that are never published.
    """

    blocks: Blocks
    columns: tuple[NDArray[np.intp], ...]
    remainder: NDArray[np.bool_]
    cell_of: NDArray[np.intp]
    block_of: NDArray[np.intp]

    def counts(self, diagonal: NDArray[Any]) -> Whole:
        """Returns exact single counts, shape (cells,). `diagonal`: of the Burt matrix; its first entry counts everybody."""
        return self._spread(diagonal.astype(np.int64)[None])[0]

    def rows(self, burt: NDArray[np.int64], block: int) -> Whole:
        """Returns exact counts of a block crossed with all cells. Shape (cells of the block, cells)."""
        rows = self._spread(burt[self.columns[block]])
        return np.vstack([rows, self._spread(burt[:1]) - rows.sum(axis=0)]) if self.remainder[block] else rows

    def _spread(self, rows: NDArray[np.int64]) -> Whole:
        """Returns counts by cell for counts by column. Shape (rows, cells)."""
        by_cell = rows[:, self._from]
        sums = np.add.reduceat(by_cell, self.blocks.starts, axis=1)
        # so far the cell of a remainder holds everybody
        by_cell[:, self._last[self.remainder]] = 2 * rows[:, :1] - sums[:, self.remainder]
        return by_cell

    @cached_property
    def _from(self) -> NDArray[np.intp]:
        """The column of each cell; 0 (everybody) for a remainder."""
        zero = np.zeros(1, np.intp)
        return np.concatenate([np.append(at, zero) if more else at for at, more in zip(self.columns, self.remainder, strict=True)])

    @cached_property
    def _last(self) -> NDArray[np.intp]:
        """The last cell of each block."""
        return self.blocks.starts + self.blocks.sizes - 1

    def by_column(self, published: Whole, n: int) -> NDArray[np.float64]:
        """Returns published single counts by column, shape (columns of the code book,); 0 where nothing is published."""
        by_column = np.where(self.cell_of >= 0, published[self.cell_of], 0).astype(np.float64)
        by_column[0] = n
        return by_column

    def all_of(self, columns: Iterable[int]) -> list[int]:
        """Returns the blocks of these columns, each once."""
        return list(dict.fromkeys(int(block) for block in self.block_of[list(columns)] if block >= 0))


@lru_cache(maxsize=32)
def cells_of(book: CodeBook) -> Cells:
    """Returns the cells of the questions with live figures, of the margins of the weights, of the strata, and of the steps of case weights.

    Under a guarantee figures are not weighted.
    """
    making = _Making(book)
    guaranteed = book.instrument.policy.guaranteed
    of_margins = set[str]() if guaranteed else {margin.of for margin in book.instrument.margins}
    for question in book.instrument.questions:
        if has_statistics(question) or question.id in of_margins:
            making.question(question.id)
    for name in book.instrument.strata:
        making.stratum(name)
    if book.combined and not guaranteed:
        making.add(book.combined, ("combined", *(margin.of for margin in book.instrument.margins)), group=True, crossed=False)
    for column in () if guaranteed else book.weights:
        making.add([column], ("lighter", book.columns[column].code), group=True, crossed=False)
    return making.made(even=guaranteed)


def parameters_in(book: CodeBook) -> Parameters:
    """Returns the parameters of this version of a survey. Under a guarantee its number of histograms sets the noise."""
    guaranteed = book.instrument.policy.guaranteed
    return parameters_of(book.instrument, histograms(book)) if guaranteed else parameters_of(book.instrument)


@lru_cache(maxsize=32)
def histograms(book: CodeBook) -> int:
    """Returns how many histograms are published at each edition under a guarantee: the blocks, and the tables of each stratum by each block
    that is broken down."""
    cells, declared = cells_of(book), {question.id for question in book.instrument.questions if "crosstab" in question.stats}
    strata = cells.all_of(column for name in book.instrument.strata for column in book.of(name))
    broken_down = cells.all_of(at for at, column in enumerate(book.columns) if column.question in declared)
    return len(cells.blocks.sizes) + len({frozenset((one, other)) for one in strata for other in broken_down if one != other})


class _Making:
    def __init__(self, book: CodeBook) -> None:
        self._book, self._index = book, book.index
        self._columns: list[list[int]] = []
        self._names: list[object] = []
        self._sizes: list[int] = []
        self._remainder: list[bool] = []
        self._groups: list[bool] = []
        self._declared: list[bool] = []
        self._choices: list[int] = []
        self._absent: list[bool] = []
        self._cell_of = np.full(len(book), -1, np.intp)
        self._block_of = np.full(len(book), -1, np.intp)

    def add(
        self,
        columns: list[int],
        remainder: object = None,
        *,
        group: bool = False,
        names: list[object] | None = None,
        crossed: bool = True,
        choices: int | None = None,
        absent: Iterable[int] = (),
        elsewhere: bool = False,
    ) -> None:
        """`remainder`: the name of the cell of whoever is in none of the columns; None where everybody is in one. `choices`: in how many of
        the columns somebody can be, where that is not all. `absent`: which columns are of who did not answer; `elsewhere`: whether the
        remainder is, too."""
        gone = frozenset(absent)
        self._absent += [column in gone for column in columns] + ([] if remainder is None else [elsewhere])
        self._cell_of[columns] = len(self._names) + np.arange(len(columns))
        self._block_of[columns] = len(self._sizes)
        self._names += names or [_name(self._book.columns[column]) for column in columns]
        self._names += [] if remainder is None else [remainder]
        self._columns.append(columns)
        self._sizes.append(len(columns) + (remainder is not None))
        self._remainder.append(remainder is not None)
        self._groups.append(group)
        self._declared.append(crossed)
        self._choices.append(choices or len(columns))

    def question(self, id: str) -> None:
        book, question = self._book, self._book.instrument.question(id)
        crossed = "crosstab" in question.stats
        skipped = self._index[Column("skipped", id)]
        if isinstance(question, Matrix):
            self.add([skipped], ("shown", id), crossed=crossed, absent=[skipped])
            for row in question.rows:
                missing = self._index[Column("missing", id, row=row.code)]
                columns = [*book.of(id, row.code), missing]
                self.add(columns, ("elsewhere", id, row.code), crossed=crossed, absent=[missing], elsewhere=True)
            return
        absent = [skipped, self._index[Column("missing", id)]]
        match question:
            case Single():
                source = any(name.partition(".")[0] == question.var for name in book.instrument.strata)
                self.add([*book.of(id), *absent], group=source, crossed=crossed, choices=len(question.options), absent=absent)
            case Multiple() | Ranking():
                self.add(absent, ("answered", id), crossed=crossed, absent=absent)
                columns = book.of(id)
                for option in question.options:
                    self.add([c for c in columns if book.columns[c].code == option.code], ("not", id, option.code), crossed=crossed)
            case ConstantSum():
                self.add(absent, ("answered", id), crossed=crossed, absent=absent)
                for row in question.rows:
                    self.add(book.of(id, row.code), ("elsewhere", id, row.code), crossed=crossed)
                    for column in book.digits(id, row.code):
                        self.add([column], ("not", id, row.code, book.columns[column].code), crossed=crossed)
            case Integer() | Numeric() | Date() | ShortText() | LongText():
                source, bands = question.var in book.instrument.strata, book.of(id)
                choices = len(bands) if source else None
                self.add([*bands, *absent], ("answered", id), group=source, crossed=crossed, choices=choices, absent=absent)
            case _:
                assert_never(question)

    def stratum(self, name: str) -> None:
        """One that is the answers themselves has the cells of its question."""
        book = self._book
        columns = book.of(name)
        meaning = definitions(book.instrument, name)
        names = [meaning[book.columns[column].code] for column in columns]
        same = [self._index[item] for item in names if isinstance(item, Column)]
        if len(same) == len(columns) and (self._cell_of[same] >= 0).all():
            self._cell_of[columns], self._block_of[columns] = self._cell_of[same], self._block_of[same]
            return
        derived = any(item.id == name for item in book.instrument.derived)
        named = [_name(item) if isinstance(item, Column) else item for item in names]
        self.add(columns, None if derived else ("in no group", name), group=True, names=named, crossed=False)

    def made(self, *, even: bool) -> Cells:
        blocks = Blocks(
            names_of(self._names),
            np.array(self._sizes, np.intp),
            np.array(self._groups, np.bool_),
            np.array(self._declared, np.bool_),
            np.array(self._choices, np.intp),
            np.array(self._absent, np.bool_),
            even,
        )
        columns = tuple(np.array(column, np.intp) for column in self._columns)
        return Cells(blocks, columns, np.array(self._remainder, np.bool_), self._cell_of, self._block_of)


def _name(column: Column) -> object:
    return column.kind, column.question, column.code, column.row, column.rank


def definitions(instrument: Instrument, stratum: str) -> Mapping[str, object]:
    """What each group of a stratum means, by its code: the column of the one answer that it stands for, else its answers or its rule.
    Groups of one meaning are the same people; where the meaning changes with a version, the group is another one."""
    rules = {item.id: item.rule for item in instrument.derived}
    if stratum in rules:
        rule = rules[stratum]
        of = next((q for q in instrument.questions if q.id == rule.q and isinstance(q, Single | Measured)), None)
        yes = Column("option", of.id, str(rule.value[0])) if of and rule.op == "in" and len(rule.value) == 1 else _written_out(rule, rules)
        return {"0": ("not", _written_out(rule, rules)), "1": yes}
    question, groups = strata(instrument, stratum)
    if formula_of(instrument, stratum) is not None:
        return {band: Column("band", question, band) for band in groups}
    answers: dict[str, list[str]] = {}
    for code, group in groups.items():
        answers.setdefault(group, []).append(code)
    return {
        group: Column("option", question, codes[0]) if len(codes) == 1 else ("any of", question, tuple(sorted(codes)))
        for group, codes in answers.items()
    }


def formula_of(instrument: Instrument, stratum: str) -> object:
    """What the bands of a computed value are made of, where a stratum is these; None where it is something else."""
    question = next((q for q in instrument.questions if q.var == stratum and isinstance(q, Computed)), None)
    return question and (question.op, question.of, question.least, question.decimals, question.bands)


def _written_out(rule: Rule, rules: Mapping[str, Rule]) -> object:
    """The rule with the derived variables in it replaced by their rules."""
    if rule.op == "derived":
        return rule.value, _written_out(rules[rule.q or ""], rules)
    parts = [[_written_out(part, rules) for part in parts] for parts in (rule.all, rule.any, (rule.not_,) if rule.not_ else ())]
    test = rule.q, rule.op, sorted(rule.value, key=str), sorted(rule.rows), parts
    return test if rule.other is None else (*test, rule.other)
