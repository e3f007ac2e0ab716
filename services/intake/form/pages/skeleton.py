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
    """For templates: a hole for an attribute or a text, or (kind "row") the beginning of a row or option; nameless their end."""
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
    """HTML in its order. The rows of a matrix, or the options of a question, are by code: they can be joined in any order."""

    parts: tuple[HtmlPieces | dict[str, HtmlPieces], ...]

    @classmethod
    def of(cls, html: str) -> Skeleton:
        groups: list[tuple[str, list[str]]] = [("", [])]
        for i, part in enumerate(html.split(_SEAM)):
            if i % 2 and part.startswith("row "):
                groups.append((part.removeprefix("row "), []))
            else:
                groups[-1][1].append(part)
        parts: list[HtmlPieces | dict[str, HtmlPieces]] = []
        for code, pieces in groups:
            last = parts[-1] if parts else None
            if not code:
                parts.append(HtmlPieces(pieces))
            elif isinstance(last, dict):
                last[code] = HtmlPieces(pieces)
            else:
                parts.append({code: HtmlPieces(pieces)})
        return cls(tuple(parts))

    def fill(self, values: FieldValues) -> Markup:
        out: list[str] = []
        for part in self.parts:
            rows = [part] if isinstance(part, HtmlPieces) else [part[code] for code in values.order or part if code in part]
            out += [row.fill(values) for row in rows]
        return Markup("".join(out))  # noqa: S704  literals come from templates, texts are escaped
