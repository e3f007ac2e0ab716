"""`datapackage.json`: the release as Data Package (Frictionless, version 2) describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from proto.manifest import File
from services.export.dataset.licences import terms
from services.export.dataset.quoting import markdown, one_line
from services.export.dataset.table import Dataset, DatasetColumn
from services.export.dataset.words import text


def write(path: Path, table: Dataset, files: Iterable[File]) -> None:
    """Describes data.csv and texts.csv, which are among `files`; the others hold the same table again."""
    path.write_text(json.dumps(describe(table, files), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def describe(table: Dataset, files: Iterable[File]) -> dict[str, Any]:
    edition = table.edition
    licence = terms(edition.licence, edition.profile)
    named = {file.name: file for file in files}
    csv = _file(named["data.csv"]) | {
        "name": "data",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": [_field(column, edition.language) for column in table.columns], "missingValues": _missing(table)},
    }
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"{edition.survey}-{edition.number}",
        "title": one_line(text(edition.title, edition.language)),
        **({"homepage": edition.address} if edition.address else {}),
        **({"created": f"{edition.date}T00:00:00Z"} if edition.date else {}),
        "version": f"{edition.number}.0.0",
        "licenses": [{"name": licence.name, "path": licence.url, "title": licence.title}],
        "resources": [csv, *_texts(table, named)],
    }


def _texts(table: Dataset, files: Mapping[str, File]) -> list[dict[str, Any]]:
    """Free texts are a resource of their own, without a key to the rows: there is none."""
    if table.passages is None or not table.passages.lines:
        return []
    language = table.edition.language
    asked = [{"value": question.name, "label": text(question.text, language)} for question in table.passages.questions]
    fields = [
        {"name": "question", "type": "string", "categories": asked, "constraints": {"required": True}},
        {"name": "language", "type": "string", "description": "Of the form that was filled in."},
        {
            "name": "text",
            "type": "string",
            "constraints": {"required": True},
            "description": "An apostrophe stands before = + - @ at its beginning.",
        },
    ]
    return [
        _file(files["texts.csv"])
        | {
            "name": "texts",
            "title": "Free texts",
            "description": "Each was accepted for this release by a person who read it. They belong to no row of data.csv.",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": {"fields": fields},
        }
    ]


def _file(file: File) -> dict[str, Any]:
    return {"path": file.name, "bytes": file.bytes, "hash": f"sha256:{file.sha256}"}


def _field(column: DatasetColumn, language: str) -> dict[str, Any]:
    shown = column.shown(language)
    answers = [(category.code, label) for category, label in zip(column.categories, shown, strict=True) if not category.absent]
    absent = [{"value": category.code, "label": label} for category, label in zip(column.categories, shown, strict=True) if category.absent]
    field: dict[str, Any] = {"name": column.name, "type": "string", "title": column.label(language)}
    field |= {"description": markdown(f"{column.question}. {text(column.universe, language)}.")}  # the standard has it read as Markdown
    if answers:
        field |= {"categories": [{"value": code, "label": label} for code, label in answers]}
        field |= {"categoriesOrdered": column.measure == "ordinal", "constraints": {"enum": [code for code, _ in answers]}}
    return field | ({"missingValues": absent} if absent else {})


def _missing(table: Dataset) -> list[dict[str, str]]:
    """All codes that are no answers, for programs that know no missing values of single fields."""
    return [{"value": category.code, "label": meaning} for category, meaning in table.absent()]
