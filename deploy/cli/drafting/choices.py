"""Multiple choices as other programs write them: a column for each option, or several labels in one cell. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from deploy.cli.cells import NO, YES, readings, tidy, whole

LONGEST_LABEL = 200
MOST_COLUMNS = 500
MOST_IN_CELLS = 30
MOST_OF_SCALE = 12
LARGEST_CODE = 99
"""Greater numbers are amounts, not codes of options."""
_NAMED = (
    re.compile(r"(?P<base>.+?)\s*\(choice=(?P<part>.+)\)", re.DOTALL),  # REDCap, labels
    re.compile(r"(?P<base>\w+)\[(?P<code>\w+)\]\.? ?(?P<text>.*?)(?: \[(?P<part>.+)\])?", re.DOTALL),  # LimeSurvey
    re.compile(r"(?P<base>.+?)\s*\[(?P<part>.+)\]", re.DOTALL),  # SurveyMonkey, Google
    re.compile(r"(?P<base>[^/]+)/(?P<part>[^/]+)"),  # Kobo
    re.compile(r"(?P<base>\w+)\.(?P<part>\w+)"),  # Platea
    re.compile(r"(?P<base>.+?)___(?P<part>-?\w+)"),  # REDCap
    re.compile(r"(?P<base>.+?)_(?P<part>SQ\w+)"),  # LimeSurvey
)
_NUMBERED = re.compile(r"(.*[^\W_])[\s_.-]*(?:[_.\s-]|\[|\()([0-9]{1,4})[\])]?", re.DOTALL)


class OptionColumns(msgspec.Struct, frozen=True):
    """Columns of one multiple choice. `labels`: of each option, by column. `marks`: cells say yes or no, not the label."""

    base: str
    text: str
    labels: dict[str, str]
    marks: bool
    unticked: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return list(self.labels)


class MatrixColumns(msgspec.Struct, frozen=True):
    """Columns that are rows of one matrix: `rows` says what each is called."""

    base: str
    text: str
    rows: dict[str, str]


def families(columns: Mapping[str, Sequence[str]], texts: Mapping[str, str]) -> list[OptionColumns]:
    """Columns named alike, each with one label of its own, or all with marks such as 0 and 1."""
    found = [_family(base, text, named, columns, texts) for base, text, named in _alike(columns)]
    unique: dict[str, OptionColumns] = {}
    for family in filter(None, found):
        if not any(column in unique for column in family.labels):
            unique |= dict.fromkeys(family.labels, family)
    return list({id(family): family for family in unique.values()}.values())


def grids(columns: Mapping[str, Sequence[str]], texts: Mapping[str, str]) -> list[MatrixColumns]:
    """Columns named alike whose labels are those of one scale. Numbers are left alone: they may be amounts."""
    found: list[MatrixColumns] = []
    for base, text, named in _alike(columns):
        cells = [{tidy(cell) for cell in columns[column]} - {""} for column in named]
        scale = set[str]().union(*cells)
        few = 2 <= len(scale) <= MOST_OF_SCALE and len(scale) <= max(map(len, cells)) + 1 and all(map(len, cells))
        often = sum(1 for column in named for cell in columns[column] if cell) >= 4 * len(scale)
        if few and often and max(map(len, scale)) <= 60 and not any(readings(label) for label in scale):
            found.append(MatrixColumns(base, text, {column: _label(column, part, base, texts) for column, part in named.items()}))
    return found


def _alike(columns: Mapping[str, Sequence[str]]) -> list[tuple[str, str, dict[str, str]]]:
    """Groups of columns that are named alike: what they share, the question in their names if any, and the part of each."""
    members: dict[tuple[int, str], dict[str, str]] = {}
    questions: dict[str, str] = {}
    taken: set[str] = set()
    for order, pattern in enumerate(_NAMED):
        for column in columns:
            match = pattern.fullmatch(column) if column not in taken else None
            if match:
                members.setdefault((order, match["base"]), {})[column] = match["part"] or column
                questions.setdefault(match["base"], match.groupdict().get("text") or "")
        for (at, _), found in members.items():
            if at == order and len(found) > 1:
                taken.update(found)
    for column in columns:
        match = _NUMBERED.fullmatch(column) if column not in taken else None
        if match:
            members.setdefault((len(_NAMED), match[1]), {})[column] = ""
    return [(base, questions.get(base, ""), named) for (_, base), named in members.items() if len(named) > 1]


def _family(
    base: str, text: str, named: Mapping[str, str], columns: Mapping[str, Sequence[str]], texts: Mapping[str, str]
) -> OptionColumns | None:
    cells = {column: {tidy(cell) for cell in columns[column]} - {""} for column in named}
    if all(whole(cell).lower() in YES | NO for found in cells.values() for cell in found):
        ticked = any(whole(cell).lower() in YES for found in cells.values() for cell in found)
        if not ticked or len(named) > MOST_COLUMNS:
            return None
        labels = {column: _label(column, part, base, texts) for column, part in named.items()}
        return OptionColumns(base, text, labels, True, ())
    no = {cell for found in cells.values() for cell in found if cell.lower() in NO}
    own = {column: sorted(found - no) for column, found in cells.items()}
    given = [label for found in own.values() for label in found]
    if any(len(found) > 1 for found in own.values()) or len(set(given)) < len(given) or max(map(len, given), default=0) > LONGEST_LABEL:
        return None
    if any(abs(number) > LARGEST_CODE for label in given for number in readings(label)):
        return None
    written = tuple(sorted({cell for column in named for cell in columns[column] if tidy(cell).lower() in NO}))
    return OptionColumns(base, text, {column: found[0] for column, found in own.items() if found}, False, written) if given else None


def _label(column: str, part: str, base: str, texts: Mapping[str, str]) -> str:
    """What the option is called: in the question's text after its dash, in the column's name, or the name itself."""
    text = texts.get(column, "")
    after = re.split("\\s[\u2013\u2014-]\\s", text)[-1].strip() if text else ""
    return after or (part if part and not part.startswith("SQ") and part != base and not part.lstrip("-").isdecimal() else column)


def split_by(cells: Sequence[str], file_separator: str) -> tuple[str, list[str]] | None:
    """What stands between several labels in a cell, and the labels: where cells combine few labels that come often."""
    distinct = Counter(cells)
    for between in (";", "|", ",", " "):
        parts_of = {cell: [part for part in map(str.strip, cell.split(between)) if part] for cell in distinct}
        parted = list(parts_of.values())
        counts, several = Counter[str](), 0
        for cell, parts in parts_of.items():
            several += distinct[cell] if len(parts) > 1 else 0
            for part in parts:
                counts[part] += distinct[cell]
        short = max(map(len, counts), default=0) <= {" ": 24, ",": 60}.get(between, LONGEST_LABEL)
        coded = between != " " or all(re.fullmatch(r"[a-z0-9_.-]+", part) for part in counts)
        often = len(counts) <= MOST_IN_CELLS and sum(counts.values()) >= 3 * len(counts) and len(distinct) > len(counts) - 1
        apart = all(len(set(parts)) == len(parts) for parts in parted)
        numeric = between == "," and all(part.isdecimal() for part in counts)
        if numeric and (file_separator == ";" or not all(map(_ticks, parted))):
            continue  # numbers
        if several * 5 >= len(cells) and several > 1 and short and coded and often and apart:
            return between, list(counts)
    return None


def _ticks(parts: list[str]) -> bool:
    """Whether these can be codes of ticked options: small, and in their order."""
    numbers = list(map(int, parts))
    return numbers == sorted(numbers) and all(
        number <= LARGEST_CODE and str(number) == part for number, part in zip(numbers, parts, strict=True)
    )
