"""`data.dta`: numbers with labels in Stata's format 118; what is no answer is an extended missing value.

pandas writes the dictionary of a file without rows; the rows follow here, a batch at a time, because pandas takes only
whole frames and knows no extended missing values. The layout is that of Stata's manual, `help dta`.
"""

from __future__ import annotations

import datetime
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.stata import StataWriterUTF8

from services.export.dataset.quoting import one_line
from services.export.dataset.table import Dataset, DatasetColumn
from services.export.dataset.words import text

LONGEST_LABEL = 80
"""Characters of a variable's label and of the title."""
LARGEST_BYTE = 100
_MISSING_BYTE, _MISSING_INT, _MISSING_LABEL = 101, 32741, 2147483621
"""Where `.` stands among bytes, two-byte integers, and the numbers of value labels; `.a` to `.z` follow it."""
_NEVER = datetime.datetime(1970, 1, 1)  # noqa: DTZ001  Stata's times have no zone
_DATA, _OFFSETS = b"<data>", 14


def write(path: Path, table: Dataset) -> None:
    _write_dictionary(path, table)
    whole = path.read_bytes()
    start = whole.index(_DATA) + len(_DATA)
    row = np.dtype([(column.short, _kind(column)) for column in table.columns])
    with path.open("wb") as file:
        file.write(_with_rows(whole[:start], table.rows, row.itemsize))
        values = [np.array([_value(column, place) for place in range(len(column.categories))], np.int16) for column in table.columns]
        for rows in table.batches():
            batch = np.empty(rows.stop - rows.start, row)
            for column, known in zip(table.columns, values, strict=True):
                batch[column.short] = known[column.codes[rows]]
            file.write(batch.tobytes())
        file.write(whole[start:])


def _with_rows(head: bytes, rows: int, width: int) -> bytes:
    """The part before the rows, with their number in it and the offsets of what follows them."""
    count = head.index(b"<N>") + len(b"<N>")
    offsets = head.index(b"<map>") + len(b"<map>")
    end = offsets + 8 * _OFFSETS
    offset_values = struct.unpack(f"<{_OFFSETS}q", head[offsets:end])
    moved = [offset + rows * width if offset >= len(head) else offset for offset in offset_values]
    head = head[:count] + rows.to_bytes(8, "little") + head[count + 8 :]
    return head[:offsets] + struct.pack(f"<{_OFFSETS}q", *moved) + head[end:]


def _write_dictionary(path: Path, table: Dataset) -> None:
    language = table.edition.language
    no_rows = pd.DataFrame({column.short: np.zeros(0, _kind(column)) for column in table.columns})
    labels: dict[Any, dict[float, str]] = {
        column.short: {_labelled(column, place): label for place, label in enumerate(column.shown(language))} for column in table.columns
    }
    StataWriterUTF8(
        str(path),
        no_rows,
        write_index=False,
        version=118,
        byteorder="<",
        time_stamp=_NEVER,
        data_label=_cut(one_line(text(table.edition.title, language))),
        variable_labels=dict(zip((column.short for column in table.columns), table.labels(language, _cut), strict=True)),
        value_labels=labels,
    ).write_file()


def _kind(column: DatasetColumn) -> str:
    """One byte for each value, two where categories are too many."""
    return "<i1" if all(category.number <= LARGEST_BYTE for category in column.categories) else "<i2"


def _value(column: DatasetColumn, place: int) -> int:
    category = column.categories[place]
    if category.letter is None:
        return category.number
    return (_MISSING_BYTE if _kind(column) == "<i1" else _MISSING_INT) + _step(category.letter)


def _labelled(column: DatasetColumn, place: int) -> int:
    category = column.categories[place]
    return category.number if category.letter is None else _MISSING_LABEL + _step(category.letter)


def _step(letter: str) -> int:
    """`.a` is 1 behind `.`"""
    return ord(letter) - ord("a") + 1


def _cut(label: str, taken: int = 0) -> str:
    longest = LONGEST_LABEL - taken
    return label if len(label) <= longest else label[: longest - 1].rstrip() + "…"
