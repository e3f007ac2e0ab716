"""The code book: every closed answer of an instrument as a column, a response as the list of columns it sets.

The live state of a survey is the Burt matrix over these columns (Greenacre, Correspondence Analysis in Practice).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from proto.answers import Reader
from proto.instrument import AnyQuestion, Date, Hierarchy, Instrument, Integer, Matrix, Multiple, Numeric, Ranking, Single
from proto.logic import row_attribute

Kind = Literal["all", "option", "rank", "band", "skipped", "missing", "stratum"]


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """`question` is a question id, or a stratum's name for kind "stratum". `row`: of a matrix; `rank`: from 1, of a ranking."""

    kind: Kind
    question: str = ""
    code: str = ""
    row: str | None = None
    rank: int | None = None


Encode = Callable[[Any, list[int]], None]


class CodeBook:
    """Columns of one instrument, and how answers set them. Column 0 is "all" and set by every response.

    A question that skip logic hides, or that an older version did not have, sets "skipped"; one that was shown and left
    out sets "missing". In a matrix, "missing" is per row (`row` set) and "skipped" per question.
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
        self._encoders: list[Encode] = [self._question(question, reader) for question in reader.instrument.questions]
        self._encoders += [self._stratum(name, reader) for name in reader.instrument.strata]
        names = msgspec.json.encode([self.columns, self.numbers, self.scales])
        self.digest: str = hashlib.sha256(names).hexdigest()[:16]
        """Two code books with the same digest count in the same columns."""
        self._numbers = [(id, scale) for id, scale in zip(self.numbers, self.scales, strict=True)]

    def __len__(self) -> int:
        return len(self.columns)

    def encode(self, answers: Any) -> list[int]:
        """The columns that this response sets, each once. `answers`: the Struct of any version of this survey."""
        columns = [0]
        for encoder in self._encoders:
            encoder(answers, columns)
        return columns

    def values(self, answers: Any) -> list[int | None]:
        """The numbers as integers scaled by `scales`; None where there is none."""
        found: list[int | None] = []
        for id, scale in self._numbers:
            value = getattr(answers, id, UNSET)
            found.append(None if value is UNSET else round(value * scale))
        return found

    def of(self, question: str, row: str | None = None) -> list[int]:
        """Column numbers of the answers to a question (of one row, for a matrix) or of a stratum's values, in order."""
        answers = ("option", "rank", "band", "stratum")
        return [i for i, c in enumerate(self.columns) if c.question == question and c.row == row and c.kind in answers]

    def absent(self, question: str, row: str | None = None) -> list[int]:
        """The columns of those who did not answer: skipped and missing. Answered = all minus these."""
        found = (Column("skipped", question), Column("missing", question, row=row))
        return [self.index[column] for column in found if column in self.index]

    def _add(self, column: Column) -> int:
        self.index[column] = len(self.columns)
        self.columns.append(column)
        return self.index[column]

    def _question(self, question: AnyQuestion, reader: Reader) -> Encode:
        id, shown = question.id, reader.shown.get(question.id)
        skipped = self._add(Column("skipped", id))
        if isinstance(question, Matrix):
            return self._matrix(question, skipped, shown)
        missing = self._add(Column("missing", id))
        put = self._put(question)

        def encode(answers: Any, columns: list[int]) -> None:
            value = getattr(answers, id, None)
            if value is UNSET:
                columns.append(missing if shown is None or shown(answers) else skipped)
            elif value is None:  # asked in a later version
                columns.append(skipped)
            elif put is not None:
                put(value, columns)

        return encode

    def _put(self, question: AnyQuestion) -> Encode | None:
        """How a given answer sets columns; None for texts, of which only the absence is counted."""
        id = question.id
        match question:
            case Single():
                one = {option.code: self._add(Column("option", id, option.code)) for option in question.options}
                return lambda value, columns: columns.append(one[value])
            case Multiple():
                many = {option.code: self._add(Column("option", id, option.code)) for option in question.options}
                return lambda value, columns: columns.extend([many[code] for code in value])
            case Ranking():
                ranks = [
                    {option.code: self._add(Column("rank", id, option.code, rank=rank)) for option in question.options}
                    for rank in range(1, question.rank_count + 1)
                ]
                return lambda value, columns: columns.extend([rank[code] for rank, code in zip(ranks, value, strict=False)])
            case Integer() | Numeric():
                self.numbers.append(id)
                self.scales.append(10**question.decimals if isinstance(question, Numeric) else 1)
                bands = [(band.lower, self._add(Column("band", id, band.code))) for band in question.bands]
                return lambda value, columns: columns.extend(_band(bands, value))
            case Date():
                years = [(band.lower, self._add(Column("band", id, band.code))) for band in question.bands]
                return lambda value, columns: columns.extend(_band(years, int(value[:4])))
            case _:
                return None

    def _matrix(self, question: Matrix, skipped: int, shown: Callable[[Any], bool] | None) -> Encode:
        id = question.id
        rows: list[tuple[str, int, dict[str, int]]] = []
        for i, row in enumerate(question.rows):
            missing = self._add(Column("missing", id, row=row.code))
            codes = {option.code: self._add(Column("option", id, option.code, row=row.code)) for option in question.options}
            rows.append((row_attribute(i), missing, codes))
        all_missing = [missing for _, missing, _ in rows]

        def encode(answers: Any, columns: list[int]) -> None:
            value = getattr(answers, id, None)
            if value is UNSET and (shown is None or shown(answers)):
                columns.extend(all_missing)
            elif value is UNSET or value is None:
                columns.append(skipped)
            else:
                for attribute, missing, codes in rows:
                    code = getattr(value, attribute, UNSET)
                    columns.append(missing if code is UNSET else codes[code])

        return encode

    def _stratum(self, name: str, reader: Reader) -> Encode:
        """A derived yes/no variable, or a variable generalised to a level of its hierarchy ("country.region_group")."""
        if name in reader.derived:
            no, yes = (self._add(Column("stratum", name, code)) for code in ("0", "1"))
            holds = reader.derived[name]
            return lambda answers, columns: columns.append(yes if holds(answers) else no)
        id, groups = strata(self.instrument, name)
        values = {group: self._add(Column("stratum", name, group)) for group in dict.fromkeys(groups.values())}
        column_of = {code: values[group] for code, group in groups.items()}

        def encode(answers: Any, columns: list[int]) -> None:
            if (column := column_of.get(getattr(answers, id, None) or "")) is not None:
                columns.append(column)

        return encode


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


def _band(bands: list[tuple[float, int]], value: float) -> Iterable[int]:
    """The last band that begins at or below the value: bands have no gaps, so a value between two belongs to the lower."""
    found: tuple[int, ...] = ()
    for lower, column in bands:
        if value < lower:
            break
        found = (column,)
    return found
