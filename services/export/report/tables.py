"""How far all two-way tables of a release are from those of the answers. Pure.

With a column for every value of every variable they all stand in one matrix, a block for every two variables (the Burt matrix;
Greenacre, Correspondence Analysis in Practice). Neighbouring variables with few combinations are counted as one, and every table
of two such runs is added up to the tables of their variables: of 202 variables 50 runs are left, and a sixteenth of the counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from services.export.protect.combinations import neighbours
from services.export.report.compared import Codes, ComparedVariable, Floats

TOGETHER = 256
"""Combinations up to which neighbouring variables are one run: a byte for each row, and tables that stay in the cache."""
ROWS = 131_072
"""Rows that are counted at once, so that their cells stay in the cache too."""


@dataclass(frozen=True)
class TableErrors:
    """`variation`: TVD2, the total variation distance of each two variables' table, 0 to 1. `cells`: MAE2, rows per cell.

    Shape (pairs,); `pairs[p]` are the places of the two variables.
    """

    pairs: tuple[tuple[int, int], ...]
    variation: Floats
    cells: Floats


def burt(columns: list[Codes], sizes: list[int], leading: int) -> Floats:
    """The tables of the first `leading` variables with each later one. Shape (values of all, the same); other blocks are of no use."""
    starts = np.cumsum([0, *sizes])
    runs = [*neighbours(sizes, TOGETHER, 0, leading), *neighbours(sizes, TOGETHER, leading, len(sizes))]
    keys = [_key(columns[run], sizes[run]) for run in runs]
    matrices = [_incidence(sizes[run]) for run in runs]
    total = np.zeros((starts[-1], starts[-1]))
    for first, run in enumerate(runs):
        if run.start >= leading:
            break
        for second in range(first, len(runs)):
            shape = len(matrices[first]), len(matrices[second])
            table = _counted(keys[first], keys[second], shape)
            block = slice(starts[run.start], starts[run.stop]), slice(starts[runs[second].start], starts[runs[second].stop])
            total[block] = matrices[first].T @ table @ matrices[second]
    return total


def _counted(first: Codes, second: Codes, shape: tuple[int, int]) -> NDArray[np.intp]:
    """How many rows have each two keys."""
    table, room = np.zeros(shape[0] * shape[1], np.intp), np.empty(min(ROWS, len(first)), np.intp)
    for begin in range(0, len(first), ROWS):
        some = first[begin : begin + ROWS]
        cells = np.multiply(some, np.intp(shape[1]), out=room[: len(some)])
        cells += second[begin : begin + ROWS]
        table += np.bincount(cells, minlength=len(table))
    return table.reshape(shape)


def _key(columns: list[Codes], sizes: list[int]) -> Codes:
    """The combination of each row, the last variable running fastest, in the smallest type that holds it."""
    small = np.min_scalar_type(prod(sizes))
    key = columns[0].astype(small)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        key *= small.type(size)
        key += column.astype(small)
    return key


def _incidence(sizes: list[int]) -> Floats:
    """Incidence matrix of combinations and values, zeros and ones. Shape (combinations, values)."""
    places = np.unravel_index(np.arange(prod(sizes)), sizes)
    return np.concatenate([np.eye(size)[place] for size, place in zip(sizes, places, strict=True)], axis=1)


def errors(fields: list[ComparedVariable]) -> TableErrors:
    """Errors of all two-way tables, estimated from the release.

    Generalised values are spread evenly over their answers; rows left out are made up for by scaling. A pair of variables whose answers are
    all shown has the same table, unless rows are left out, and is not counted.
    """
    rows, released = len(fields[0].before), len(fields[0].after)
    changed = [place for place, field in enumerate(fields) if released < rows or not field.exact]
    order = changed + [place for place in range(len(fields)) if place not in set(changed)]
    apart = _apart([fields[place] for place in order], len(changed))
    at = np.argsort(order)
    one, other = np.triu_indices(len(fields), 1)
    first, second = np.minimum(at[one], at[other]), np.maximum(at[one], at[other])
    differences = np.where(first < len(changed), apart[first, second], 0)
    many = np.array([len(field.answers) for field in fields])
    return TableErrors(
        tuple(zip(one.tolist(), other.tolist(), strict=True)),
        differences / (2 * max(rows, 1)),
        differences / (many[one] * many[other]),
    )


def _apart(fields: list[ComparedVariable], changed: int) -> Floats:
    """By how many rows the tables of the first `changed` fields with each later one differ. Shape (fields, fields)."""
    given, released = [field.occurring for field in fields], [field.counts > 0 for field in fields]
    exact = burt(
        [_among(used, field.before) for used, field in zip(given, fields, strict=True)], [int(used.sum()) for used in given], changed
    )
    shown = burt(
        [_among(used, field.after) for used, field in zip(released, fields, strict=True)], [int(used.sum()) for used in released], changed
    )
    rows, rows_after = len(fields[0].before), len(fields[0].after)
    spread = _blocks([field.spread[after][:, before] for before, after, field in zip(given, released, fields, strict=True)])
    estimate = spread.T @ shown @ spread * (rows / max(rows_after, 1))
    starts = np.cumsum([0, *(used.sum() for used in given[:-1])])
    return np.add.reduceat(np.add.reduceat(np.abs(estimate - exact), starts, axis=0), starts, axis=1)


def _among(used: NDArray[np.bool_], codes: Codes) -> Codes:
    """Places among the values that occur."""
    return codes if used.all() else np.maximum(np.cumsum(used) - 1, 0).astype(np.min_scalar_type(len(used)))[codes]


def _blocks(parts: list[Floats]) -> NDArray[np.float64]:
    """One matrix with these along its diagonal."""
    matrix = np.zeros((sum(len(part) for part in parts), sum(part.shape[1] for part in parts)))
    row = column = 0
    for part in parts:
        matrix[row : row + len(part), column : column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return matrix
