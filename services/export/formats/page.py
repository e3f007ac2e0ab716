"""`codebook.html`: the codebook for people, without scripts, without anything from other sites."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.export.dataset.citation import cite
from services.export.dataset.licences import terms
from services.export.dataset.table import Dataset
from services.export.dataset.words import text

_pages = Environment(loader=PackageLoader("services.export.formats", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def write(path: Path, table: Dataset) -> None:
    edition = table.edition
    page = _pages.get_template("codebook.html.j2").render(
        table=table,
        edition=edition,
        language=edition.language,
        others=[language for language in edition.languages if language != edition.language],
        title=text(edition.title, edition.language),
        text=text,
        licence=terms(edition.licence, edition.profile),
        citation=cite(edition),
        absent=table.absent(),
    )
    path.write_text(page, encoding="utf-8")
