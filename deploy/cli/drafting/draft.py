"""A first draft of an instrument, with its import map, from data that were collected elsewhere. Pure.

It guesses types and roles from what stands in the columns; each guess is marked `# review:`, and publishing waits until the author took
the marks away. Unedited it is already a sound instrument: every row of the data fits it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Literal

import msgspec

from deploy.cli.cells import NO, decimal_marks, is_token, readings, tidy, whole
from deploy.cli.datafile.sheet import DataSheet
from deploy.cli.drafting import people
from deploy.cli.drafting.bands import Bands, bands
from deploy.cli.drafting.choices import MatrixColumns, OptionColumns, families, grids, split_by
from deploy.cli.drafting.first_row import looks_like_data
from deploy.cli.drafting.numbers import numbers, signs_of_no_answer, times
from deploy.cli.drafting.people import Role
from deploy.cli.drafting.text import import_map_text, instrument_text
from deploy.cli.drafting.words import COMMENTS, NONE
from proto.authoring.parse import UNPRINTABLE
from proto.nonanswers import meant

MOST_LABELS = 100
LONGEST_LABEL = 200
MOST_COLUMNS = 2_000
FEW = 20
"""Cells of a column below which a ratio of distinct cells says little."""

_DASH = re.compile("\\s[\u2013\u2014-]\\s")
_QUOTE = "\u2019"
_SIGN = re.compile("(<=|>=|[<>\u2264\u2265]|(?<![^ ])[-\u2212])(?= ?[$\u20ac\u00a3]?[0-9])")
_SIGNS = {"<=": "up to", "\u2264": "up to", ">=": "from", "\u2265": "from", "<": "under", ">": "over", "-": "minus", "\u2212": "minus"}
"""Signs before a number, as words in a code: "<=50" and ">50" are two options."""
_NO_WORD = frozenset({"none", "nil"})
"""Words for no number; in a column of labels they may be an answer."""


class UndraftableData(ValueError):
    """No instrument can be drafted from these data; the message says why."""


class DraftChoice(msgspec.Struct, frozen=True):
    code: str
    label: str
    exclusive: bool = False


class DraftQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A guessed question. `columns`: what the import map says of each column of the data. `remarks`: guesses for the author to review."""

    id: str
    var: str
    kind: Literal["single", "multiple", "matrix", "integer", "numeric", "long_text"]
    text: str
    columns: dict[str, dict[str, Any]]
    role: Role = "insensitive"
    choices: tuple[DraftChoice, ...] = ()
    rows: tuple[DraftChoice, ...] = ()
    bands: Bands | None = None
    max_chars: int = 0
    none: bool = False
    """Some rows say of every option of a multiple choice that it was not chosen."""
    remarks: tuple[str, ...] = ()


class DraftWeight(msgspec.Struct, frozen=True):
    """The column taken for what each row weighs, and between which round numbers its weights lie."""

    id: str
    var: str
    column: str
    least: str
    greatest: str


class DraftInstrument(msgspec.Struct, frozen=True):
    survey: str
    title: str
    rows: int
    questions: tuple[DraftQuestion, ...]
    ignored: dict[str, str]
    """Columns that are left out, and why."""
    missing: dict[str, int]
    """Cells that were taken for no answer, and how many there are."""
    unread: tuple[str, ...]
    """Rows that could not be read, and why."""
    identity: str = ""
    """The column that tells the rows apart."""
    file: dict[str, Any] = {}
    weight: DraftWeight | None = None
    name_like_data: str = ""
    """A column name that looks like a cell."""


def draft(sheet: DataSheet, name: str, file: dict[str, Any] | None = None) -> tuple[str, str]:
    """The YAML of an instrument and of its import map. `file`: how the sheet was read, for the map. Raises UndraftableData."""
    instrument = guess(sheet, name, file or {})
    return instrument_text(instrument), import_map_text(instrument)


