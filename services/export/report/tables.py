"""How far all two-way tables of a release are from those of the answers.

With a column for every value of every variable they all stand in one matrix, a block for every two variables (the Burt matrix;
Greenacre, Correspondence Analysis in Practice). Counted a variable against all later ones at once, in pieces that stay in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.export.report.compared import Codes, Field, Floats

BATCH = 4_096


@dataclass(frozen=True)
class TableErrors:
    """`variation`: TVD2, the total variation distance of each two variables' table, 0 to 1. `cells`: MAE2, rows per cell.

    Shape (pairs,); `pairs[p]` are the places of the two variables.
    """

    pairs: tuple[tuple[int, int], ...]
    variation: Floats
    cells: Floats


def burt(columns: list[Codes], sizes: list[int]) -> Floats:
    """The table of every variable with each later one. Shape (values of all variables, the same); zero where it was not counted."""
    starts = np.cumsum([0, *sizes])
    wide = int(starts[-1])
    total = np.zeros((wide, wide), dtype=np.int64)
    for begin in range(0, len(columns[0]), BATCH):
        rows = slice(begin, begin + BATCH)
        places = np.stack([codes[rows] + start for codes, start in zip(columns, starts[:-1], strict=True)]).astype(np.int64)
        for place, size in enumerate(sizes[:-1]):
            keys = (places[place] - starts[place]) * wide + places[place + 1 :]
            total[starts[place] : starts[place + 1]] += np.bincount(keys.ravel(), minlength=size * wide).reshape(size, wide)
    return total.astype(np.float64)


def errors(fields: list[Field]) -> TableErrors:
    """Generalised values are spread evenly over the answers they stand for; rows left out are made up for by the others."""
    sizes, coarse = [len(field.answers) for field in fields], [len(field.released) for field in fields]
    exact = burt([field.before for field in fields], sizes)
    shown = burt([field.after for field in fields], coarse)
    spread = np.zeros((sum(coarse), sum(sizes)))
    for field, row, column in zip(fields, np.cumsum([0, *coarse]), np.cumsum([0, *sizes]), strict=False):
        spread[row : row + len(field.released), column : column + len(field.answers)] = field.spread
    rows, kept = len(fields[0].before), len(fields[0].after)
    estimate = spread.T @ shown @ spread * (rows / max(kept, 1))
    apart = np.abs(estimate - exact)
    starts = np.cumsum([0, *sizes[:-1]])
    blocks = np.add.reduceat(np.add.reduceat(apart, starts, axis=0), starts, axis=1)
    one, other = np.triu_indices(len(fields), 1)
    many = np.array(sizes)
    return TableErrors(
        tuple(zip(one.tolist(), other.tolist(), strict=True)),
        blocks[one, other] / (2 * max(rows, 1)),
        blocks[one, other] / (many[one] * many[other]),
    )
