"""A first draft of an instrument, with its import map, from data that were collected elsewhere. Pure.

It guesses types from what stands in the columns; roles and texts are for the author, and the comments in the draft say where.
Unedited it is already a sound instrument: every row of the data fits it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from deploy.cli.drafting.bands import Bands, bands
from deploy.cli.drafting.text import import_map_text, instrument_text
from proto.authoring.parse import UNPRINTABLE
from proto.nonanswers import meant

MOST_LABELS = 100
LONGEST_LABEL = 200
MOST_COLUMNS = 2_000

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,8})(?:[.,]([0-9]{1,4}))?")
_TIME = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T][0-9]{1,2}:[0-9]{2}.*)?|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_GROUPED = re.compile(r"(.*[^\W_])[\s_.-]*(?:[_.\s-]|\[|\()([0-9]{1,3})[\])]?", re.DOTALL)
_IDENTITY = re.compile(r"(^|[\W_])(id|uuid|guid|respondent|token|serial|record|row|response)([\W_]|$)", re.IGNORECASE)
_PERSON = re.compile(
    r"\b(age|gender|sex|birth|born|ethnic|race|racial|minority|nation|citizen|educat|income|salary|household|hh|kids|child|famil|post ?code"
    r"|zip|location|region|city|town|municipal|country|province|district|relig|marital|occupation|employ|disab)",
    re.IGNORECASE,
)
_DASH = re.compile("\\s[\u2013\u2014-]\\s")
_QUOTE = "\u2019"
_NONE = re.compile(r"none( of (the|these).*)?|nothing|not at all|neither", re.IGNORECASE)


class UndraftableData(ValueError):
    """No instrument can be drafted from these data; the message says why."""


class DraftChoice(msgspec.Struct, frozen=True):
    code: str
    label: str
    exclusive: bool = False


class DraftQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A guessed question. `person`: its answers may single somebody out.

    `columns`: for each column of the data the codes of its labels, or the one option that "1" chooses.
    """

    id: str
    var: str
    kind: Literal["single", "multiple", "integer", "numeric", "long_text"]
    text: str
    columns: dict[str, dict[str, str] | str]
    choices: tuple[DraftChoice, ...] = ()
    bands: Bands | None = None
    max_chars: int = 0
    person: bool = False
    none: bool = False
    """Some rows say of every option of a multiple choice that it was not chosen."""
    remark: str = ""


class DraftInstrument(msgspec.Struct, frozen=True):
    survey: str
    title: str
    rows: int
    questions: tuple[DraftQuestion, ...]
    ignored: dict[str, str]
    """Columns that are left out, and why."""


def draft(csv_text: str, name: str) -> tuple[str, str]:
    """The YAML of an instrument and of its import map. Raises UndraftableData."""
    instrument = guess(csv_text, name)
    return instrument_text(instrument), import_map_text(instrument)


def guess(csv_text: str, name: str) -> DraftInstrument:
    columns, rows = _table(csv_text)
    if len(columns) > MOST_COLUMNS:
        raise UndraftableData(f"the file has {len(columns):,} columns; at most {MOST_COLUMNS:,} can be drafted")
    names = _Names()
    questions: list[DraftQuestion] = []
    ignored: dict[str, str] = {}
    groups = _groups(columns)
    for column, cells in columns.items():
        reason = _left_out(column, cells, rows)
        group = groups.get(column, [])
        if column in group[1:]:
            continue
        if group:
            questions.append(_group(group, columns, names))
        elif reason:
            ignored[column] = reason
        else:
            questions.append(_column(column, cells, names))
    if not questions:
        raise UndraftableData("no column holds answers")
    stem = re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0]
    slug = re.sub(r"^[^a-z]+", "", _slug(stem, "-", 60)) or "survey"
    return DraftInstrument(slug, _clean(stem) or "Survey", rows, tuple(questions), ignored)


def _table(csv_text: str) -> tuple[dict[str, list[str]], int]:
    """Columns by name, cells without blanks around them, and the number of rows. Rows of another length are passed over."""
    text = csv_text.removeprefix("\ufeff")
    outside = "".join(text.split("\n", 1)[0].split('"')[::2])
    separator = max((",", ";", "\t"), key=outside.count)
    try:
        header, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except (ValueError, csv.Error):
        raise UndraftableData("the file is not a CSV table with a row of column names") from None
    names = [name.strip() for name in header]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UndraftableData(f"the header names {twice[0][:60]!r} twice" if twice[0] else "the header has columns without a name")
    rows = [[cell.strip() for cell in line] for line in lines if len(line) == len(names) and any(cell.strip() for cell in line)]
    if not rows:
        raise UndraftableData("the file has no rows below the column names")
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}, len(rows)