def guess(sheet: DataSheet, name: str, file: dict[str, Any]) -> DraftInstrument:
    rows = [row.cells for row in sheet.rows if row.cells is not None]
    if not sheet.rows:
        raise UndraftableData("the file has no rows below the column names")
    if not rows:
        first = sheet.rows[0]
        raise UndraftableData(f"none of its rows can be read: line {first.line}, {first.fault}")
    if len(sheet.columns) > MOST_COLUMNS:
        raise UndraftableData(f"the file has {len(sheet.columns):,} columns; at most {MOST_COLUMNS:,} can be drafted")
    missing: Counter[str] = Counter(cell for cells in rows for cell in cells.values() if is_token(cell))
    columns = {column: ["" if cells[column] in missing else cells[column] for cells in rows] for column in sheet.columns}
    signs = {column: found for column, cells in columns.items() if (found := signs_of_no_answer(cells))}
    columns |= {column: ["" if cell in found else cell for cell in columns[column]] for column, found in signs.items()}
    names = _Names()
    questions: list[DraftQuestion] = []
    ignored: dict[str, str] = {}
    identity, weight = "", None
    grouped = {column: family for family in families(columns, sheet.texts) for column in columns if column in family.labels}
    apart = {family.base for family in grouped.values()}
    alone = {column: cells for column, cells in columns.items() if column and column not in grouped and any(cells)}
    alone = {column: cells for column, cells in alone.items() if not people.left_out(column, [cell for cell in cells if cell], len(rows))}
    scales = {column: grid for grid in grids(alone, sheet.texts) for column in grid.rows}
    for column, cells in columns.items():
        given = [cell for cell in cells if cell]
        family = grouped.get(column)
        text = sheet.texts.get(column, "")
        if not given:
            reason = "empty"
        elif not column:
            reason = "without a name"
        elif family is not None:
            if column == family.columns[0]:
                questions.append(_group(family, columns, names))
            continue
        elif column in scales:
            if column == next(iter(scales[column].rows)):
                questions.append(_grid(scales[column], columns, names))
            continue
        elif column in apart:
            reason = "stands in its parts, too"
        else:
            reason = people.left_out(column, given, len(rows))
            if reason == people.WEIGHT and weight is None:
                found = _weight(column, cells, names)
                if isinstance(found, DraftWeight):
                    weight = found
                    continue
                reason = found
        if reason:
            ignored[column] = reason
            if not identity and reason == people.APART:
                identity = column
        else:
            questions.append(_column(column, text, given, names, sheet.separator))
    if not questions:
        raise UndraftableData("no column holds answers")
    questions = [_with_signs(question, signs) for question in questions]
    stem = re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0]
    slug = re.sub(r"^[^a-z]+", "", _slug(stem, "-", 60)) or "survey"
    unread = tuple(f"line {row.line}: {row.fault}" for row in sheet.rows if row.cells is None)
    return DraftInstrument(
        slug,
        _clean(stem) or "Survey",
        len(rows),
        tuple(questions),
        ignored,
        dict(missing),
        unread,
        identity,
        file,
        weight,
        looks_like_data(columns),
    )


def _weight(column: str, cells: Sequence[str], names: _Names) -> DraftWeight | str:
    """Returns what each row weighs, or why that cannot be told: each row needs one number above 0, and they must not all be the same."""
    marks = decimal_marks(cells)
    given = [cell for cell in cells if cell]
    found = {cell: readings(cell, marks) for cell in given}
    if len(given) < len(cells):
        return f"a weight, but {len(cells) - len(given):,} of {len(cells):,} rows have none"
    if unclear := next((cell for cell in given if len(found[cell]) != 1), ""):
        either = " or ".join(f"{number.normalize():f}" for number in sorted(found[unclear], reverse=True))
        return f'a weight, but "{_clean(unclear)}" ' + (f"can mean {either}" if either else "is not a number")
    weights = sorted(number for numbers in found.values() for number in numbers)
    if weights[0] <= 0:
        return f"a weight, but {weights[0].normalize():f} is not above 0"
    if weights[0] == weights[-1]:
        return "a weight, but the same for each row"
    ends = [
        number.quantize(Decimal((0, (1,), number.adjusted() - 1)), way)
        for number, way in ((weights[0], ROUND_FLOOR), (weights[-1], ROUND_CEILING))
    ]
    id, var = names.of(column)
    return DraftWeight(id, var, column, *(format(end, "f") for end in ends))


