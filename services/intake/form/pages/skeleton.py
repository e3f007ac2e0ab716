"""Pre-rendered HTML with holes for the values that differ between respondents.

It is made once per language, so that a page costs hardly more than joining its pieces.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from markupsafe import Markup, escape

from services.intake.form.pages.field_values import FieldValues

_SEAM = secrets.token_hex(16)
"""Marks holes while the HTML is made. It is random, so no text can contain it."""


def hole(kind: str, name: str = "") -> Markup:
    """For templates: a hole for an attribute or a text, or (kind "row") the beginning of a matrix row."""
    return Markup(f"{_SEAM}{kind} {name}{_SEAM}")  # noqa: S704  never reaches a page


class HtmlPieces:
    """Literal HTML with named holes. For each: its positions, and the attribute that is written if it is ticked ("" for texts)."""

    def __init__(self, parts: list[str]) -> None:
        self._holes: dict[str, tuple[str, list[int]]] = {}
        self._blank = parts
        for i in range(1, len(parts), 2):
            kind, _, name = parts[i].partition(" ")
            self._holes.setdefault(name, ("" if kind == "text" else f" {kind}", []))[1].append(i)
            parts[i] = ""

    def fill(self, values: FieldValues) -> str:
        out, holes = self._blank.copy(), self._holes
        for name in values.ticked:
            if name in holes:
                attribute, places = holes[name]
                for i in places:
                    out[i] = attribute
        for name, text in values.texts.items():
            for i in holes[name][1] if name in holes else ():
                out[i] = escape(text)
        return "".join(out)


@dataclass(frozen=True)
class Skeleton:
    """`rows` are the matrix rows by code; they can be joined in any order."""

    head: HtmlPieces
    rows: dict[str, HtmlPieces]
    tail: HtmlPieces

    @classmethod
    def of(cls, html: str) -> Skeleton:
        groups: list[tuple[str, list[str]]] = [("", [])]
        for i, part in enumerate(html.split(_SEAM)):
            if i % 2 and part.startswith("row "):
                groups.append((part.removeprefix("row "), []))
            else:
                groups[-1][1].append(part)
        (_, head), *rows = [(name, HtmlPieces(parts)) for name, parts in groups]
        tail = rows.pop()[1] if rows else HtmlPieces([""])
        return cls(head, dict(rows), tail)

    def fill(self, values: FieldValues) -> Markup:
        rows = [self.rows[code].fill(values) for code in values.rows or self.rows if code in self.rows]
        return Markup("".join((self.head.fill(values), *rows, self.tail.fill(values))))  # noqa: S704  literals come from templates, texts are escaped
