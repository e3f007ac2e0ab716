"""The file of old and new names that `platea survey import --names` writes, as an import map for the data of the old tool."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from deploy.cli.datafile.reading import FileOptions, read_sheet
from deploy.cli.datafile.sheet import UnreadableFile
from deploy.cli.mapping import ColumnMapping, UnfitHeader, from_header
from proto.instrument import Instrument, Multiple, Ranking
from services.runtime.spreadsheet_csv import unguarded

HEADER = ("old", "new")


def read(content: bytes) -> list[tuple[str, str]]:
    """Pairs of old and new. Raises UnreadableFile."""
    sheet = read_sheet(content, FileOptions())
    if not set(HEADER) <= set(sheet.columns):
        raise UnreadableFile("it has no columns old and new")
    pairs = [(unguarded(row.cells["old"]), row.cells["new"]) for row in sheet.rows if row.cells]
    return [(old, new) for old, new in pairs if old and new]


def columns(names: Iterable[tuple[str, str]], header: Iterable[str], instrument: Instrument) -> dict[str, ColumnMapping]:
    """What each column of a data file answers; those without a new name are left out. Raises UnfitHeader.

    A column may have the names of its groups before its own, `visit/edu2` or `visit-edu2`. Where a question has a column for all of it,
    those of its options are left out: both say the same.
    """
    pairs = list(names)
    new_of = {old: new for old, new in pairs if "=" not in new}
    called = {column: new for column in header if (new := _new_name(column, new_of))}
    whole = set(called.values())
    kinds = {question.id: question for question in instrument.asked}
    chosen = {
        column: new
        for column, new in called.items()
        if not ("." in new and new.partition(".")[0] in whole and isinstance(kinds.get(new.partition(".")[0]), Multiple))
    }
    for column, new in chosen.items():
        if twin := next((other for other, same in chosen.items() if same == new and other != column), None):
            raise UnfitHeader(f"the columns {column!r} and {twin!r} answer the same, {new}")
    mapped = from_header(list(chosen.values()), instrument)
    codes = _codes(pairs, new_of)
    found: dict[str, ColumnMapping] = {}
    for column, new in chosen.items():
        entry = mapped[new]
        question = kinds[entry.question]
        own = codes.get(entry.question, {}) if entry.option is None else {}
        split = " " if own and isinstance(question, Multiple | Ranking) else None
        found[column] = msgspec.structs.replace(entry, codes=own, split=split)
    if not found:
        raise UnfitHeader("none of its columns has a name that stands in the file of names")
    return found


def _new_name(column: str, new_of: Mapping[str, str]) -> str:
    """By the whole header, or by what stands behind the names of groups."""
    starts = [0, *(sign.end() for sign in re.finditer(r"[/-]", column))]
    return next((new_of[column[start:]] for start in starts if column[start:] in new_of), "")


def _codes(pairs: list[tuple[str, str]], new_of: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The new code of each old one, by question."""
    names = {new: old for old, new in new_of.items() if "." not in new}
    found: dict[str, dict[str, str]] = {}
    for old, new in pairs:
        id, joint, code = new.partition("=")
        name = names.get(id, "")
        if joint and old.startswith(f"{name}="):
            found.setdefault(id, {})[old[len(name) + 1 :]] = code
    return found