def _with_signs(question: DraftQuestion, signs: dict[str, dict[str, int]]) -> DraftQuestion:
    """The question with the numbers among its words that stand for no answer, which the import map declares."""
    found = {column: signs[column] for column in question.columns if column in signs}
    if not found:
        return question
    counts = Counter[str]()
    for counted in found.values():
        counts.update(counted)
    told = ", ".join(f'"{cell}" ({times(count)})' for cell, count in counts.items())
    columns = {column: said | ({"missing": list(found[column])} if column in found else {}) for column, said in question.columns.items()}
    remark = f"{told} taken for no answer among words: see `missing` in the import map"
    return msgspec.structs.replace(question, columns=columns, remarks=(*question.remarks, remark))


def _group(family: OptionColumns, columns: dict[str, list[str]], names: _Names) -> DraftQuestion:
    id, var = names.of(family.base)
    members = family.columns
    no = {column: {"", *family.unticked} if not family.marks else _said_no(columns[column]) for column in members}
    height = len(columns[members[0]])
    chosen = [{column for column in members if columns[column][row] not in no[column]} for row in range(height)]
    together = {column for row in chosen if len(row) > 1 for column in row}
    codes = _codes(family.labels.values()) if len(set(family.labels.values())) == len(members) else _codes(members)
    code = {column: codes[family.labels[column]] if family.labels[column] in codes else codes[column] for column in members}
    choices = tuple(
        DraftChoice(code[column], _clean(family.labels[column]), column not in together and _stands_alone(family.labels[column]))
        for column in members
    )
    where: dict[str, dict[str, Any]] = {}
    for column in members:
        ticked = sorted({cell for cell in columns[column] if cell and cell not in family.unticked})
        if family.marks:
            where[column] = {"option": code[column]}
        elif family.unticked:
            where[column] = {
                "option": code[column],
                "ticked": list(map(_writable, ticked)),
                "unticked": list(map(_writable, family.unticked)),
            }
        else:
            where[column] = {"codes": dict.fromkeys(map(_writable, ticked), code[column])}
    most = max(map(len, chosen))
    remarks = ["type: these columns are taken for one multiple choice"]
    if 1 < most < len(choices):
        remarks.append(f"at most {most} chosen in these data: max_choices: {most}?")
    none = any(not row and all(columns[column][at] for column in members) for at, row in enumerate(chosen))
    role = _role(family.base, family.text, list(family.labels.values()))
    return DraftQuestion(
        id=id,
        var=var,
        kind="multiple",
        text=_clean(family.text) if family.text else _title(family.base),
        columns=where,
        choices=choices,
        none=none,
        role=role,
        remarks=tuple(remarks),
    )


def _grid(grid: MatrixColumns, columns: dict[str, list[str]], names: _Names) -> DraftQuestion:
    id, var = names.of(grid.base)
    given = [cell for column in grid.rows for cell in columns[column] if cell]
    labels = _ordered(list(dict.fromkeys(map(tidy, given))))
    codes, rows = _codes(labels), _codes(grid.rows.values())
    where: dict[str, dict[str, Any]] = {}
    for column, row in grid.rows.items():
        spellings = sorted({cell for cell in columns[column] if cell}, key=lambda cell: (labels.index(tidy(cell)), cell))
        where[column] = {"row": rows[row], "codes": {_writable(cell): codes[tidy(cell)] for cell in spellings}}
    role = _role(grid.base, grid.text, labels)
    return DraftQuestion(
        id=id,
        var=var,
        kind="matrix",
        text=_clean(grid.text) if grid.text else _title(grid.base),
        columns=where,
        choices=tuple(DraftChoice(codes[label], _clean(label)) for label in labels),
        rows=tuple(DraftChoice(rows[row], _clean(row)) for row in grid.rows.values()),
        role=role,
        remarks=("type: these columns are taken for one matrix; put its options in the order of their scale",),
    )


def _said_no(cells: Iterable[str]) -> set[str]:
    return {cell for cell in cells if not cell or whole(cell).lower() in NO}


