"""The codebook of a release as a page: every variable, its codes with labels and counts, and how it was protected."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import cast

from jinja2 import Environment, PackageLoader, StrictUndefined

from proto.instrument import Instrument, Texts
from services.export.anonymise import TOP, Protected
from services.export.variables import ABSENT_LABELS, Variable

_pages = Environment(loader=PackageLoader("services.export", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


@dataclass(frozen=True)
class Entry:
    code: str
    label: str
    count: int


@dataclass(frozen=True)
class Described:
    name: str
    text: str
    role: str
    level: str | None
    entries: list[Entry]


def codebook(instrument: Instrument, number: int, columns: list[Variable], protected: Protected, k: int, smallest: int) -> str:
    """A self-contained HTML page in the instrument's source language, without scripts and without outside requests."""
    language = instrument.source_language
    described: list[Described] = []
    for column in columns:
        counts = Counter(cast("list[str]", protected.table[column.name].tolist()))
        generalised = column.hierarchy.labels if column.hierarchy else {}
        labels = column.labels | generalised | ABSENT_LABELS | {TOP: {"en": "not shown, to protect respondents"}}
        codes = [code for code in labels if code in counts] + sorted(counts.keys() - labels.keys())
        entries = [Entry(code, text(labels.get(code, {}), language), counts[code]) for code in codes]
        level = column.hierarchy.levels[protected.levels[column.name]] if column.hierarchy and column.name in protected.levels else None
        described.append(Described(column.name, text(column.text, language), column.role, level, entries))
    page = _pages.get_template("codebook.html.j2")
    return page.render(
        instrument=instrument,
        title=text(instrument.title, language),
        language=language,
        number=number,
        variables=described,
        rows=len(protected.table),
        protected=protected,
        k=k,
        smallest=smallest,
    )


def text(texts: Texts, language: str) -> str:
    """In this language, else in English, else empty."""
    return texts.get(language) or texts.get("en", "")
