"""Whether the row of column names may be a row of data. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deploy.cli.cells import readings


def looks_like_data(columns: Mapping[str, Sequence[str]]) -> str:
    """The first name that is a number above numbers, or that stands in its column again beside other cells; empty where none does.

    A column of one option is named like its only cell, so that is no sign.
    """
    for name, cells in columns.items():
        given = {cell for cell in cells if cell}
        if (name in given and len(given) > 1) or (given and all(map(readings, (name, *given)))):
            return name
    return ""
