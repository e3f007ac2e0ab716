"""`data.parquet`: dictionary columns in row groups, with texts, labels, missing codes as metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.export.dataset.licences import terms
from services.export.dataset.table import Dataset, DatasetColumn

arrow: Any = pa
"""pyarrow has no types of its own."""


def write(path: Path, table: Dataset) -> None:
    """A category's place in its dictionary is that in the codebook; ordinal variables become ordered dictionaries."""
    fields: list[Any] = []
    dictionaries: list[Any] = []
    for column in table.columns:
        index = arrow.int8() if column.codes.itemsize == 1 else arrow.int16()
        kind = arrow.dictionary(index, arrow.string(), ordered=column.measure == "ordinal")
        fields.append(arrow.field(column.name, kind, nullable=False, metadata={"platea": _json(_described(column))}))
        dictionaries.append(arrow.array([category.code for category in column.categories], arrow.string()))
    schema = arrow.schema(fields, metadata={"platea": _json(_edition(table))})
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=True) as writer:
        for rows in table.batches():
            arrays = [
                arrow.DictionaryArray.from_arrays(arrow.array(column.codes[rows]), dictionary, ordered=column.measure == "ordinal")
                for column, dictionary in zip(table.columns, dictionaries, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _edition(table: Dataset) -> dict[str, Any]:
    edition = table.edition
    return {
        "survey": edition.survey,
        "version": edition.version,
        "release": edition.number,
        "title": edition.title,
        "languages": edition.languages,
        "language": edition.language,
        "licence": terms(edition.licence, edition.profile).url,
    }


def _described(column: DatasetColumn) -> dict[str, Any]:
    return {
        "question": column.question,
        "text": column.text,
        "part": column.part,
        "universe": column.universe,
        "role": column.role,
        "level": column.level,
        "measure": column.measure,
        "categories": [{"code": category.code, "labels": category.labels, "absent": category.absent} for category in column.categories],
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
