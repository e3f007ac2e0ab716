"""The variables of a release: the columns of each question, with the encoder of responses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proto.codebook import CodeBook, Column
from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
    Band,
    ConstantSum,
    Date,
    Hierarchy,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Measured,
    Multiple,
    Numeric,
    Ranking,
    Role,
    Row,
    Rule,
    ShortText,
    Single,
    Texts,
    special_codes,
)
from proto.parts import together
from services.export.dataset.words import phrase

MISSING = "_missing"
"""The question was shown and left out."""
SKIPPED = "_skipped"
"""Skip logic hid the question, or the respondent's version did not have it, or had an answer that this one does not have."""
WITHHELD = "*"
"""In place of a value that would have pointed to somebody."""

JOINT = "|"
"""Between the codes of neighbouring answers that are released as one: no code has it."""
LONGEST_SCALE = 100
"""Of more answers than these no neighbours are released as one: each possible pair of ends has a number of its own in SPSS."""

Ladder = list[dict[str, str]]


@dataclass(frozen=True)
class Variable:
    """One column: of a question, a matrix row, an option of a multiple choice (1 or 0), or a place in a ranking."""

    name: str
    question: AnyQuestion
    part: Texts
    """Text of the row, option or place; empty where the question is one column."""
    labels: dict[str, Texts]
    """What the codes of answers mean, in their order."""
    cells: dict[Column, str]
    """The code that each cell of the code book stands for."""
    otherwise: str = MISSING
    """The code of those who set none of the cells."""
    ordered: bool = False
    hierarchy: Hierarchy | None = None
    bands: tuple[Band, ...] = ()
    option: str | None = None
    """Of a multiple choice: the option that this column is about."""
    codes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", (*self.labels, MISSING, SKIPPED))

    @property
    def row(self) -> Row | None:
        """The row of a matrix that this column is about."""
        rows = self.question.rows if isinstance(self.question, Matrix) else ()
        return next((row for row in rows if self.name == f"{self.question.var}.{row.code}"), None)

    @property
    def rule(self) -> Rule | None:
        """Who was asked; None where everybody was."""
        return together(self.question.show_if, self.row.show_if if self.row else None)

    @property
    def role(self) -> Role:
        return self.question.privacy.role

    @property
    def scale(self) -> tuple[str, ...]:
        """The answers of an ordered scale, without don't know and the like; empty where neighbours are never released as one."""
        answers = tuple(code for code in self.labels if code not in NON_SUBSTANTIVE) if self.ordered else ()
        return answers if self.role != "quasi_identifier" and len(answers) <= LONGEST_SCALE else ()

    def merged(self, code: str) -> tuple[str, ...]:
        """The answers that a released code of `scale` covers: itself, or merged neighbours. Empty for any other code."""
        members = tuple(code.split(JOINT))
        begin = self.scale.index(members[0]) if members[0] in self.scale else 0
        return members if members == self.scale[begin : begin + len(members)] else ()

    def ladder(self) -> Ladder:
        """What each code becomes at each level of the hierarchy between the answer itself and "*"; empty without hierarchy."""
        if self.hierarchy is None:
            return []
        between = range(1, len(self.hierarchy.levels) - 1)
        if self.hierarchy.rule == "table":
            return [{code: parents[level - 1] for code, parents in self.hierarchy.table.items()} for level in between]
        return [{band.code: _wider(band, self.hierarchy, level) for band in self.bands} for level in between]


def with_bands(instrument: Instrument) -> Instrument:
    """The instrument as a release reads it: a number or date without bands of its own takes the finest ones of its hierarchy."""
    return msgspec.structs.replace(instrument, questions=tuple(_with_bands(question, instrument) for question in instrument.questions))


def _with_bands(question: AnyQuestion, instrument: Instrument) -> AnyQuestion:
    if not isinstance(question, Measured) or question.bands or question.privacy.hierarchy is None:
        return question
    hierarchy = instrument.hierarchies[question.privacy.hierarchy]
    return msgspec.structs.replace(question, bands=hierarchy.bands[0]) if any(hierarchy.bands) else question


def left_out(instrument: Instrument) -> tuple[str, ...]:
    """The variables that a release has no column for, although they are neither names nor texts: numbers and dates without bands."""
    return tuple(
        question.var
        for question in with_bands(instrument).questions
        if isinstance(question, Measured) and not question.bands and question.privacy.role != "identifying"
    )


def variables(instrument: Instrument) -> list[Variable]:
    """The columns of a table without identifying and free-text questions, in the questionnaire's order.

    Numbers and dates appear as their bands: an exact number can be as telling as a name. Without bands nothing of them can be told
    (`left_out`). `instrument`: as `with_bands` gives it, if hierarchies are to lend their bands.
    """
    columns: list[Variable] = []
    for question in instrument.questions:
        if question.privacy.role not in ("identifying", "free_text"):
            columns += _of(question, instrument)
    return columns


