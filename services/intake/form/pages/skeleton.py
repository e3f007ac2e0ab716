"""The HTML of a question as everybody gets it, with holes for what differs from one respondent to the next.

Made once per language, so that a page costs hardly more than joining its pieces.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from markupsafe import Markup, escape

from services.intake.form.pages.field_values import FieldValues

_SEAM = secrets.token_hex(16)
"""Stands around holes while the HTML is made; nobody can write it into a text."""


def hole(kind: str, name: str = "") -> Markup:
    """For templates: the place of an attribute, of a text, or (kind "row") where a row of a matrix begins."""
    return Markup(f"{_SEAM}{kind} {name}{_SEAM}")  # noqa: S704  never reaches a page


class Pieces:
    """Literal HTML with its holes: by name, where each is and what goes there if it is ticked ("" for texts)."""

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
    """`rows` are those that may stand in any order, by code."""

    head: Pieces
    rows: dict[str, Pieces]
    tail: Pieces

    @classmethod
    def of(cls, html: str) -> Skeleton:
        groups: list[tuple[str, list[str]]] = [("", [])]
        for i, part in enumerate(html.split(_SEAM)):
            if i % 2 and part.startswith("row "):
                groups.append((part.removeprefix("row "), []))
            else:
                groups[-1][1].append(part)
        (_, head), *rows = [(name, Pieces(parts)) for name, parts in groups]
        tail = rows.pop()[1] if rows else Pieces([""])
        return cls(head, dict(rows), tail)

    def fill(self, values: FieldValues) -> Markup:
        rows = [self.rows[code].fill(values) for code in values.rows or self.rows]
        return Markup("".join((self.head.fill(values), *rows, self.tail.fill(values))))  # noqa: S704  literals come from templates, texts are escaped
