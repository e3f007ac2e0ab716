"""The code book: every closed answer of an instrument as a column, a response as the list of columns it sets.

The live state of a survey is the Burt matrix over these columns (Greenacre, Correspondence Analysis in Practice).
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import chain, zip_longest
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from proto.answers import Reader
from proto.instrument import AnyQuestion, Band, Date, Hierarchy, Instrument, Integer, Matrix, Multiple, Numeric, Ranking, Single
from proto.logic import Predicate

Kind = Literal["all", "option", "rank", "band", "skipped", "missing", "stratum"]


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """`question` is a question id, or a stratum's name for kind "stratum". `row`: of a matrix; `rank`: from 1, of a ranking."""

    kind: Kind
    question: str = ""
    code: str = ""
    row: str | None = None
    rank: int | None = None


Slot = list[int]
"""One column for each response of a batch: the one it sets, or 0, which all set anyway."""


class _Batch:
    """Answers of one version side by side. Read question by question they are encoded several times faster than one by one."""

    def __init__(self, answers: Sequence[Any], names: Iterable[str], unasked: frozenset[str]) -> None:
        self.unasked = unasked
        self._answers, self._names = answers, names
        self._held: dict[Predicate, list[bool]] = {}

    @cached_property
    def given(self) -> dict[str, tuple[Any, ...]]:
        """For each question everybody's answer."""
        return dict(zip(self._names, zip(*map(msgspec.structs.astuple, self._answers), strict=True), strict=True))

    def where(self, holds: Predicate) -> list[bool]:
        """Asked once, however many questions hang on the same rule."""
        if holds not in self._held:
            self._held[holds] = [holds(answers) for answers in self._answers]
        return self._held[holds]

    def either(self, holds: Predicate | None, yes: int, no: int) -> Slot:
        return self.all(yes) if holds is None else [yes if held else no for held in self.where(holds)]

    def all(self, column: int) -> Slot:
        return [column] * len(self._answers)


Encode = Callable[[_Batch], list[Slot]]
Put = Callable[[tuple[Any, ...], Slot], list[Slot]]
"""What answers to one question set; the second argument is what to set where there is none."""


