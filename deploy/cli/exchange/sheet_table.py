"""A sheet of an XLSForm as lines with named cells, whatever its headers are called. Pure."""

from __future__ import annotations

import re

import msgspec

from deploy.cli.exchange.report import UnreadableForm
from deploy.cli.exchange.workbook import Sheet, column

_ALIASES = {
    "caption": "label", "tag": "name", "value": "name", "command": "type", "relevance": "relevant", "bind:relevant": "relevant",
    "bind:relevance": "relevant", "bind:required": "required", "bind:constraint": "constraint", "bind:calculate": "calculation",
    "bind:jr:constraintmsg": "constraint_message", "constraint_msg": "constraint_message", "calculate": "calculation",
    "control:appearance": "appearance", "list": "list_name", "listname": "list_name", "count": "repeat_count", "title": "form_title",
    "set_form_title": "form_title", "set_form_id": "form_id", "media:image": "image", "media:audio": "audio", "media:video": "video",
    "hint_text": "hint", "bind:jr:requiredmsg": "required_message", "id_string": "form_id", "type_of_question": "type",
}  # fmt: skip
_TRANSLATED = frozenset({"label", "hint", "guidance_hint", "constraint_message", "required_message", "image", "audio", "video"})


class Line(msgspec.Struct):
    """`cells` by header; `texts` by header and name of the language, "" where none stands."""

    number: int
    cells: dict[str, str]
    texts: dict[tuple[str, str], str]
    table: HeadedTable

    def place(self, header: str) -> str:
        """Such as `form.xlsx:survey!C14`."""
        letters = column(self.table.columns.get(header, 0))
        return f"{self.table.file}:{self.table.name}!{letters}{self.number}"


class HeadedTable:
    """Raises UnreadableForm where a header stands twice."""

    def __init__(self, sheet: Sheet, file: str, name: str) -> None:
        self.file = file
        self.name = name
        self.columns: dict[str, int] = {}
        self.languages: list[str] = []
        self.lines: list[Line] = []
        if not sheet.rows:
            return
        header, *rows = sheet.rows
        headers = self._headers(header[1])
        for number, cells in rows:
            line = Line(number, {}, {}, self)
            for place, (known, language) in headers.items():
                text = cells[place] if place < len(cells) else ""
                if not text:
                    continue
                if known in _TRANSLATED:
                    line.texts[known, language] = text
                if not language or known not in line.cells:
                    line.cells[known] = text
            self.lines.append(line)

    def _headers(self, cells: list[str]) -> dict[int, tuple[str, str]]:
        found: dict[int, tuple[str, str]] = {}
        for place, cell in enumerate(cells):
            known, language = header_of(cell)
            if not known:
                continue
            if (known, language) in found.values():
                first = next(at for at, entry in found.items() if entry == (known, language))
                letters = f"columns {column(first)} and {column(place)}"
                if known in ("label", "hint", "type", "name", "list_name", "relevant"):
                    raise UnreadableForm(f"the column {cell!r} stands twice in {self.name} ({letters})", "Leave one of them.")
                continue
            found[place] = (known, language)
            self.columns.setdefault(known, place)
            if known in ("label", "hint") and language not in self.languages:
                self.languages.append(language)
        return found


def header_of(cell: str) -> tuple[str, str]:
    """The header as it is called here, and its language."""
    plain = re.sub(r"\s*:+\s*", ":", cell.strip())
    whole = re.sub(r"[\s-]+", "_", plain.lower())
    if whole in _ALIASES:
        return _ALIASES[whole], ""
    first, _, language = plain.partition(":")
    name = re.sub(r"[\s-]+", "_", first.lower())
    if name == "media":
        medium, _, language = language.partition(":")
        return medium.lower(), language.strip()
    name = _ALIASES.get(name, name)
    if name in _TRANSLATED:
        return name, language.strip()
    return _ALIASES.get(whole, whole), ""
