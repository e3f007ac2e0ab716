"""The code book: every closed answer of an instrument as a column, a response as the list of columns it sets. Pure.

The live state of a survey is the Burt matrix over these columns (Greenacre, Correspondence Analysis in Practice).
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, compress, product, repeat
from operator import is_, itemgetter
from typing import Any, Literal, assert_never

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from proto import quotas
from proto.answers import Reader, reader_of
from proto.comparisons import COMPARING, WITH_VALUES, agree, measure_of, within
from proto.conversion import UNASKED, Conversion, Values
from proto.fingerprint import fingerprint
from proto.instrument import (
    AnyQuestion,
    CaseWeight,
    Closed,
    Computed,
    ConstantSum,
    Date,
    Hierarchy,
    Instrument,
    Integer,
    LongText,
    Margin,
    Matrix,
    Measured,
    Multiple,
    Numeric,
    Quota,
    Ranking,
    Rule,
    ShortText,
    Single,
)

Kind = Literal["all", "option", "rank", "band", "digit", "skipped", "missing", "stratum", "combined", "weight", "quota"]


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """`question` is a question id, or a stratum's name for kind "stratum". `row`: of a matrix; `rank`: from 1, of a ranking.

    Kind "digit": whether this binary digit of a row's number is one; `code` is what it is worth, "1", "2", "4" and so on.
    Kind "combined": `code` joins the codes of one group of each margin with "&". Kind "weight": whoever weighs as much as the class `code`,
    or more. Kind "quota": `code` names a quota and its rule.
    """

    kind: Kind
    question: str = ""
    code: str = ""
    row: str | None = None
    rank: int | None = None


Columns = NDArray[np.uint16]
Mask = NDArray[np.bool_]
Table = Mapping[Any, bytes]
"""From an answer to its column as two bytes: joined, they are an array. That is several times faster than lists of numbers."""


class _Batch:
    """Answers of one version side by side, and the cells they set: rows are responses, columns those of the code book."""

    def __init__(self, given: Mapping[str, Values], converted: bool, x: NDArray[np.float32]) -> None:
        self.given: dict[str, Values] = dict(given)
        """For each question everybody's answer."""
        self.unasked: dict[str, Mask] = {id: _are(values, UNASKED) for id, values in given.items()} if converted else {}
        """Of answers to another version: whom it did not ask each question, and whose answer this version does not know."""
        for id, unasked in self.unasked.items():
            if unasked.any():
                self.given[id] = tuple(UNSET if value is UNASKED else value for value in given[id])
        self.everybody: NDArray[np.intp] = np.arange(len(x))
        self.x = x
        self.x.fill(0)
        self.x[:, 0] = 1
        self._cells, self._starts = self.x.reshape(-1), self.everybody * x.shape[1]
        self._held: dict[Rule, Mask] = {}

    def where(self, rule: Rule, test: Test) -> Mask:
        """For which rows the rule holds. Evaluated once, however many questions depend on it. Shape (rows,)."""
        if rule not in self._held:
            self._held[rule] = test(self)
        return self._held[rule]

    def set(self, columns: Columns | int, rows: NDArray[np.intp] | None = None) -> None:
        """Sets one column for each of the rows, by default all. Column 0 means none."""
        self._cells[(self._starts if rows is None else self._starts[rows]) + columns] = 1

    def set_several(self, columns: Columns) -> None:
        """Several columns for everybody. Shape (responses, several)."""
        self._cells[self._starts[:, None] + columns] = 1


Test = Callable[[_Batch], Mask]
"""A rule over the columns of earlier questions, or over their answers. `proto.logic` says what rules mean; this says the same of many at
once."""
Encode = Callable[[_Batch], None]
Put = Callable[[_Batch, tuple[Any, ...]], Mask]
"""Sets the columns of the answers to one question, and tells who gave none."""


