"""How far all two-way tables of a release are from those of the answers.

With a column for every value of every variable they all stand in one matrix, a block for every two variables (the Burt matrix;
Greenacre, Correspondence Analysis in Practice). It is the product of the rows' zeros and ones with themselves, made a batch at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.export.report.compared import Codes, Field, Floats

BATCH, STRIP = 4_096, 256
"""Rows that are multiplied at once, and values with all those behind them: what bounds the memory, and what is counted twice."""


@dataclass(frozen=True)
class TableErrors:
    """`variation`: TVD2, the total variation distance of each two variables' table, 0 to 1. `cells`: MAE2, rows per cell.

    Shape (pairs,); `pairs[p]` are the places of the two variables.
    """

    pairs: tuple[tuple[int, int], ...]
    variation: Floats
    cells: Floats


def burt(columns: list[Codes], sizes: list[int], wanted: int) -> Floats:
    """The tables of the first `wanted` variables with each later one. Shape (values of all, the same); other blocks are of no use."""
    starts = np.cumsum([0, *sizes])
    wide, upto = int(starts[-1]), int(starts[wanted])
    total = np.zeros((wide, wide))
    for begin in range(0, len(columns[0]) if wanted else 0, BATCH):
        rows = [codes[begin : begin + BATCH] for codes in columns]
        has = np.empty((wide, len(rows[0])), np.float32)  # in which sums of ones stay exact up to 2^24
        for codes, start, size in zip(rows, starts, sizes, strict=False):
            np.equal(codes, np.arange(size, dtype=codes.dtype)[:, None], out=has[start : start + size], casting="unsafe")
        for first in range(0, upto, STRIP):
            last = min(first + STRIP, upto)
            total[first:last, first:] += has[first:last] @ has[first:].T
    return total


def errors(fields: list[Field]) -> TableErrors:
    """Generalised values are spread evenly over the answers they stand for; rows left out are made up for by the others.

    Two variables whose answers are all shown have the same table, unless rows are left out, so it is not counted.
    """
    rows, kept = len(fields[0].before), len(fields[0].after)
    changed = [place for place, field in enumerate(fields) if kept < rows or not field.exact]
    order = changed + [place for place in range(len(fields)) if place not in set(changed)]
    apart = _apart([fields[place] for place in order], len(changed))
    at = np.argsort(order)
    one, other = np.triu_indices(len(fields), 1)
    first, second = np.minimum(at[one], at[other]), np.maximum(at[one], at[other])
    found = np.where(first < len(changed), apart[first, second], 0)
    many = np.array([len(field.answers) for field in fields])
    return TableErrors(
        tuple(zip(one.tolist(), other.tolist(), strict=True)),
        found / (2 * max(rows, 1)),
        found / (many[one] * many[other]),
    )


def _apart(fields: list[Field], changed: int) -> Floats:
    """By how many rows the tables of the first `changed` fields with each later one differ. Shape (fields, fields)."""
    given, told = [field.occurring for field in fields], [field.counts > 0 for field in fields]
    exact = burt([_among(used, field.before) for used, field in zip(given, fields, strict=True)], [*map(np.sum, given)], changed)
    shown = burt([_among(used, field.after) for used, field in zip(told, fields, strict=True)], [*map(np.sum, told)], changed)
    rows, kept = len(fields[0].before), len(fields[0].after)
    spread = _blocks([field.spread[after][:, before] for before, after, field in zip(given, told, fields, strict=True)])
    estimate = spread.T @ shown @ spread * (rows / max(kept, 1))
    starts = np.cumsum([0, *(used.sum() for used in given[:-1])])
    return np.add.reduceat(np.add.reduceat(np.abs(estimate - exact), starts, axis=0), starts, axis=1)


def _among(used: NDArray[np.bool_], codes: Codes) -> Codes:
    """Places among the values that occur."""
    return codes if used.all() else (np.cumsum(used) - 1).astype(np.int16)[codes]


def _blocks(parts: list[Floats]) -> NDArray[np.float64]:
    """One matrix with these along its diagonal."""
    made = np.zeros((sum(len(part) for part in parts), sum(part.shape[1] for part in parts)))
    row = column = 0
    for part in parts:
        made[row : row + len(part), column : column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return made