def _column(column: str, text: str, given: Sequence[str], names: _Names, separator: str) -> DraftQuestion:
    id, var = names.of(column)
    title = _clean(text) if text else _title(column)
    parted = split_by(given, separator)
    worded = [cell for cell in given if cell.lower() not in _NO_WORD]
    found = numbers(worded, separator) if worded else None
    if found is not None and found.values and not (parted and all(map(str.isdecimal, parted[1]))):
        said: dict[str, Any] = {}
        if found.decimal:
            said["numbers"] = {"decimal": found.decimal} | ({"thousands": found.thousands} if found.thousands else {})
        if missing := [*found.missing, *sorted({cell for cell in given if cell.lower() in _NO_WORD})]:
            said["missing"] = missing
        kind = "numeric" if found.decimals else "integer"
        role = people.role(column, text, ())
        return DraftQuestion(
            id=id,
            var=var,
            kind=kind,
            text=title,
            columns={column: said},
            bands=bands(found.values, found.decimals),
            role=role,
            remarks=found.remarks,
        )
    if parted is not None:
        return _parted(id, var, title, column, text, parted, given, separator)
    spellings: dict[str, str] = {}
    for cell in given:
        spellings.setdefault(whole(tidy(cell)), cell)
    distinct = list(spellings)
    longest = max(map(len, given))
    two_ways = bool(worded) and all(map(readings, worded))
    if two_ways or not _are_labels(column, text, distinct, given):
        most = min(20_000, max(3_000, 2 * longest))
        unsure = ("type: texts, or labels that hardly come twice",) if longest <= 40 and len(given) < FEW else ()
        if two_ways:
            unsure = ("type: numbers that are too long, or that are written in two ways; mend the file",)
        return DraftQuestion(
            id=id, var=var, kind="long_text", text=title, columns={column: {}}, max_chars=most, role="free_text", remarks=unsure
        )
    labels = _ordered(distinct)
    codes = _codes(labels)
    choices = tuple(DraftChoice(codes[label], _clean(label)) for label in labels)
    where = {
        "codes": {
            _writable(cell): codes[whole(tidy(cell))] for cell in sorted(set(given), key=lambda cell: labels.index(whole(tidy(cell))))
        }
    }
    remarks: list[str] = []
    if len(given) < FEW or 3 * len(distinct) > len(given):
        remarks.append(f"type: options or texts? {len(distinct)} different cell{'s' if len(distinct) > 1 else ''} of {len(given)}")
    other = [label for label in labels if not readings(label)]
    if other and 2 * len(other) <= len(labels):
        remarks.append(f"type: most cells are numbers, but not {', '.join(map(repr, other[:3]))}")
    folded = Counter(label.casefold() for label in labels)
    if twice := [label for label in labels if folded[label.casefold()] > 1]:
        remarks.append(f"options that differ in capitals alone: {', '.join(map(repr, twice[:6]))}")
    if zeros := [label for label in labels if label.casefold() in _NO_WORD]:
        remarks.append(f"{zeros[0]!r}: an answer, or none? Then put it under `missing` in the import map")
    role = people.role(column, text, labels)
    return DraftQuestion(
        id=id, var=var, kind="single", text=title, columns={column: where}, choices=choices, role=role, remarks=tuple(remarks)
    )


def _parted(
    id: str, var: str, title: str, column: str, text: str, parted: tuple[str, list[str]], given: Sequence[str], separator: str
) -> DraftQuestion:
    """A multiple choice whose labels stand in one cell."""
    between, parts = parted
    together = [[part.strip() for part in cell.split(between)] for cell in given]
    labels = _ordered(list(dict.fromkeys(map(tidy, parts))))
    codes = _codes(labels)
    beside = {tidy(part) for row in together if len([part for part in row if part]) > 1 for part in row}
    choices = tuple(DraftChoice(codes[label], _clean(label), label not in beside and _stands_alone(label)) for label in labels)
    remarks = [f'type: several choices in a cell, between them "{between}"; a label that holds it stands here as several options']
    if all(map(str.isdecimal, parts)):
        remarks.append("or are these numbers?")
    return DraftQuestion(
        id=id,
        var=var,
        kind="multiple",
        text=title,
        columns={column: {"split": between, "codes": codes}},
        choices=choices,
        role=_role(column, text, labels),
        remarks=tuple(remarks),
    )


