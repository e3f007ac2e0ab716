"""From the cells of a row to answers, with what was understood of each column. Cells that are unclear are refused, never guessed. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, assert_never, cast

from deploy.cli import cells as reading
from deploy.cli.import_map import ImportMap
from deploy.cli.mapping import ColumnMapping, NumberMarks, own_labels, parts, split_labels, tidied
from proto import case_weights
from proto.instrument import (
    AnyQuestion,
    CaseWeight,
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    ShortText,
    Single,
    special_codes,
)

_BETWEEN_CODES = re.compile(r"[;,|\s]+")
"""Codes hold none of these, so codes in one cell can be told apart."""


class Unclear(ValueError):
    """A cell that cannot be read in one way; the message says why."""


@dataclass
class ColumnTally:
    """What was met in a column: `read` by value, `missing` by token, `suspect`: tokens that nobody declared, `refused` by line."""

    read: Counter[str] = field(default_factory=Counter[str])
    missing: Counter[str] = field(default_factory=Counter[str])
    suspect: Counter[str] = field(default_factory=Counter[str])
    numbers: list[float] = field(default_factory=list[float])
    empty: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


class Answering:
    """Reads rows by columns; `tallies` grows with every row. `rows`: all of them, which tell how the numbers of a column are written."""

    def __init__(
        self,
        columns: Mapping[str, ColumnMapping],
        instrument: Instrument,
        rows: Iterable[Mapping[str, str]] = (),
        map_: ImportMap | None = None,
    ) -> None:
        self.columns = dict(columns)
        self.known = {question.id: question for question in instrument.questions if not isinstance(question, Computed)}
        self.tallies = {name: ColumnTally() for name in columns}
        self._seen: Counter[str] = Counter()
        self.none_ticked: Counter[str] = Counter()
        self._map = map_
        self._options = {id: parts(question, rows=False) for id, question in self.known.items()}
        self._missing = {name: {*(map_.missing if map_ else ()), *column.missing} for name, column in columns.items()}
        self._apart = {name: {**(map_.apart if map_ else {}), **column.apart} for name, column in columns.items()}
        self._codes = {name: tidied(column.codes) for name, column in columns.items()}
        numeric = [name for name, column in columns.items() if isinstance(self.known.get(column.target), Integer | Numeric | CaseWeight)]
        cells: dict[str, list[str]] = {name: [] for name in numeric}
        for row in rows if numeric else ():
            for name in numeric:
                if cell := row.get(name, ""):
                    cells[name].append(cell)
        self._decimals = {name: reading.decimal_marks(column) for name, column in cells.items()}
        self._outlying = {name: reading.outlying(column) for name, column in cells.items()}

    def answers(self, cells: Mapping[str, str], line: int = 0) -> tuple[dict[str, Any], list[str]]:
        """Returns the answers in one row and the reasons for unreadable cells. Intake validates the answers."""
        values: dict[str, Any] = {}
        reasons: list[str] = []
        for name, column in self.columns.items():
            try:
                self._take(values, name, column, cells.get(name, ""))
            except Unclear as unclear:
                self.tallies[name].refused.append((line, str(unclear)))
                reasons.append(f"{name}: {unclear}")
        for id, value in list(values.items()):
            if isinstance(self.known[id], Ranking) and isinstance(value, dict):
                ranked = cast("dict[int, str]", value)
                values[id] = [ranked[place] for place in sorted(ranked)]
                if sorted(ranked) != list(range(1, len(ranked) + 1)):
                    reasons.append(self._of(id, line, f"the places {_series(ranked)} are not 1 to {len(ranked)}, each once"))
            if isinstance(self.known[id], Ranking) and len(set(values[id])) < len(values[id]):
                reasons.append(self._of(id, line, "an option stands in two places"))
        for name, column in self.columns.items():
            if column.specify is not None and column.target in values and column.specify not in _chosen(values.get(column.question)):
                self.tallies[name].refused.append((line, f"a text without the option {column.specify}"))
                reasons.append(f"{name}: a text stands here, but the option {column.specify!r} was not chosen")
        self.none_ticked.update(id for id, value in values.items() if value == [] and not _none_applies(self.known[id]))
        return {id: value for id, value in values.items() if value != [] or _none_applies(self.known[id])}, reasons

    def seen(self, name: str) -> int:
        """Cells of the column that were read as answers."""
        return self._seen[name]

    def _of(self, id: str, line: int, why: str) -> str:
        name = next(name for name, column in self.columns.items() if column.question == id)
        self.tallies[name].refused.append((line, why))
        return f"{name}: {why}"

    def _take(self, values: dict[str, Any], name: str, column: ColumnMapping, cell: str) -> None:
        """Adds what a cell answers to `values`. Raises Unclear."""
        tally = self.tallies[name]
        question = self.known[column.target]
        if cell in self._missing[name] and cell:
            tally.missing[cell] += 1
            return
        if not cell and "" not in column.ticked + column.unticked:
            tally.empty += 1
            return
        if cell in self._apart[name]:
            self._put_apart(values, name, column, self._apart[name][cell])
            return
        if reading.is_token(cell) and not self._is_meant(cell, question, column):
            tally.suspect[cell] += 1
            if not isinstance(question, ShortText | LongText):
                raise Unclear(f"{cell!r} is no answer by its looks: declare it under `missing`, or give it a code")
        if cell in self._outlying.get(name, ()) and not self._is_meant(cell, question, column):
            tally.suspect[cell] += 1
        for value in self._put(values, question, name, column, cell):
            tally.read[value] += 1
        self._seen[name] += 1

    def _is_meant(self, cell: str, question: AnyQuestion, column: ColumnMapping) -> bool:
        """Whether the map or the questionnaire has this word: "na" is a code of many an option."""
        codes = {*column.codes, *column.ticked, *column.unticked} or self._options[question.id]
        return cell in codes or (isinstance(question, Integer | Numeric | Date) and cell in special_codes(question))

    def _put_apart(self, values: dict[str, Any], name: str, column: ColumnMapping, code: str) -> None:
        question = self.known[column.target]
        if isinstance(question, Matrix):
            values.setdefault(column.target, {})[column.row] = code
        elif isinstance(question, Multiple) and column.option is None:
            values.setdefault(column.target, []).append(code)
        elif isinstance(question, Single | Integer | Numeric | Date):
            values[column.target] = code
        else:
            raise Unclear(f"{code!r} cannot be an answer here")
        self.tallies[name].read[code] += 1

    def _put(self, values: dict[str, Any], question: AnyQuestion, name: str, column: ColumnMapping, cell: str) -> list[str]:
        """Adds the value of a cell to `values`. Returns what was read, for the tally. Raises Unclear."""
        id = column.target
        match question:
            case Matrix():
                code = self._code(question, name, column, cell)
                values.setdefault(id, {})[column.row] = code
                return [code]
            case Multiple() if column.option is not None:
                ticked = self._ticked(question, name, column, cell)
                values.setdefault(id, []).extend([column.option] if ticked else [])
                return [column.option] if ticked else []
            case Ranking() if column.option is not None:
                place = reading.whole(self._codes[name].get(reading.tidy(cell), cell))
                if not (place.isascii() and place.isdecimal() and int(place) > 0):
                    raise Unclear("give the place, such as 1")
                ranked = values.setdefault(id, {})
                if int(place) in ranked:
                    raise Unclear(f"two options stand in place {place}")
                ranked[int(place)] = column.option
                return [place]
            case Ranking() if column.place is not None:
                code = self._code(question, name, column, cell)
                values.setdefault(id, {})[column.place] = code
                return [code]
            case Multiple() | Ranking():
                codes = self._several(values, question, name, column, cell)
                before = values.setdefault(id, [])
                before.extend(code for code in codes if code not in before or isinstance(question, Ranking))
                return codes
            case ConstantSum():
                share = self._number(question, name, column, cell)
                values.setdefault(id, {})[column.row] = share
                self.tallies[name].numbers.append(float(share))
                return []
            case Integer() | Numeric() | Date() if (code := self._codes[name].get(reading.tidy(cell), cell)) in special_codes(question):
                values[id] = code
                return [code]
            case Integer() | Numeric():
                number = self._number(question, name, column, cell)
                values[id] = number
                self.tallies[name].numbers.append(float(number))
                return []
            case Date():
                values[id] = self._day(question, column, cell)
                return [values[id]]
            case CaseWeight():
                number = self._number(question, name, column, cell)
                code = case_weights.code_of(question, number)
                if code is None:
                    raise Unclear(f"{number:g} is no weight from {question.least:g} to {question.greatest:g}, as the questionnaire says")
                values[id] = code
                self.tallies[name].numbers.append(float(number))
                return []
            case Single():
                code = self._code(question, name, column, cell, values)
                values[id] = code
                return [code]
            case ShortText() | LongText():
                values[id] = self._codes[name].get(reading.tidy(cell), cell)
                return []
            case _:
                assert_never(question)

    def _code(
        self, question: Matrix | Single | Ranking, name: str, column: ColumnMapping, cell: str, values: dict[str, Any] | None = None
    ) -> str:
        known = self._options[question.id]
        plain = reading.tidy(cell)
        if column.codes:
            code = column.codes.get(cell) or self._codes[name].get(plain) or self._codes[name].get(reading.whole(plain))
        else:
            code = next((code for code in (plain, reading.whole(plain)) if code in known), None)
        if code is not None:
            return code
        if column.other is not None and values is not None:
            values[f"{column.question}_{column.other}"] = cell
            return column.other
        raise Unclear(self._without_code(question, column, cell))

    def _without_code(self, question: Any, column: ColumnMapping, cell: str) -> str:
        labels = dict(column.codes) or {option.code: option.code for option in question.options}
        folded = {label.lower(): label for label in labels}
        close = get_close_matches(cell.lower()[:200], list(folded), n=1, cutoff=0.5)
        advice = f"; nearest: {folded[close[0]]!r} ({labels[folded[close[0]]]})" if close else ""
        what = "has no code in the map" if column.codes else f"is no option of {column.question}"
        return f"{_short(cell)} {what}{advice}"

    def _ticked(self, question: Multiple, name: str, column: ColumnMapping, cell: str) -> bool:
        assert column.option is not None
        if column.ticked or column.unticked:
            if {cell, reading.tidy(cell)} & {*column.ticked}:
                return True
            if {cell, reading.tidy(cell)} & {*column.unticked}:
                return False
            raise Unclear(f"{_short(cell)} is neither under ticked nor under unticked")
        plain = reading.tidy(cell)
        word = reading.whole(self._codes[name].get(plain, plain)).lower()
        if word in reading.YES or (not column.codes and plain in own_labels(question, column.option)):
            return True
        if word in reading.NO:
            return False
        raise Unclear("give 1 or 0")

    def _several(self, values: dict[str, Any], question: Multiple | Ranking, name: str, column: ColumnMapping, cell: str) -> list[str]:
        known = self._options[question.id]
        if not column.codes:
            split = re.escape(column.split.strip()) if column.split and column.split.strip() else None
            found = [code.strip() for code in (re.split(split, cell) if split else _BETWEEN_CODES.split(cell)) if code.strip()]
            rest = [code for code in found if code not in known]
        elif column.split is None:
            code = column.codes.get(cell) or self._codes[name].get(reading.tidy(cell))
            found, rest = ([], [cell]) if code is None else ([code], [])
        else:
            found, rest = split_labels(reading.tidy(cell), self._codes[name], column.split)
        if rest and column.other is not None and len(rest) == 1:
            values[f"{column.question}_{column.other}"] = rest[0]
            return [*(code for code in found if code in known), column.other]
        if rest:
            raise Unclear(self._without_code(question, column, rest[0]))
        return found if isinstance(question, Ranking) else list(dict.fromkeys(found))

    def _number(self, question: CaseWeight | ConstantSum | Integer | Numeric, name: str, column: ColumnMapping, cell: str) -> int | float:
        marks = column.numbers or (self._map.numbers if self._map else None)
        decimals = self._decimals.get(name, (".", ","))
        found = _declared(cell, marks) if marks else reading.readings(cell, decimals)
        if marks is None and not isinstance(question, Numeric | CaseWeight) and re.search(rf"[{''.join(decimals)}][0-9]{{3}}$", cell):
            found = reading.readings(cell)  # three decimals of a whole number: more likely thousands
        if not found:
            raise Unclear(f"{_short(cell)} is not a number")
        if len(found) > 1:
            either = " or ".join(f"{number.normalize():f}" for number in sorted(found, reverse=True))
            raise Unclear(f"{_short(cell)} can mean {either}: say `numbers` in the map")
        (number,) = found
        if number == number.to_integral_value():
            return int(number)
        if not isinstance(question, Numeric | CaseWeight):
            raise Unclear(f"{_short(cell)} is not a whole number")
        return float(number)

    def _day(self, question: Date, column: ColumnMapping, cell: str) -> str:
        if question.precision == "year" and re.fullmatch("[0-9]{4}", cell):
            return cell
        order = column.dates or (self._map.dates if self._map else None)
        found = reading.day(cell, order.order if order else None)
        if found is None:
            other_way = any(reading.day(cell, order) for order in ("dmy", "mdy", "ymd"))
            raise Unclear(f"{_short(cell)} is {'a day whose order is not known: say `dates` in the map' if other_way else 'not a day'}")
        return found[: question.length]


def _declared(cell: str, marks: NumberMarks) -> frozenset[Decimal]:
    groups = set(re.findall(r"[^0-9+\u2212-]", cell)) - {marks.decimal}
    spaces = {" ", "\u00a0", "\u2009", "\u202f"} if marks.thousands == " " else {"'", "\u2019"} if marks.thousands == "'" else set[str]()
    return reading.readings(cell, marks.decimal) if groups <= {marks.thousands, *spaces} else frozenset()


def _chosen(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _none_applies(question: AnyQuestion) -> bool:
    """Whether a row with "no" for every option is an answer to this question."""
    return isinstance(question, Multiple) and (question.min_choices == 0 or question.required)


def _series(places: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(places)))


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 80 else cell[:79] + "…")
