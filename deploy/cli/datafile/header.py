"""The rows above the answers: which of them names the columns, which one holds the questions. Pure."""

from __future__ import annotations

import re
from collections import Counter

from deploy.cli.datafile.sheet import UnreadableFile

KINDS = ("name", "text", "option", "ignore")
"""`name`: names of the columns. `text`: the questions. `option`: goes with the name above it. `ignore`: neither."""
MOST = 3

_IMPORT_ID = re.compile(r"\{\s*['\"]ImportId['\"]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""A map cannot hold these."""
_ANSWER = frozenset({"", "response", "open-ended response"})


def recognised(first: list[list[str]]) -> tuple[tuple[str, ...], str]:
    """The kinds of the header's rows and the program that writes them so, from the first rows of a file."""
    for at in (2, 1):
        given = [cell for cell in first[at] if cell.strip()] if len(first) > at else []
        if given and all(_IMPORT_ID.match(cell.strip()) for cell in given):
            return (("name", "text", "ignore") if at == 2 else ("name", "ignore")), "Qualtrics"
    if len(first) > 1 and first[0][:1] == ["V1"] and first[1][:1] and first[1][0].strip().lower() in ("responseid", "response id"):
        return ("name", "text"), "Qualtrics, older"
    start = [cell.strip().lower() for cell in first[0][:2]]
    if len(first) > 1 and start == ["respondent id", "collector id"] and first[1][:2] == ["", ""]:
        return ("name", "option"), "SurveyMonkey"
    return ("name",), ""


def named(header: list[list[str]], kinds: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """The name of each column, and the question of each that has one. `header`: the rows as `kinds` says."""
    width = max(map(len, header))
    rows = [[*(_plain(cell) for cell in row), *[""] * (width - len(row))] for row in header]
    by_kind = dict(zip(kinds, rows, strict=False))
    if "name" not in by_kind:
        raise UnreadableFile("none of its header rows is said to hold names")
    names = by_kind["name"]
    if "option" in by_kind:
        filled = list[str]()
        for name in names:
            filled.append(name or (filled[-1] if filled else ""))
        options = by_kind["option"]
        names = [name if option.lower() in _ANSWER else f"{name} [{option}]" for name, option in zip(filled, options, strict=True)]
    texts = by_kind.get("text", [])
    return names, {name: text for name, text in zip(names, texts, strict=False) if name and text}


def faults(names: list[str]) -> str:
    """Why the columns cannot be told apart, or nothing. One column may be without a name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not twice:
        return ""
    places = [str(place) for place, name in enumerate(names, 1) if name == twice[0]]
    where = f"columns {', '.join(places[:-1])} and {places[-1]}"
    if twice[0]:
        return f"the header names {twice[0][:60]!r} twice ({where})"
    return f"{where} have no name; if the names stand in a later row, say --header, such as ignore,name"


def _plain(cell: str) -> str:
    return _CONTROL.sub("", cell.strip().replace("\r\n", "\n").replace("\r", "\n"))