class CodeBook:
    """Columns of one instrument, and how answers set them. Column 0 is "all" and set by every response.

    A question that was shown and left out sets "missing"; one that skip logic hides sets "skipped". So does one that
    another version did not have, or that was answered there with what this one does not know (`proto.conversion`). In a
    matrix, "missing" is per row (`row` set) and "skipped" per question: a row that was not asked sets nothing, nor does a
    place in a ranking. Of a multiple choice nothing but "all" is set by who chose only what this version does not have.
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
        self._derived = {item.id: item.rule for item in self.instrument.derived}
        self._special = frozenset(q.id for q in self.instrument.questions if isinstance(q, Integer | Numeric) and q.special)
        self._encoders: list[Encode] = [self._question(question) for question in self.instrument.questions]
        self._encoders += [self._stratum(name) for name in self.instrument.strata]
        if len(self.instrument.margins) > 1:
            self._encoders.append(self._combined())
        self.combined: list[int] = [i for i, column in enumerate(self.columns) if column.kind == "combined"]
        """The columns of the combinations of the margins' groups, the last margin's groups running fastest."""
        if (weight := self.instrument.case_weight) is not None:
            self._encoders.append(self._weight(weight))
        self.weights: list[int] = [i for i, column in enumerate(self.columns) if column.kind == "weight"]
        """The columns of those who weigh as much as each class at least, the lightest class first."""
        self._encoders += [self._quota(quota) for quota in self.instrument.quotas]
        self.quotas: dict[str, int] = {quota.id: self.index[Column("quota", code=quotas.column(quota))] for quota in self.instrument.quotas}
        """The column of those whom each quota counts. No figure is made of it."""
        self.groups: list[int] = [i for i, column in enumerate(self.columns) if column.kind == "stratum"]
        """The columns of all strata, by which squares of numbers are summed."""
        names = msgspec.json.encode([self.columns, self.numbers, self.scales])
        self.digest: str = f"{hashlib.sha256(names).hexdigest()[:16]}.{fingerprint(self.instrument)}"
        """Two code books with the same digest count every response in the same columns. Its first part names the columns alone."""
        self._conversions: dict[Any, Conversion] = {}

    def __len__(self) -> int:
        return len(self.columns)

    def tabulate(self, answers: Sequence[Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """A row of zeros and ones for each response, and one of `numbers` as scaled integers, 0 where there is none.

        `answers`: at least one Struct, all of one version of this survey, whichever it is.
        """
        batch = self._set(answers, self.empty(len(answers)))
        numbers = np.zeros((len(answers), len(self.numbers)), np.int64)
        for place, (id, scale) in enumerate(zip(self.numbers, self.scales, strict=True)):
            values = batch.given[id]
            if id in self._special:  # codes stand among the numbers
                numbers[:, place] = [0 if value is UNSET or isinstance(value, str) else round(value * scale) for value in values]
            else:
                numbers[:, place] = [0 if value is UNSET else round(value * scale) for value in values]
        return batch.x, numbers

    def empty(self, rows: int) -> NDArray[np.float32]:
        """An uninitialised array for this many responses."""
        return np.empty((rows, len(self)), np.float32)

    def cells(self, answers: Sequence[Any], into: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows of zeros and ones alone, at the beginning of `into`: what is used again need not be made anew."""
        return self._set(answers, into[: len(answers)]).x

    def of(self, question: str, row: str | None = None) -> list[int]:
        """Column numbers of the answers to a question (of one row, for a matrix) or of a stratum's values, in order."""
        answers = ("option", "rank", "band", "stratum")
        return [i for i, c in enumerate(self.columns) if c.question == question and c.row == row and c.kind in answers]

    def absent(self, question: str, row: str | None = None) -> list[int]:
        """The columns of those who did not answer: skipped and missing. Answered = all minus these."""
        absent_columns = dict.fromkeys((Column("skipped", question), Column("missing", question, row=row), Column("missing", question)))
        return [self.index[column] for column in absent_columns if column in self.index]

    def digits(self, question: str, row: str) -> list[int]:
        """Column numbers of the binary digits of a row's number, the lowest first."""
        return [i for i, c in enumerate(self.columns) if c.question == question and c.row == row and c.kind == "digit"]

    def added(self, answers: Any) -> frozenset[tuple[str, str]]:
        """Options of multiple choices, as question and code, that could not be ticked in the version of these answers."""
        return frozenset() if type(answers) is self._reader.type else self._conversion(answers).added

    def _set(self, answers: Sequence[Any], x: NDArray[np.float32]) -> _Batch:
        batch = self._batch(answers, x)
        for encode in self._encoders:
            encode(batch)
        return batch

    def _batch(self, answers: Sequence[Any], x: NDArray[np.float32]) -> _Batch:
        if type(answers[0]) is self._reader.type:
            given = zip(self._reader.fields, zip(*map(msgspec.structs.astuple, answers), strict=True), strict=True)
            return _Batch(dict(given), False, x)
        return _Batch(self._conversion(answers[0])(answers), True, x)

    def _conversion(self, answers: Any) -> Conversion:
        kind: Any = type(answers)  # pyright: ignore[reportUnknownVariableType]
        if kind not in self._conversions:
            self._conversions[kind] = Conversion(reader_of(answers), self.instrument)
        return self._conversions[kind]

    def _add(self, column: Column) -> int:
        self.index[column] = len(self.columns)
        self.columns.append(column)
        return self.index[column]

    def _question(self, question: AnyQuestion) -> Encode:
        id, skipped = question.id, self._add(Column("skipped", question.id))
        shown = self._shown(question)
        if isinstance(question, Matrix):
            rows = self._matrix(question, skipped, shown)
            return lambda batch: rows(batch, batch.given[id])
        missing = self._add(Column("missing", id))
        put = self._put(question)

        def encode(batch: _Batch) -> None:
            gone = put(batch, batch.given[id])
            if id in batch.unasked:
                absent = np.where(batch.unasked[id], skipped, missing)
            else:
                absent = missing if shown is None else np.where(shown(batch), missing, skipped)
            batch.set(np.where(gone, absent, 0).astype(np.uint16))

        return encode

    def _options(self, question: Closed, row: str | None = None, rank: int | None = None) -> dict[Any, int]:
        kind = "option" if rank is None else "rank"
        return {option.code: self._add(Column(kind, question.id, option.code, row, rank)) for option in question.options}

    def _put(self, question: Single | Multiple | Ranking | ConstantSum | Integer | Numeric | Date | ShortText | LongText) -> Put:
        match question:
            case Single():
                return self._single(question)
            case Multiple():
                return self._multiple(question)
            case Ranking():
                return self._ranking(question)
            case ConstantSum():
                return self._sum(question)
            case Integer() | Numeric():
                self.numbers.append(question.id)
                self.scales.append(10**question.decimals if isinstance(question, Numeric) else 1)
                return self._bands(question, iter)
            case Date():
                return self._bands(question, lambda dates: (int(date[:4]) for date in dates))
            case ShortText() | LongText():  # of texts only the absence is counted
                return lambda batch, values: _are(values, UNSET)
            case _:
                assert_never(question)

    def _single(self, question: Single) -> Put:
        table = _table(self._options(question) | {UNSET: 0})

        def put(batch: _Batch, values: tuple[Any, ...]) -> Mask:
            columns = _look_up(table, values)
            batch.set(columns)
            return columns == 0

        return put

    def _multiple(self, question: Multiple) -> Put:
        table = _table(self._options(question))

        def put(batch: _Batch, values: tuple[Any, ...]) -> Mask:
            chosen = [() if value is UNSET else value for value in values]
            sizes = np.fromiter(map(len, chosen), np.intp, len(chosen))
            batch.set(_look_up(table, chain.from_iterable(chosen)), np.repeat(batch.everybody, sizes))
            return _are(values, UNSET)

        return put

    def _ranking(self, question: Ranking) -> Put:
        tables = [_table(self._options(question, rank=rank) | {UNASKED: 0}) for rank in range(1, question.rank_count + 1)]

        def put(batch: _Batch, values: tuple[Any, ...]) -> Mask:
            gone = _are(values, UNSET)
            for table, nth in zip(tables, zip(*(value for value in values if value is not UNSET), strict=True), strict=False):
                batch.set(_look_up(table, nth), batch.everybody[~gone])
            return gone

        return put

    def _sum(self, question: ConstantSum) -> Put:
        """Of each row's number the band, and the binary digits: from how many have each, the sum of the numbers follows exactly."""
        begins = np.array([band.lower for band in question.bands], np.float64)
        bands: list[Columns] = []
        digits: list[Columns] = []
        for row in question.rows:
            of_row = (self._add(Column("band", question.id, band.code, row.code)) for band in question.bands)
            bands.append(np.array([0, *of_row], np.uint16))
            worth = range(question.total.bit_length())
            digits.append(np.array([self._add(Column("digit", question.id, str(1 << place), row.code)) for place in worth], np.uint16))
        places = np.arange(question.total.bit_length())

        def put(batch: _Batch, values: tuple[Any, ...]) -> Mask:
            gone = _are(values, UNSET)
            given = (value for value in values if value is not UNSET)  # those of another version are tuples already
            shares: list[Any] = [value if type(value) is tuple else msgspec.structs.astuple(value) for value in given]
            numbers = np.array(shares, np.int64).reshape(-1, len(question.rows))
            answering = batch.everybody[~gone]
            for at, (of_bands, of_digits) in enumerate(zip(bands, digits, strict=True)):
                batch.set(of_bands[np.searchsorted(begins, numbers[:, at], side="right")], answering)
                ones = (numbers[:, at, None] >> places) & 1
                for place, column in enumerate(of_digits.tolist()):
                    batch.set(column, answering[ones[:, place] == 1])
            return gone

        return put

    def _bands(self, question: Measured, numbers_of: Callable[[list[Any]], Iterable[float]]) -> Put:
        """The last band that begins at or below the number: bands have no gaps, so one between two belongs to the lower.

        Special values have columns of their own, behind those of the bands.
        """
        begins = np.array([band.lower for band in question.bands], np.float64)
        columns = np.array([0, *(self._add(Column("band", question.id, band.code)) for band in question.bands)], np.uint16)
        special = {option.code: self._add(Column("option", question.id, option.code)) for option in question.special}
        table = _table(special | {UNSET: 0})

        def measured(batch: _Batch, values: tuple[Any, ...]) -> Mask:
            gone = _are(values, UNSET)
            given = [value for value in values if value is not UNSET]
            numbers = np.fromiter(numbers_of(given), np.float64, len(given))
            batch.set(columns[np.searchsorted(begins, numbers, side="right")], batch.everybody[~gone])
            return gone

        def put(batch: _Batch, values: tuple[Any, ...]) -> Mask:
            gone = _are(values, UNSET)
            stand_in = np.fromiter((value in special for value in values), np.bool_, len(values))
            if stand_in.any():
                batch.set(_look_up(table, compress(values, stand_in)), batch.everybody[stand_in])
                values = tuple(UNSET if aside else value for value, aside in zip(values, stand_in, strict=True))
            measured(batch, values)
            return gone

        return put if special else measured

    def _matrix(self, question: Matrix, skipped: int, shown: Callable[[_Batch], Mask] | None) -> Callable[[_Batch, tuple[Any, ...]], None]:
        id = question.id
        blank = msgspec.structs.astuple(self._reader.types[question.id]())
        begins: list[int] = []
        for row in question.rows:
            begins.append(self._add(Column("missing", question.id, row=row.code)))
            self._options(question, row.code)
        # All rows have the same columns in the same order, so one look-up serves them all.
        nowhere = len(question.options) + 1
        places = _table({UNSET: 0} | {option.code: place for place, option in enumerate(question.options, 1)} | {UNASKED: nowhere})
        first = np.array(begins, np.uint16)
        ruled = [(place, row.show_if, self._test(row.show_if)) for place, row in enumerate(question.rows) if row.show_if is not None]

        def put(batch: _Batch, values: tuple[Any, ...]) -> None:
            if id not in batch.unasked:  # those of another version are tuples already
                values = tuple(blank if value is UNSET else msgspec.structs.astuple(value) for value in values)
            offsets = _look_up(places, chain.from_iterable(blank if value is UNSET else value for value in values))
            columns = np.where(offsets == nowhere, 0, offsets + np.resize(first, len(offsets))).astype(np.uint16).reshape(-1, len(first))
            hidden = batch.unasked.get(id)
            if hidden is None and shown is not None:
                hidden = _are(batch.given[id], UNSET) & ~shown(batch)
            if hidden is not None:
                batch.set(np.where(hidden, skipped, 0).astype(np.uint16))
                columns[hidden] = 0
            for place, rule, test in ruled if id not in batch.unasked else ():  # of another version, the conversion has told
                columns[~batch.where(rule, test), place] = 0
            batch.set_several(columns)

        return put

    def _shown(self, question: AnyQuestion) -> Callable[[_Batch], Mask] | None:
        """Whom skip logic shows the question; None where it asks everybody."""
        rule = question.show_if
        if rule is None:
            return None
        test = self._test(rule)
        return lambda batch: batch.where(rule, test)

    def _test(self, rule: Rule) -> Test:
        if rule.all or rule.any:
            parts, together = [self._test(part) for part in rule.all or rule.any], np.logical_and if rule.all else np.logical_or
            return lambda batch: together.reduce([part(batch) for part in parts])
        if rule.not_ is not None:
            inner = self._test(rule.not_)
            return lambda batch: ~inner(batch)
        if rule.op == "derived":
            inner, yes, no = self._test(self._derived[rule.q or ""]), "1" in rule.value, "0" in rule.value
            return lambda batch: np.where(inner(batch), yes, no)
        if rule.op in COMPARING:
            return self._comparison(rule)
        asked = [(i, column) for i, column in enumerate(self.columns) if column.question == rule.q and column.kind != "stratum"]
        if rule.op == "answered" and any(column.row and column.kind == "missing" for _, column in asked):
            given = [i for i, column in asked if column.kind == "option"]
            return lambda batch: _any(batch.x, given)
        if rule.op == "answered":
            gone = [i for i, column in asked if column.kind in ("skipped", "missing")]
            return lambda batch: ~_any(batch.x, gone)
        answers = [(i, column) for i, column in asked if column.kind in ("option", "rank") and column.code in rule.value]
        columns = [i for i, column in answers if not rule.rows or column.row in rule.rows]
        return (lambda batch: ~_any(batch.x, columns)) if rule.op == "not_in" else (lambda batch: _any(batch.x, columns))

    def _comparison(self, rule: Rule) -> Test:
        """Numbers and dates have no columns of their own, so the answers themselves are looked at, one by one."""
        id, measure = rule.q or "", measure_of(self.instrument.question(rule.q or ""))
        if rule.op in WITH_VALUES:
            holds = within(rule)
            return lambda batch: np.fromiter(map(holds, map(measure, batch.given[id])), np.bool_, len(batch.x))
        other, holds_of_both = rule.other or "", agree(rule.op)
        measure_other = measure_of(self.instrument.question(other))

        def test(batch: _Batch) -> Mask:
            both = map(measure, batch.given[id]), map(measure_other, batch.given[other])
            return np.fromiter(map(holds_of_both, *both), np.bool_, len(batch.x))

        return test

    def _stratum(self, name: str) -> Encode:
        """A derived yes/no variable, the bands of a computed value, or a variable generalised to a level of its hierarchy
        ("country.region_group")."""
        if (rule := self._derived.get(name)) is not None:
            no, yes = (self._add(Column("stratum", name, code)) for code in ("0", "1"))
            test = self._test(rule)
            return lambda batch: batch.set(np.where(batch.where(rule, test), yes, no).astype(np.uint16))
        id, groups = strata(self.instrument, name)
        values = {group: self._add(Column("stratum", name, group)) for group in dict.fromkeys(groups.values())}
        question = self.instrument.question(id)
        if isinstance(question, Computed):
            return self._bands_again(question, list(values.values()))
        assert isinstance(question, Single)
        codes = [option.code for option in question.options]
        table = _table({code: values[groups[code]] if code in groups else 0 for code in codes} | {UNSET: 0})
        return lambda batch: batch.set(_look_up(table, batch.given[id]))

    def _bands_again(self, question: Computed, groups: list[int]) -> Encode:
        """Sets the column of the group where the one of the band is set, which comes before."""
        bands, columns = self.of(question.id), np.array([*groups, 0], np.uint16)

        def encode(batch: _Batch) -> None:
            inside = batch.x[:, bands] > 0
            batch.set(columns[np.where(inside.any(axis=1), inside.argmax(axis=1), -1)])

        return encode

    def _quota(self, quota: Quota) -> Encode:
        column, test = self._add(Column("quota", code=quotas.column(quota))), self._test(quota.when)
        return lambda batch: batch.set(np.where(batch.where(quota.when, test), column, 0).astype(np.uint16))

    def margin(self, margin: Margin) -> list[int]:
        """The columns of a margin's groups, in its order."""
        question = next((q for q in self.instrument.questions if q.id == margin.of), None)
        kind = "stratum" if question is None else "option" if isinstance(question, Single) else "band"
        return [self.index[Column(kind, margin.of, portion.code)] for portion in margin.portions]

    def _combined(self) -> Encode:
        """A column for each combination of the margins' groups. Weights by several margins differ between combinations
        only, so with these columns every weighted figure is in the Burt matrix; two-way counts alone do not hold it."""
        sides = [self.margin(margin) for margin in self.instrument.margins]
        first = len(self)
        for codes in product(*([portion.code for portion in margin.portions] for margin in self.instrument.margins)):
            self._add(Column("combined", code="&".join(codes)))

        def encode(batch: _Batch) -> None:
            inside, place = np.ones(len(batch.x), np.bool_), np.zeros(len(batch.x), np.intp)
            for side in sides:
                of = batch.x[:, side]
                inside &= of.any(axis=1)
                place = place * len(side) + of.argmax(axis=1)
            batch.set(np.where(inside, first + place, 0).astype(np.uint16))

        return encode

    def _weight(self, question: CaseWeight) -> Encode:
        """Columns of steps from class to class, of which public weighted sums are made (`services.analysis.statistics.weighting.steps`)."""
        of_class = self.of(question.id)
        columns = [self._add(Column("weight", question.id, option.code)) for option in question.options]

        def encode(batch: _Batch) -> None:
            batch.x[:, columns] = np.logical_or.accumulate(batch.x[:, of_class[::-1]] > 0, axis=1)[:, ::-1]

        return encode


