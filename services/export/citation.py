"""How a release is cited: a line for people, BibTeX and CSL-JSON for their programs."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from services.export.table import Edition
from services.export.words import text


@dataclass(frozen=True)
class Work:
    """What a citation names. It has no date of access, and no year: a release knows no clock."""

    publisher: str
    title: str
    number: int
    survey: str
    version: str

    @property
    def key(self) -> str:
        return f"{self.survey}-{self.number}"

    @property
    def edition(self) -> str:
        return f"Release {self.number} ({self.survey}, questionnaire {self.version})"

    def line(self) -> str:
        """One line, the same for ever."""
        return ". ".join(part.rstrip(".") for part in (self.publisher, self.title, self.edition) if part) + ". Data set."

    def bibtex(self, address: str) -> str:
        fields = {"title": f"{{{_tex(self.title)}}}", "author": f"{{{_tex(self.publisher)}}}", "note": f"{_tex(self.edition)}. Data set"}
        given = {name: value for name, value in fields.items() if value != "{}"} | {"url": address}
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in given.items())
        return f"@misc{{{self.key},\n{body}\n}}\n"

    def csl(self, address: str) -> bytes:
        """CSL-JSON, as reference managers import it."""
        item = {"id": self.key, "type": "dataset", "title": self.title, "version": self.edition, "URL": address}
        if self.publisher:
            item["publisher"] = self.publisher
        return msgspec.json.format(msgspec.json.encode([item]), indent=2) + b"\n"


def cite(edition: Edition) -> str:
    publisher, title = (text(texts, edition.language) for texts in (edition.publisher, edition.title))
    return Work(name_of(publisher), title, edition.number, edition.survey, edition.version).line()


def name_of(publisher: str) -> str:
    """Without the address behind it."""
    return publisher.partition(",")[0]


def _tex(value: str) -> str:
    """Characters that TeX reads as commands, made harmless."""
    return re.sub(r"[&%$#_]", lambda found: "\\" + found.group(), re.sub(r"[\\{}~^]", " ", value))
