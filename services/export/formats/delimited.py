"""`data.csv`: codes as text, one header line, UTF-8, line feeds, never a quotation mark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.export.table import Column, Table

ROWS = 8_192
"""Rows that are text at once: a row of text is several times as long as one of codes."""
TOGETHER = 4096
"""Neighbouring columns are written as one while so few combinations of their codes are possible: a third of the cells to join."""


def write(path: Path, table: Table) -> None:
    """Codes hold letters, digits and `_.+-*` only, so cells need no quoting and a spreadsheet reads none as a formula of ours."""
    runs = [(columns, _texts(columns)) for columns in _runs(table.columns)]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.name for column in table.columns) + "\n")
        for begin in range(0, table.rows, ROWS):
            rows = slice(begin, min(begin + ROWS, table.rows))
            cells = [texts[_places(columns, rows)].tolist() for columns, texts in runs]
            file.write("\n".join(map(",".join, zip(*cells, strict=True))) + "\n")


def _runs(columns: tuple[Column, ...]) -> Iterator[list[Column]]:
    run: list[Column] = []
    possible = 1
    for column in columns:
        possible *= len(column.categories)
        if run and possible > TOGETHER:
            yield run
            run, possible = [], len(column.categories)
        run.append(column)
    yield run


def _texts(columns: list[Column]) -> NDArray[Any]:
    """What a row may say in these columns, the codes of the last one running fastest."""
    return np.array([",".join(codes) for codes in product(*([each.code for each in column.categories] for column in columns))], "object")


def _places(columns: list[Column], rows: slice) -> NDArray[np.intp]:
    found = np.zeros(rows.stop - rows.start, np.intp)
    for column in columns:
        found = found * len(column.categories) + column.codes[rows]
    return found