class CodeBook:
    """Columns of one instrument, and how answers set them. Column 0 is "all" and set by every response.

    A question that skip logic hides, or that an older version did not have, sets "skipped"; one that was shown and left
    out sets "missing". In a matrix, "missing" is per row (`row` set) and "skipped" per question. An answer that an older
    version allowed and this one does not (an option since dropped) counts as left out.
    """

    def __init__(self, reader: Reader) -> None:
        self.instrument: Instrument = reader.instrument
        self.columns: list[Column] = [Column("all")]
        self.index: dict[Column, int] = {self.columns[0]: 0}
        self.numbers: list[str] = []
        """Ids of the questions whose numbers are summed exactly, in the order of the number vector."""
        self.scales: list[int] = []
        """10 ** decimals of each: numbers travel as scaled integers."""
        self._reader = reader
        rules = {question.show_if: reader.shown[question.id] for question in self.instrument.questions if question.show_if}
        self._encoders: list[Encode] = [
            self._question(question, rules[question.show_if] if question.show_if else None) for question in self.instrument.questions
        ]
        self._encoders += [self._stratum(name) for name in self.instrument.strata]
        names = msgspec.json.encode([self.columns, self.numbers, self.scales])
        self.digest: str = hashlib.sha256(names).hexdigest()[:16]
        """Two code books with the same digest count in the same columns."""

    def __len__(self) -> int:
        return len(self.columns)

    def tabulate(self, answers: Sequence[Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """A row of zeros and ones for each response, and one of `numbers` as scaled integers, 0 where there is none.

        `answers`: at least one Struct, all of one version of this survey, whichever it is.
        """
        batch = self._batch(answers)
        slots = [slot for encoder in self._encoders for slot in encoder(batch)]
        x = np.zeros((len(answers), len(self)), np.float32)
        cells = struct.pack(f"{len(slots) * len(answers)}H", *chain.from_iterable(slots))  # twice as fast as numpy takes lists
        x[np.tile(np.arange(len(answers)), len(slots)), np.frombuffer(cells, np.uint16)] = 1
        x[:, 0] = 1
        numbers = np.zeros((len(answers), len(self.numbers)), np.int64)
        for place, (id, scale) in enumerate(zip(self.numbers, self.scales, strict=True)):
            numbers[:, place] = [0 if value is UNSET else round(value * scale) for value in batch.given[id]]
        return x, numbers

    def encode(self, answers: Any) -> list[int]:
        """The columns that one response sets."""
        return np.flatnonzero(self.tabulate([answers])[0][0]).tolist()

    def of(self, question: str, row: str | None = None) -> list[int]:
        """Column numbers of the answers to a question (of one row, for a matrix) or of a stratum's values, in order."""
        answers = ("option", "rank", "band", "stratum")
        return [i for i, c in enumerate(self.columns) if c.question == question and c.row == row and c.kind in answers]

    def absent(self, question: str, row: str | None = None) -> list[int]:
        """The columns of those who did not answer: skipped and missing. Answered = all minus these."""
        found = (Column("skipped", question), Column("missing", question, row=row))
        return [self.index[column] for column in found if column in self.index]

    def _batch(self, answers: Sequence[Any]) -> _Batch:
        names = self._reader.types
        if type(answers[0]) is self._reader.type:
            return _Batch(answers, names, frozenset())
        asked = {field.name for field in msgspec.structs.fields(answers[0])}
        both = asked & names.keys()
        fitting = [self._reader.convert({id: v for id, v in msgspec.to_builtins(one).items() if id in both})[0] for one in answers]
        return _Batch(fitting, names, frozenset(names.keys() - asked))

    def _add(self, column: Column) -> int:
        self.index[column] = len(self.columns)
        self.columns.append(column)
        return self.index[column]

    def _question(self, question: AnyQuestion, shown: Predicate | None) -> Encode:
        id, skipped = question.id, self._add(Column("skipped", question.id))
        if isinstance(question, Matrix):
            return self._matrix(question, skipped, shown)
        missing = self._add(Column("missing", id))
        put = self._put(question)
        return lambda batch: [batch.all(skipped)] if id in batch.unasked else put(batch.given[id], batch.either(shown, missing, skipped))

    def _put(self, question: AnyQuestion) -> Put:
        id = question.id
        match question:
            case Single():
                one = {option.code: self._add(Column("option", id, option.code)) for option in question.options}
                return lambda values, absent: [[one.get(value) or none for value, none in zip(values, absent, strict=True)]]
            case Multiple():
                many = {option.code: self._add(Column("option", id, option.code)) for option in question.options}
                return lambda values, absent: [
                    _unanswered(values, absent),
                    *([many.get(code, 0) if code else 0 for code in nth] for nth in _in_turn(values)),
                ]
            case Ranking():
                ranks = [
                    {option.code: self._add(Column("rank", id, option.code, rank=rank)) for option in question.options}
                    for rank in range(1, question.rank_count + 1)
                ]
                return lambda values, absent: [
                    _unanswered(values, absent),
                    *([rank.get(code, 0) if code else 0 for code in nth] for rank, nth in zip(ranks, _in_turn(values), strict=False)),
                ]
            case Integer() | Numeric():
                self.numbers.append(id)
                self.scales.append(10**question.decimals if isinstance(question, Numeric) else 1)
                bands, columns = self._bands(question.id, question.bands)
                return lambda values, absent: [
                    _unanswered(values, absent),
                    [0 if value is UNSET else columns[bisect_right(bands, value)] for value in values],
                ]
            case Date():
                years, columns = self._bands(question.id, question.bands)
                return lambda values, absent: [
                    _unanswered(values, absent),
                    [0 if value is UNSET else columns[bisect_right(years, int(value[:4]))] for value in values],
                ]
            case _:  # of texts only the absence is counted
                return lambda values, absent: [_unanswered(values, absent)]

    def _bands(self, id: str, bands: Sequence[Band]) -> tuple[list[float], list[int]]:
        """Where the bands begin, and what is set below the first and in each: the last band that begins at or below the value.

        Bands have no gaps, so a value between two belongs to the lower.
        """
        return [band.lower for band in bands], [0, *(self._add(Column("band", id, band.code)) for band in bands)]

    def _matrix(self, question: Matrix, skipped: int, shown: Predicate | None) -> Encode:
        id, blank = question.id, self._reader.types[question.id]()
        rows: list[tuple[int, dict[str, int]]] = []
        for row in question.rows:
            missing = self._add(Column("missing", id, row=row.code))
            rows.append((missing, {option.code: self._add(Column("option", id, option.code, row=row.code)) for option in question.options}))

        def encode(batch: _Batch) -> list[Slot]:
            if id in batch.unasked:
                return [batch.all(skipped)]
            hidden = batch.either(shown, 0, skipped)
            slots = [_unanswered(values := batch.given[id], hidden)]
            columns = zip(*(msgspec.structs.astuple(blank if value is UNSET else value) for value in values), strict=True)
            for (missing, codes), given in zip(rows, columns, strict=True):
                absent = batch.either(shown, missing, 0)
                slots.append([codes.get(code) or none for code, none in zip(given, absent, strict=True)])
            return slots

        return encode

    def _stratum(self, name: str) -> Encode:
        """A derived yes/no variable, or a variable generalised to a level of its hierarchy ("country.region_group")."""
        if name in self._reader.derived:
            no, yes = (self._add(Column("stratum", name, code)) for code in ("0", "1"))
            holds = self._reader.derived[name]
            return lambda batch: [batch.either(holds, yes, no)]
        id, groups = strata(self.instrument, name)
        values = {group: self._add(Column("stratum", name, group)) for group in dict.fromkeys(groups.values())}
        column_of = {code: values[group] for code, group in groups.items()}
        return lambda batch: [[column_of.get(value, 0) for value in batch.given[id]]]


def _unanswered(values: tuple[Any, ...], absent: Slot) -> Slot:
    return [none if value is UNSET else 0 for value, none in zip(values, absent, strict=True)]


def _in_turn(values: tuple[Any, ...]) -> Iterable[tuple[str | None, ...]]:
    """Everybody's first choice, everybody's second, …"""
    return zip_longest(*(() if value is UNSET else value for value in values))


def strata(instrument: Instrument, name: str) -> tuple[str, dict[str, str]]:
    """For "variable.level": the question's id and the group of each of its codes. Raises KeyError on an unknown name."""
    variable, _, level = name.partition(".")
    for question in instrument.questions:
        if question.var == variable and isinstance(question, Single) and question.privacy.hierarchy:
            hierarchy: Hierarchy = instrument.hierarchies[question.privacy.hierarchy]
            place = hierarchy.levels.index(level)
            groups = {
                option.code: option.code if place == 0 else hierarchy.table[option.code][place - 1]
                for option in question.options
                if place == 0 or option.code in hierarchy.table
            }
            return question.id, groups
    raise KeyError(name)
