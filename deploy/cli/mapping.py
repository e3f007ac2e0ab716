"""The columns of a data file and the questions they answer, checked against each other. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from deploy.cli.cells import Order, tidy
from deploy.cli.datafile.sheet import OURS
from proto.instrument import AnyQuestion, CaseWeight, Instrument, LongText, Matrix, Multiple, Ranking, ShortText, Single, WithRows

Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Separator = Annotated[str, msgspec.Meta(max_length=20)]


class NumberMarks(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How numbers are written. Without them, a number that can be read in two ways is refused."""

    decimal: Literal[".", ","]
    thousands: Literal["", ".", ",", " ", "'"] = ""


class DateOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order: Order


class ColumnMapping(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one column answers. `codes` turns labels into codes; without it cells hold codes already.

    `row`: of a matrix. `option`: whether this option of a multiple choice was chosen (`ticked`, `unticked`: the cells that say so), or its
    place in a ranking. `place`: the cell names the option that stands there in a ranking. `split`: stands between several labels in a
    cell. `other`: the option that stands for any other text, which is the answer to its own question. `specify`: the cell is the text of
    this option. `missing`, `apart`, `numbers`, `dates`: as in the whole map, for this column.
    """

    question: str
    row: str | None = None
    option: str | None = None
    place: Annotated[int, msgspec.Meta(ge=1, le=500)] | None = None
    specify: str | None = None
    codes: dict[str, Text] = {}
    split: Separator | None = None
    other: str | None = None
    ticked: tuple[Text, ...] = ()
    unticked: tuple[Text, ...] = ()
    missing: tuple[Text, ...] = ()
    apart: dict[str, Text] = {}
    numbers: NumberMarks | None = None
    dates: DateOrder | None = None

    @property
    def target(self) -> str:
        """The question that the cells answer: a text that belongs to an option is a question of its own."""
        return self.question if self.specify is None else f"{self.question}_{self.specify}"

    @property
    def slot(self) -> tuple[str, str]:
        """What of the question: a row, an option, a place, or all of it. It is the same whatever the column is called."""
        part = self.row or self.option or (str(self.place) if self.place else "")
        return self.target, part


class UnfitHeader(ValueError):
    """The columns do not fit the survey; the message says which and why."""


def from_header(columns: list[str], instrument: Instrument) -> dict[str, ColumnMapping]:
    """Columns named as the survey names its questions: `A01`, `B08.cost`, `B02.cctv`. Raises UnfitHeader."""
    known = {question.id: question for question in instrument.asked}
    mappings: dict[str, ColumnMapping] = {}
    for name in columns:
        id, dot, part = name.partition(".")
        question = known.get(id)
        if name in OURS or name == "language":
            continue
        if question is None:
            raise UnfitHeader(f"{name!r} is no question of {instrument.id}")
        if dot and part not in parts(question):
            raise UnfitHeader(f"{id} has no {'row' if isinstance(question, WithRows) else 'option'} {part!r}")
        column = ColumnMapping(id, part or None) if isinstance(question, WithRows) else ColumnMapping(id, option=part or None)
        if fault := _misfit(column, question, known):
            raise UnfitHeader(f"the header names {name!r}, but {fault}")
        mappings[name] = column
    _once(mappings, known)
    return mappings


def agreeing(map_: Mapping[str, ColumnMapping], columns: list[str], instrument: Instrument) -> dict[str, ColumnMapping]:
    """The map, checked against the survey and the file's header. Raises UnfitHeader."""
    known = {question.id: question for question in instrument.asked}
    for name, column in map_.items():
        question = known.get(column.question)
        if question is None:
            raise UnfitHeader(f"the map sends {name!r} to {column.question!r}, which is no question of {instrument.id}")
        if name not in columns:
            raise UnfitHeader(f"the map names the column {name!r}, which the file does not have")
        part = column.row or column.option
        if part is not None and part not in parts(question):
            raise UnfitHeader(f"the map sends {name!r} to {column.question}.{part}, which does not exist")
        if fault := _misfit(column, question, known):
            raise UnfitHeader(f"the map sends {name!r} to {column.question}, but {fault}")
    _once(map_, known)
    return dict(map_)


def weighing(column: str, columns: list[str], sent: Iterable[str], instrument: Instrument) -> CaseWeight:
    """The weight that a column holds. `sent`: the columns that answer questions. Raises UnfitHeader."""
    if (weight := instrument.case_weight) is None:
        raise UnfitHeader(f"the map names a column of weights, and {instrument.id} takes none: say case_weight in the questionnaire")
    if column not in columns:
        raise UnfitHeader(f"the map names the column {column!r} under weight, which the file does not have")
    if column in sent:
        raise UnfitHeader(f"the map sends {column!r} to a question and names it under weight")
    return weight


def _misfit(column: ColumnMapping, question: AnyQuestion, known: Mapping[str, AnyQuestion]) -> str:
    """Why a column cannot answer the question as its entry says, or nothing."""
    if sum(part is not None for part in (column.row, column.option, column.place, column.specify)) > 1:
        return "only one of row, option, place and specify can be said"
    if isinstance(question, WithRows) and column.row is None:
        return f"that has rows: name one of its rows, such as {question.rows[0].code}"
    if column.row is not None and not isinstance(question, WithRows):
        return "that has no rows"
    if column.place is not None and not isinstance(question, Ranking):
        return "that is no ranking and has no places"
    if column.option is not None and not isinstance(question, Multiple | Ranking):
        return "an option has a column of its own only in a multiple choice or a ranking"
    if column.split == "":
        return "split is empty: say what stands between the labels"
    if column.split is not None and (not isinstance(question, Multiple | Ranking) or column.option is not None):
        return "its cells hold one answer each and cannot be split"
    for code in filter(None, (column.specify, column.other)):
        text = known.get(f"{column.question}_{code}")
        if code not in parts(question) or not isinstance(text, ShortText | LongText):
            return f"{code!r} is no option of it that asks for a text"
    codes = parts(question, rows=False)
    if codes and column.option is None and column.specify is None:
        for label, code in column.codes.items():
            if code not in codes:
                return f"{code!r}, the code of {label!r}, is no option of it"
    if column.split is not None and column.codes:
        for label in column.codes:
            others = {other: code for other, code in column.codes.items() if other != label}
            if _in_parts(label, others, column.split):
                return f"the label {label!r} can also be read as several others"
    return ""


def _once(columns: Mapping[str, ColumnMapping], known: Mapping[str, AnyQuestion]) -> None:
    """Raises UnfitHeader where two columns answer the same: one would be lost."""
    first: dict[tuple[str, str], str] = {}
    for name, column in columns.items():
        gathered = isinstance(known[column.question], Multiple | Ranking) and column.slot[1] == "" and column.specify is None
        if column.slot in first and not gathered:
            raise UnfitHeader(f"the columns {first[column.slot]!r} and {name!r} answer the same, {'.'.join(filter(None, column.slot))}")
        first.setdefault(column.slot, name)
    whole = {column.question: name for name, column in columns.items() if column.slot == (column.question, "")}
    for name, column in columns.items():
        if column.specify is None and column.slot[1] and column.question in whole:
            raise UnfitHeader(f"the columns {whole[column.question]!r} and {name!r} both answer {column.question}, whole and in parts")


def parts(question: AnyQuestion, *, rows: bool = True) -> set[str]:
    """Codes of the rows of a matrix, or of the options of a question; none where it has neither."""
    if rows and isinstance(question, WithRows):
        return {row.code for row in question.rows}
    return {option.code for option in question.options} if isinstance(question, Multiple | Ranking | Single | Matrix) else set()


def _in_parts(cell: str, codes: Mapping[str, str], split: str) -> bool:
    found, rest = split_labels(cell, codes, split)
    return not rest and len(found) > 1


def split_labels(cell: str, codes: Mapping[str, str], split: str) -> tuple[list[str], list[str]]:
    """The codes of the labels in a cell, longest label first, so that labels may hold what stands between them; and what is left over."""
    between = re.compile(rf"\s*{re.escape(split.strip())}\s*" if split.strip() else r"\s+")
    labels = sorted(codes, key=lambda label: (-len(label), label))
    found: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(cell):
        label = next((label for label in labels if cell.startswith(label, at) and _ends(cell, at + len(label), between)), None)
        if label is not None:
            found.append(codes[label])
            at += len(label)
        else:
            gap = between.search(cell, at + 1)
            end = gap.start() if gap else len(cell)
            rest.append(cell[at:end].strip())
            at = end
        gap = between.match(cell, at)
        at = gap.end() if gap else at
    return found, [text for text in rest if text]


def _ends(cell: str, at: int, between: re.Pattern[str]) -> bool:
    return at == len(cell) or between.match(cell, at) is not None


def tidied(codes: Mapping[str, str]) -> dict[str, str]:
    """The codes by labels without what nobody sees; labels that differ in nothing else and mean different codes are left out."""
    found: dict[str, str] = {}
    unclear: set[str] = set()
    for label, code in codes.items():
        plain = tidy(label)
        if found.setdefault(plain, code) != code:
            unclear.add(plain)
    return {label: code for label, code in found.items() if label not in unclear}


def own_labels(question: Any, code: str) -> Iterable[str]:
    """How a cell may name this option: by its code, or by its label in any language."""
    for option in question.options:
        if option.code == code:
            yield code
            yield from (tidy(text) for text in option.text.values())
