"""`data.csv`: codes as text, one header line, UTF-8, line feeds, never a quotation mark."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.export.dataset.table import Dataset, DatasetColumn
from services.export.protect.combinations import neighbours

ROWS = 8_192
"""Rows that are text at once: a row of text is several times as long as one of codes."""
TOGETHER = 4096
"""Neighbouring columns are written as one while so few combinations of their codes are possible: a third of the cells to join."""


def write(path: Path, table: Dataset) -> None:
    """Codes hold letters, digits and `_.+-*` only, so cells need no quoting and a spreadsheet reads none as a formula of ours."""
    sizes = [len(column.categories) for column in table.columns]
    runs = [(table.columns[run], _texts(table.columns[run])) for run in neighbours(sizes, TOGETHER, 0, len(sizes))]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.name for column in table.columns) + "\n")
        for begin in range(0, table.rows, ROWS):
            rows = slice(begin, min(begin + ROWS, table.rows))
            cells = [texts[_places(columns, rows)].tolist() for columns, texts in runs]
            file.write("\n".join(map(",".join, zip(*cells, strict=True))) + "\n")


def _texts(columns: Sequence[DatasetColumn]) -> NDArray[Any]:
    """All combinations of codes in these columns as CSV text; the last column varies fastest."""
    return np.array(
        [",".join(codes) for codes in product(*([category.code for category in column.categories] for column in columns))], "object"
    )


def _places(columns: Sequence[DatasetColumn], rows: slice) -> NDArray[np.intp]:
    places = np.zeros(rows.stop - rows.start, np.intp)
    for column in columns:
        places = places * len(column.categories) + column.codes[rows]
    return places