def _left_out(column: str, cells: list[str], rows: int) -> str:
    """Why a column is no question, or nothing."""
    given = [cell for cell in cells if cell]
    distinct = set(given)
    if not given:
        return "empty"
    if not column:
        return "without a name"
    if all(_TIME.fullmatch(cell) for cell in distinct):
        return "times or days; they can single people out"
    if sum(bool(_MAIL.fullmatch(cell)) for cell in distinct) > len(distinct) / 2:
        return "mail addresses"
    apart = len(distinct) == rows and rows > 1
    if apart and (_IDENTITY.search(column) or (rows >= 50 and all(cell.isdecimal() for cell in distinct))):
        return "tells the rows apart"
    return ""


def _groups(columns: dict[str, list[str]]) -> dict[str, list[str]]:
    """Columns that are one multiple choice: numbered alike, each with one label of its own, or all with 0 and 1."""
    families: dict[str, list[str]] = {}
    for column in columns:
        match = _GROUPED.fullmatch(column)
        if match:
            families.setdefault(match[1], []).append(column)
    groups: dict[str, list[str]] = {}
    for family in families.values():
        labels = [set(columns[column]) - {""} for column in family]
        own = all(len(cells) <= 1 for cells in labels) and len({label for cells in labels for label in cells}) == sum(map(len, labels))
        marks = all(cells <= {"0", "1"} for cells in labels) and any("1" in cells for cells in labels)
        wordy = all(len(label) <= LONGEST_LABEL for cells in labels for label in cells)
        if len(family) > 1 and any(labels) and wordy and ((own and not marks) or (marks and len(family) <= 500)):
            groups |= dict.fromkeys(family, family)
    return groups


def _group(family: list[str], columns: dict[str, list[str]], names: _Names) -> DraftQuestion:
    match = _GROUPED.fullmatch(family[0])
    base = match[1] if match else family[0]
    id, var = names.of(base)
    marks = all(set(columns[column]) <= {"", "0", "1"} for column in family)
    label = {column: column if marks else next((cell for cell in columns[column] if cell), "") for column in family}
    chosen = [{column for column in family if columns[column][row] not in ("", "0")} for row in range(len(columns[family[0]]))]
    together = {column for row in chosen if len(row) > 1 for column in row}
    codes = _codes(label[column] for column in family if label[column])
    choices = tuple(
        DraftChoice(codes[label[column]], _clean(label[column]), column not in together and _stands_alone(label[column]))
        for column in family
        if label[column]
    )
    where: dict[str, dict[str, str] | str] = {
        column: codes[label[column]] if marks else {label[column]: codes[label[column]]} for column in family if label[column]
    }
    most = max(map(len, chosen))
    remark = f"At most {most} chosen in these data: max_choices: {most}?" if 1 < most < len(choices) else ""
    none = marks and any({columns[column][row] for column in family} == {"0"} for row in range(len(columns[family[0]])))
    return DraftQuestion(id=id, var=var, kind="multiple", text=_title(base), columns=where, choices=choices, none=none, remark=remark)


def _column(column: str, cells: list[str], names: _Names) -> DraftQuestion:
    given = [cell for cell in cells if cell]
    distinct = list(dict.fromkeys(given))
    id, var = names.of(column)
    text = _title(column)
    numbers = [_NUMBER.fullmatch(cell) for cell in distinct]
    person = _PERSON.search(re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", column)) is not None
    if all(numbers):
        decimals = max(len(match[2] or "") for match in numbers if match)
        values = [float(cell.replace(",", ".")) for cell in given]
        kind = "numeric" if decimals else "integer"
        return DraftQuestion(id=id, var=var, kind=kind, text=text, columns={column: {}}, bands=bands(values, decimals), person=person)
    longest = max(map(len, distinct))
    repeated = len(distinct) <= 12 or len(given) >= 4 * len(distinct)
    wordy = longest > LONGEST_LABEL or (len(distinct) > 3 and sum(map(len, distinct)) > 80 * len(distinct))
    if len(distinct) > MOST_LABELS or not repeated or wordy:
        most = min(20_000, max(3_000, 2 * longest))
        return DraftQuestion(id=id, var=var, kind="long_text", text=text, columns={column: {}}, max_chars=most)
    labels = _ordered(distinct)
    codes = _codes(labels)
    choices = tuple(DraftChoice(codes[label], _clean(label)) for label in labels)
    return DraftQuestion(id=id, var=var, kind="single", text=text, columns={column: codes}, choices=choices, person=person)


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
    return bool(meant(label)) or _NONE.fullmatch(label.rstrip(".!")) is not None


def _codes(labels: Iterable[str]) -> dict[str, str]:
    """A short code for each label, each once."""
    codes: dict[str, str] = {}
    for number, label in enumerate(labels, 1):
        taken = set(codes.values())
        code = meant(label)
        if not code or code in taken:
            code = _once(_slug(_DASH.split(label)[0], "_", 40) or f"option_{number}", "_", taken, 64)
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


def _title(column: str) -> str:
    return _clean(re.sub(r"[\s_]+", " ", column)) or "Question"


def _clean(text: str) -> str:
    return UNPRINTABLE.sub("", " ".join(text.split())).strip() or "-"
