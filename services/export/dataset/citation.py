"""Citations of a release: text, BibTeX, CSL-JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from services.export.dataset.quoting import one_line, tex, tex_address
from services.export.dataset.table import ReleaseInfo
from services.export.dataset.words import text


@dataclass(frozen=True)
class Work:
    """What a citation names. `date`: the day of the release (ISO 8601), from its manifest; empty in those from before it was kept.

    `address`: of the survey's releases on the site that published them; empty where the site has not been told its own.
    """

    publisher: str
    title: str
    number: int
    survey: str
    version: str
    date: str = ""
    address: str = ""

    @property
    def key(self) -> str:
        return f"{self.survey}-{self.number}"

    @property
    def edition(self) -> str:
        return f"Release {self.number} ({self.survey}, questionnaire {self.version})"

    @property
    def year(self) -> str:
        return self.date[:4]

    def line(self) -> str:
        """One line, the same for ever: publisher (year). Title. Release [Data set]. Address."""
        publisher = " ".join(filter(None, (one_line(self.publisher).rstrip("."), f"({self.year})" if self.year else "")))
        citation = ". ".join(part.rstrip(".") for part in (publisher, one_line(self.title), f"{self.edition} [Data set]") if part) + "."
        return f"{citation} {one_line(self.address)}" if self.address else citation

    def bibtex(self) -> str:
        fields = {
            "title": f"{{{tex(self.title)}}}",
            "author": f"{{{tex(self.publisher)}}}",
            "year": self.year,
            "date": self.date,
            "version": tex(self.edition),
            "note": "Data set",
            "url": tex_address(self.address),
        }
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value not in ("", "{}"))
        return f"@misc{{{self.key},\n{body}\n}}\n"

    def csl(self) -> bytes:
        """CSL-JSON, as reference managers import it."""
        item: dict[str, Any] = {"id": self.key, "type": "dataset", "title": one_line(self.title), "version": self.edition}
        if self.publisher:
            item |= {"author": [{"literal": one_line(self.publisher)}], "publisher": one_line(self.publisher)}
        if self.date:
            item["issued"] = {"date-parts": [[int(part) for part in self.date.split("-")]]}
        if self.address:
            item["URL"] = self.address
        return msgspec.json.format(msgspec.json.encode([item]), indent=2) + b"\n"


def work_of(edition: ReleaseInfo) -> Work:
    publisher, title = (text(texts, edition.language) for texts in (edition.publisher, edition.title))
    return Work(name_of(publisher), title, edition.number, edition.survey, edition.version, edition.date, edition.address)


def cite(edition: ReleaseInfo) -> str:
    return work_of(edition).line()


def name_of(publisher: str) -> str:
    """Without the address behind it, be that after a comma or on the next line."""
    first = next(iter(publisher.strip().splitlines()), "")
    return one_line(first.partition(",")[0])