def _role(column: str, text: str, labels: Sequence[str]) -> Role:
    """Of a question with several answers, which cannot be generalised: what would be a quasi-identifier is sensitive."""
    return "insensitive" if people.role(column, text, labels) == "insensitive" else "sensitive"


def _are_labels(column: str, text: str, distinct: list[str], given: Sequence[str]) -> bool:
    """Whether the cells are labels of options. Comments seldom come twice: what counts is how many differ of those that are filled."""
    longest, mean = max(map(len, distinct)), sum(map(len, distinct)) / len(distinct)
    if len(distinct) > MOST_LABELS or longest > LONGEST_LABEL or (len(distinct) > 3 and mean > 80):
        return False
    ratio = len(distinct) / len(given)
    if COMMENTS.search(f"{people.plain(column)} {text.lower()}") and (ratio > 0.2 or mean > 40) and (len(given) >= FEW or mean > 15):
        return False
    if len(given) >= FEW:
        return ratio <= 0.25 or (ratio <= 0.5 and len(distinct) <= 12 and mean <= 40)
    return len(distinct) <= 12 and longest <= 60 and (ratio < 1 or longest <= 25)


def _ordered(labels: list[str]) -> list[str]:
    """By the first number in them, where all have one; "Other", "Not sure" and the like last; else as they come."""
    last = re.compile("other.*", re.IGNORECASE)
    numbers = {label: re.search(r"[0-9][0-9,]*", label) for label in labels if not meant(label)}
    counted = all(numbers.values())

    def key(label: str) -> tuple[int, float]:
        number = numbers.get(label)
        late = 2 if meant(label) else 1 if last.fullmatch(label) else 0
        below = 0.5 if re.match("under|less|fewer|below|up to", label, re.IGNORECASE) else 0
        return late, float(number[0].replace(",", "")) - below if counted and number else 0.0

    return sorted(labels, key=key)


def _stands_alone(label: str) -> bool:
    return bool(meant(label)) or NONE.fullmatch(label.rstrip(".!")) is not None


def _codes(labels: Iterable[str]) -> dict[str, str]:
    """A short code for each label, each once."""
    codes: dict[str, str] = {}
    for number, label in enumerate(labels, 1):
        taken = set(codes.values())
        code = meant(label)
        if not code or code in taken:
            code = _once(
                _slug(_SIGN.sub(lambda sign: f" {_SIGNS[sign[1]]} ", _DASH.split(label)[0]), "_", 40) or f"option_{number}", "_", taken, 64
            )
        codes[label] = code
    return codes


class _Names:
    """Question ids and variable names, each given once."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._vars: set[str] = set()

    def of(self, column: str) -> tuple[str, str]:
        plain = _slug(column, "_", 60, lower=False)
        if plain[:1].islower():
            plain = plain[0].upper() + plain[1:]
        id = _once(plain if plain[:1].isalpha() else f"Q_{plain}".rstrip("_"), "_", self._ids, 64)
        var = _once(id.lower()[:32].rstrip("_"), "_", self._vars, 32)
        self._ids.add(id)
        self._vars.add(var)
        return id, var


def _once(name: str, joint: str, taken: set[str], longest: int) -> str:
    unique, number = name, 2
    while unique in taken:
        ending = f"{joint}{number}"
        unique, number = name[: longest - len(ending)] + ending, number + 1
    return unique


def _slug(text: str, joint: str, longest: int, lower: bool = True) -> str:
    plain = unicodedata.normalize("NFKD", text.replace(_QUOTE, "").replace("'", "")).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain.lower() if lower else plain)
    slug = joint.join(words)
    if len(slug) > longest:
        slug = slug[: longest + 1].rpartition(joint)[0] or slug[:longest]
    return slug


def _writable(cell: str) -> str:
    """The cell as a map can hold it; an import finds it by what can be seen."""
    return tidy(cell) if UNPRINTABLE.search(cell) else cell


def _title(column: str) -> str:
    return _clean(re.sub(r"[\s_]+", " ", column)) or "Question"


def _clean(text: str) -> str:
    return UNPRINTABLE.sub("", " ".join(text.split())).strip() or "-"