def _table(columns: Mapping[Any, int]) -> Table:
    return {answer: column.to_bytes(2, sys.byteorder) for answer, column in columns.items()}


def _look_up(table: Table, answers: Iterable[Any]) -> Columns:
    """One call finds them all, in two thirds of the time of one for each; it wants two at least, hence the padding."""
    padding = next(iter(table))
    return np.frombuffer(b"".join(itemgetter(padding, padding, *answers)(table)), np.uint16)[2:]


def _any(x: NDArray[np.float32], columns: list[int]) -> Mask:
    return x[:, columns].sum(axis=1) > 0


def _are(values: Values, what: Any) -> Mask:
    return np.fromiter(map(is_, values, repeat(what)), np.bool_, len(values))


def same_columns(digest: str, other: str) -> bool:
    """Whether two code books, by their digests, have the same columns; what sets them may differ. Digests of earlier releases of
    Platea name columns alone."""
    return digest.partition(".")[0] == other.partition(".")[0]


def groups_of(instrument: Instrument, name: str) -> list[str]:
    """The codes of a stratum, or of the closed answers or bands of a question; none where there is no such thing."""
    if any(derived.id == name for derived in instrument.derived):
        return ["0", "1"]
    for question in instrument.questions:
        if question.id == name:
            match question:
                case Single():
                    return [option.code for option in question.options]
                case Integer() | Numeric() | Date():
                    return [band.code for band in question.bands]
                case Multiple() | Matrix() | Ranking() | ConstantSum() | ShortText() | LongText():
                    return []
                case _:
                    assert_never(question)
    return list(dict.fromkeys(strata(instrument, name)[1].values())) if name in instrument.strata else []


def strata(instrument: Instrument, name: str) -> tuple[str, dict[str, str]]:
    """The question's id and the group of each of its codes: for "variable.level" of its options, for the variable of a computed value of
    its bands. Raises KeyError on an unknown name."""
    variable, _, level = name.partition(".")
    for question in instrument.questions:
        if question.var == name and isinstance(question, Computed) and question.bands:
            return question.id, {band.code: band.code for band in question.bands}
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
