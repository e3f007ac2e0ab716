"""`data.csv`: codes as text, one header line, UTF-8, line feeds, never a quotation mark."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from services.export.table import Table


def write(path: Path, table: Table) -> None:
    """Codes hold letters, digits and `_.+-*` only, so cells need no quoting and a spreadsheet reads none as a formula of ours."""
    codes = [np.array([category.code for category in column.categories], dtype="object") for column in table.columns]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(column.name for column in table.columns) + "\n")
        for rows in table.batches():
            cells = [names[column.codes[rows]].tolist() for names, column in zip(codes, table.columns, strict=True)]
            file.write("\n".join(map(",".join, zip(*cells, strict=True))) + "\n")
