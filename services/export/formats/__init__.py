"""The files of a release, all written from one typed table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from proto.manifest import File
from services.export.bundle.verify import describe
from services.export.dataset import licences
from services.export.dataset.citation import cite
from services.export.dataset.quoting import one_line
from services.export.dataset.table import Dataset
from services.export.dataset.words import text
from services.export.formats import csvw, datapackage, ddi, delimited, page, parquet, passages, scripts, spss, stata

Writer = Callable[[Path, Dataset], None]


def _licence(path: Path, table: Dataset) -> None:
    edition = table.edition
    title = f"{one_line(text(edition.title, edition.language))}, release {edition.number}"
    path.write_text(licences.text(licences.terms(edition.licence, edition.profile), title, cite(edition)), encoding="utf-8")


WRITERS: dict[str, Writer] = {
    "data.csv": delimited.write,
    "data.csv-metadata.json": csvw.write,
    "data.parquet": parquet.write,
    "data.sav": spss.write,
    "data.dta": stata.write,
    "codebook.xml": ddi.write,
    "codebook.html": page.write,
    "read_pandas.py": scripts.pandas,
    "read.R": scripts.r,
    "read.do": scripts.stata,
    "LICENSE": _licence,
}

TEXTS: dict[str, Writer] = {"texts.csv": passages.write}
"""Beside them, where the release holds free texts."""

PACKAGE = "datapackage.json"
"""Comes last: it names the checksums of others."""


def write(folder: Path, table: Dataset, progress: Callable[[float], None]) -> list[File]:
    """Writes every file into an empty folder and describes it. The same table always gives the same bytes.

    `progress` is told the share that is done.
    """
    writers = TEXTS | WRITERS if table.passages and table.passages.lines else WRITERS
    files: list[File] = []
    for done, (name, writer) in enumerate(writers.items(), 1):
        writer(folder / name, table)
        files.append(describe(folder / name))
        progress(done / len(writers))
    datapackage.write(folder / PACKAGE, table, files)
    return [*files, describe(folder / PACKAGE)]