class Encoder:
    """Reads answers into codes. A variable's code is a weighted sum of the code book's cells, so a batch is one product of matrices."""

    def __init__(self, book: CodeBook, columns: Sequence[Variable]) -> None:
        self._book, self._columns = book, columns
        self._weights = np.zeros((len(book), len(columns)), np.float32)
        for place, column in enumerate(columns):
            number = {code: index for index, code in enumerate(column.codes)}
            base = number[column.otherwise]
            self._weights[0, place] = base  # everybody sets column 0
            for cell, code in column.cells.items():
                self._weights[book.index[cell], place] = number[code] - base
        self._kind = np.int8 if max((len(column.codes) for column in columns), default=0) <= np.iinfo(np.int8).max else np.int16
        self._batches: list[NDArray[np.integer[Any]]] = []
        self._room = book.empty(0)

    def add(self, answers: Sequence[Any]) -> NDArray[np.integer[Any]]:
        """A batch of at least one response, all of one version of the survey, and its codes. Shape (columns, responses)."""
        if len(self._room) < len(answers):
            self._room = self._book.empty(len(answers))
        # Small whole numbers, whose sums a float32 holds exactly.
        codes = (self._book.cells(answers, self._room) @ self._weights).T.astype(self._kind, order="C")
        for place in self._added(answers[0]):
            codes[place] = self._columns[place].codes.index(SKIPPED)
        self._batches.append(codes)
        return codes

    def _added(self, answers: Any) -> list[int]:
        """Columns of options that their version did not have: the code book counts them as not chosen."""
        added = self._book.added(answers)
        return [at for at, column in enumerate(self._columns) if (column.question.id, column.option) in added]

    def table(self) -> pd.DataFrame:
        """One row per response in the order of arrival, one categorical column per variable. Forgets what was read."""
        batches, self._batches = self._batches, []
        columns: dict[str, Any] = {}
        for place, column in enumerate(self._columns):
            codes = np.concatenate([batch[place] for batch in batches]) if batches else np.zeros(0, self._kind)
            columns[column.name] = pd.Categorical.from_codes(codes, categories=pd.Index(column.codes, dtype="object"))  # pyright: ignore[reportArgumentType]
        return pd.DataFrame(columns, copy=False)


def _of(question: AnyQuestion, instrument: Instrument) -> list[Variable]:
    id, var = question.id, question.var
    hierarchy = instrument.hierarchies[question.privacy.hierarchy] if question.privacy.hierarchy else None
    absent = {Column("skipped", id): SKIPPED, Column("missing", id): MISSING}

    def banded(question: Measured) -> list[Variable]:
        """Bands, then special values. One that tells something has no place among numbers, so the order is then none of all answers."""
        cells = {Column("band", id, band.code): band.code for band in question.bands}
        cells |= {Column("option", id, option.code): option.code for option in question.special}
        labels: dict[str, Texts] = {band.code: {} for band in question.bands} | _labels(question.special)
        ordered = special_codes(question) <= NON_SUBSTANTIVE
        return [Variable(var, question, {}, labels, cells | absent, ordered=ordered, hierarchy=hierarchy, bands=question.bands)]

    match question:
        case Single():
            cells = {Column("option", id, option.code): option.code for option in question.options}
            return [Variable(var, question, {}, _labels(question.options), cells | absent, ordered=question.ordered, hierarchy=hierarchy)]
        case Multiple():
            labels = {"0": phrase("no", instrument.languages), "1": phrase("yes", instrument.languages)}
            return [
                Variable(f"{var}.{option.code}", question, option.text, labels, cells, "0", option=option.code)
                for option in question.options
                for cells in [{Column("option", id, option.code): "1"} | absent]
            ]
        case Matrix():
            columns: list[Variable] = []
            for row in question.rows:
                cells = {Column("option", id, option.code, row.code): option.code for option in question.options}
                cells |= {Column("skipped", id): SKIPPED, Column("missing", id, row=row.code): MISSING}
                labels = _labels(question.options)
                columns.append(Variable(f"{var}.{row.code}", question, row.text, labels, cells, SKIPPED, ordered=question.ordered))
            return columns
        case Ranking():
            columns = []
            for rank in range(1, question.rank_count + 1):
                cells = {Column("rank", id, option.code, rank=rank): option.code for option in question.options}
                part = phrase("rank", instrument.languages, str(rank))
                columns.append(Variable(f"{var}.{rank}", question, part, _labels(question.options), cells | absent, SKIPPED))
            return columns
        case ConstantSum():
            columns = []
            for row in question.rows:
                cells = {Column("band", id, band.code, row.code): band.code for band in question.bands}
                labels = dict.fromkeys((band.code for band in question.bands), Texts())
                name = f"{var}.{row.code}"
                columns.append(Variable(name, question, row.text, labels, cells | absent, ordered=True, bands=question.bands))
            return columns
        case Integer() | Numeric() | Date():
            return banded(question) if question.bands else []
        case ShortText() | LongText():
            return []
        case _:
            assert_never(question)


def _wider(band: Band, hierarchy: Hierarchy, level: int) -> str:
    """The band of this level that contains the whole published band.

    Levels finer than the published bands, and levels that cut through one, change nothing. Above these: the first band that contains it,
    "*" if none does, so that the released value is true of every answer in it.
    """
    finer = len(hierarchy.levels) - 2 - len(hierarchy.bands)
    if level <= finer:
        return band.code
    for wider in hierarchy.bands[level - finer - 1 :]:
        if holding := [wide.code for wide in wider if _holds(wide, band)]:
            return holding[0]
    return "*"


def _holds(wide: Band, band: Band) -> bool:
    return wide.lower <= band.lower and (wide.upper is None or (band.upper is not None and band.upper <= wide.upper))


def _labels(options: Iterable[Any]) -> dict[str, Texts]:
    return {option.code: option.text for option in options}
