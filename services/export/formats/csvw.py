"""`data.csv-metadata.json`: the columns of data.csv as CSV on the Web (W3C Recommendation of 17 December 2015) describes them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from services.export.dataset.licences import terms
from services.export.dataset.table import Dataset, DatasetColumn


def write(path: Path, table: Dataset) -> None:
    path.write_text(json.dumps(describe(table), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def describe(table: Dataset) -> dict[str, Any]:
    edition = table.edition
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": edition.language}],
        "url": "data.csv",
        "dc:title": edition.title,
        "dc:identifier": f"{edition.survey}/{edition.number}",
        **({"dc:issued": edition.date} if edition.date else {}),
        "dc:license": {"@id": terms(edition.licence, edition.profile).url},
        "dialect": {"delimiter": ",", "encoding": "utf-8", "header": True, "lineTerminators": ["\n"], "quoteChar": None},
        "tableSchema": {"columns": [_column(column, table) for column in table.columns]},
    }


def _column(column: DatasetColumn, table: Dataset) -> dict[str, Any]:
    answers = [category.code for category in column.categories if not category.absent]
    return {
        "name": re.sub(r"[^A-Za-z0-9_.]", "_", column.name),  # a name here must fit URI templates; the title is the header's
        "titles": column.name,
        "dc:title": {language: column.label(language) for language in table.edition.languages},
        "datatype": {"base": "string", "format": "|".join(map(re.escape, answers))} if answers else "string",
        "null": [category.code for category in column.categories if category.absent],
        "required": False,
    }
