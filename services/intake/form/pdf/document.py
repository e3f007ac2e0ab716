"""What a PDF of the questionnaire, or of somebody's answers, consists of: text without any markup, for `document.typ`. Pure."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Literal

import msgspec

from services.runtime.localised_text import LocalisedText


class Run(msgspec.Struct, frozen=True):
    """A piece of text; `lang`: its language (the first subtag of BCP 47), "" where it is that of the document."""

    text: str
    lang: str = ""


Runs = tuple[Run, ...]
Style = Literal["plain", "quiet", "only", "answer"]
Mark = Literal["box", "circle", "bullet", "number"]


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    text: Runs
    style: Style = "plain"


class Entry(msgspec.Struct, frozen=True):
    """An item of a list. `only`: the rule that shows it; `write`: whether a line to write on follows."""

    text: Runs
    only: Runs = ()
    write: bool = False


class MarkedList(msgspec.Struct, frozen=True, tag="list"):
    """`mark`: what stands before each entry; "number" counts them."""

    mark: Mark
    entries: tuple[Entry, ...]


class TickTable(msgspec.Struct, frozen=True, tag="grid"):
    """A matrix to tick: the heads of its columns, and its rows."""

    columns: tuple[Runs, ...]
    rows: tuple[Entry, ...]


class WriteLine(msgspec.Struct, frozen=True, tag="gap"):
    """Space to write in: `lines` lines, after `label` and before `unit`."""

    label: Runs = ()
    unit: Runs = ()
    lines: int = 1


class Chapter(msgspec.Struct, frozen=True, tag="chapter"):
    """The heading of a section."""

    heading: Runs


Block = Paragraph | MarkedList | TickTable | WriteLine


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """A question with what stands below it. `number` and `needed` (the word "required") may be ""."""

    heading: Runs
    blocks: tuple[Block, ...]
    number: str = ""
    needed: Runs = ()


class Document(msgspec.Struct, frozen=True):
    """`title`: that of the survey; `organisation`: who asks, () where that is not said; `facts`: pairs of name and value."""

    lang: str
    name: str
    title: Runs
    subtitle: Runs
    organisation: Runs
    facts: tuple[tuple[Runs, Runs], ...]
    lead: tuple[Chapter | Paragraph, ...]
    items: tuple[Chapter | Asked | Paragraph, ...]


def runs(text: str) -> Runs:
    """The text with the languages of its parts. Control characters, which no font has, are told by their numbers."""
    if not isinstance(text, LocalisedText):
        return (Run(_visible(text)),) if text else ()
    reader = _Marked()
    reader.feed(str(text.html))
    reader.close()
    return tuple(reader.runs)


def primary(language: str) -> str:
    """ "pt" of "pt-BR"; "" where it is none of two or three letters, such as a private one."""
    first = language.partition("-")[0].lower()
    return first if first.isascii() and first.isalpha() and len(first) in (2, 3) else ""


def _visible(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(f"[U+{ord(sign):04X}]" if sign < " " and sign != "\n" else sign for sign in text)


class _Marked(HTMLParser):
    """Reads what `LocalisedText` writes: text in which <span lang> may mark a part."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.runs: list[Run] = []
        self._langs = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._langs.append(primary(dict(attrs).get("lang") or "") or self._langs[-1])

    def handle_endtag(self, tag: str) -> None:
        self._langs.pop()

    def handle_data(self, data: str) -> None:
        self.runs.append(Run(_visible(data), self._langs[-1]))
