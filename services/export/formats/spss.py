"""`data.sav`: numbers with labels; codes below zero are user-missing.

pyreadstat writes the dictionary of a file without rows; the rows follow here, a batch at a time, because pyreadstat takes
only whole frames of floating-point numbers. The layout is that of PSPP's developer manual, "System File Format": in the
compressed form a whole number n from -99 to 151 is the one byte n + 100, in groups of eight; a byte 253 stands for a
number that follows its group in full.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyreadstat
from numpy.typing import NDArray

from services.export.dataset.quoting import one_line
from services.export.dataset.table import Dataset
from services.export.dataset.words import text

BIAS, IN_FULL, END, PADDING = 100, 253, 252, 0
LARGEST = 151
GROUP = 8
LONGEST_LABEL, LONGEST_VALUE_LABEL, LONGEST_TITLE = 255, 120, 64
"""Bytes that SPSS reads."""
_CASES, _CREATED = 80, 92
"""Offsets in the header: the number of rows (int32), and date and time (17 bytes)."""
_NEVER = b"01 Jan 7000:00:00"


def write(path: Path, table: Dataset) -> None:
    _write_dictionary(path, table)
    with path.open("r+b") as file:
        head = bytearray(file.read())
        head[_CASES : _CASES + 4] = min(table.rows, 2**31 - 1).to_bytes(4, "little")
        head[_CREATED : _CREATED + len(_NEVER)] = _NEVER
        head[-16:-8] = table.rows.to_bytes(8, "little")  # of the last record before the end of the dictionary
        file.seek(0)
        file.write(head)
        _write_rows(file, table)


def _write_dictionary(path: Path, table: Dataset) -> None:
    language = table.edition.language
    labels = {
        column.short: {
            category.number: label for category, label in zip(column.categories, column.fitting(language, _value_label), strict=True)
        }
        for column in table.columns
    }
    no_rows = pd.DataFrame({column.short: np.zeros(0, np.float64) for column in table.columns})
    formats: dict[str, Any] = dict.fromkeys(labels, "F8.0")
    missing: dict[str, Any] = {
        column.short: [{"lo": min(numbers), "hi": -1}]
        for column in table.columns
        if (numbers := [category.number for category in column.categories if category.absent])
    }
    pyreadstat.write_sav(
        no_rows,  # pyright: ignore[reportArgumentType]
        str(path),
        file_label=cut(one_line(text(table.edition.title, language)), LONGEST_TITLE),
        column_labels=dict(zip((column.short for column in table.columns), table.labels(language, _label), strict=True)),
        variable_value_labels=labels,  # pyright: ignore[reportArgumentType]
        missing_ranges=missing,
        variable_measure={column.short: column.measure for column in table.columns},  # pyright: ignore[reportArgumentType]
        variable_format=formats,
        row_compress=True,
    )


def _write_rows(file: BinaryIO, table: Dataset) -> None:
    numbers = [np.array([category.number for category in column.categories], np.int16) for column in table.columns]
    for rows in table.batches():
        values = np.empty((rows.stop - rows.start, len(table.columns)), np.int16)
        for place, (column, known) in enumerate(zip(table.columns, numbers, strict=True)):
            values[:, place] = known[column.codes[rows]]
        # A batch is a multiple of eight rows, so only the last one can end within a group.
        file.write(_compressed(values.reshape(-1), END if rows.stop == table.rows else None))


def _compressed(values: NDArray[np.int16], end: int | None) -> bytes:
    """Groups of eight bytes, each followed by the numbers that do not fit into one."""
    large = values > LARGEST
    ops = np.where(large, IN_FULL, values + BIAS).astype(np.uint8)
    ops = np.append(ops, np.array([] if end is None else [end], np.uint8))
    ops = np.append(ops, np.full(-len(ops) % GROUP, PADDING, np.uint8)).reshape(-1, GROUP)
    if not large.any():
        return ops.tobytes()
    places = np.flatnonzero(large)
    words = ops.view(np.uint64).reshape(-1)
    # Each number in full is inserted behind its group.
    return np.insert(words, places // GROUP + 1, values[places].astype("<f8").view(np.uint64)).tobytes()


def _value_label(label: str, taken: int) -> str:
    return cut(label, LONGEST_VALUE_LABEL - taken)


def _label(label: str, taken: int) -> str:
    return cut(label, LONGEST_LABEL - taken)


def cut(label: str, longest: int) -> str:
    """At most so many bytes of UTF-8, with an ellipsis where something is missing."""
    encoded = label.encode()
    if len(encoded) <= longest:
        return label
    return encoded[: longest - len("…".encode())].decode(errors="ignore").rstrip() + "…"
