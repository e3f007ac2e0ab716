"""Noisy counts moved onto what is published above them: whole numbers that are not negative and add up. Pure.

A block of single counts is moved evenly onto the number of respondents, a two-way table onto the single counts of its two sides. A table
takes what a row has too much of from its cells *in proportion to the shares of the columns*: of one person x only x minus those
shares is left in a table, which is zero on average whoever comes. Moved evenly, x - 1/k would be left, which has a mean, and that gives
somebody who adds up all tables his start. Clipped after moving, never before.

Literature: W. Michelot, A finite algorithm for finding the projection of a point onto the canonical simplex of Rⁿ, JOTA 50 (1986); W. E.
Deming and F. F. Stephan, Annals of Mathematical Statistics 11 (1940), for raking; M. Bacharach, Matrix rounding problems, Management
Science 12 (1966), that tables can be rounded so that they add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

ROUNDS = 4
SEED = 1e-6
"""Of what independence would have in a cell: where clipping left nothing in a row that somebody is in, raking begins with this."""


def onto_total(blocks: Numbers, total: int) -> Numbers:
    """Returns the nearest non-negative numbers that add up to `total`, block by block. Shape (blocks, cells)."""
    falling: Numbers = -np.sort(-blocks, axis=-1)
    places: Numbers = np.arange(1, blocks.shape[-1] + 1, dtype=np.float64)
    off: Numbers = (np.add.accumulate(falling, axis=-1) - total) / places
    kept: NDArray[np.intp] = np.maximum((falling > off).sum(axis=-1, keepdims=True), 1)
    return np.maximum(blocks - np.take_along_axis(off, kept - 1, axis=-1), 0.0)


def rounded(blocks: Numbers, total: Whole) -> Whole:
    """Returns whole numbers that add up to `total`, by largest remainder (the first of equal ones). Shape (…, cells), `total` (…)."""
    floors = np.floor(blocks + 1e-9)
    short = (total - floors.sum(axis=-1)).astype(np.int64)
    order = np.argsort(-(blocks - floors), axis=-1, kind="stable")
    place = np.argsort(order, axis=-1, kind="stable")
    cells = blocks.shape[-1]
    more = short[..., None] // cells + (place < (short % cells)[..., None])
    return floors.astype(np.int64) + more


def onto_margins(tables: Numbers, rows: Whole, columns: Whole) -> Whole:
    """Tables of one shape moved onto the margins: shape (tables, rows, columns), margins (tables, rows) and (tables, columns), which add up
    to the same total in each table."""
    total = rows.sum(axis=1)[:, None].astype(np.float64)
    p, q = (margin / np.maximum(total, 1.0) for margin in (rows, columns))
    off_rows, off_columns = tables.sum(axis=2) - rows, tables.sum(axis=1) - columns
    off = tables.sum(axis=(1, 2))[:, None, None] - total[:, :, None]
    independent = p[:, :, None] * q[:, None, :]
    moved = tables - off_rows[:, :, None] * q[:, None, :] - p[:, :, None] * off_columns[:, None, :] + independent * off
    raked = np.maximum(moved, SEED * independent * total[:, :, None])
    for _ in range(ROUNDS):
        raked = raked * _factors(columns, raked.sum(axis=1))[:, None, :]
        raked = raked * _factors(rows, raked.sum(axis=2))[:, :, None]
    return _columns_put_right(rounded(raked, rows), raked, columns)


def _factors(targets: Any, sums: Numbers) -> Numbers:
    return np.divide(targets, sums, out=np.zeros(sums.shape), where=sums > 0)


def _columns_put_right(whole: Whole, exact: Numbers, columns: Whole) -> Whole:
    """Moves units within rows, from columns with too many to columns with too few, with the least change, until all sums agree."""
    off = whole.sum(axis=1) - columns
    while (wrong := np.flatnonzero(off.any(axis=1))).size:
        here = np.arange(wrong.size)
        much, few = off[wrong].argmax(axis=1), off[wrong].argmin(axis=1)
        part, real = whole[wrong], exact[wrong]
        gain = (part - real)[here, :, much] - (part - real)[here, :, few]
        row = np.where(part[here, :, much] > 0, gain, -np.inf).argmax(axis=1)
        whole[wrong, row, much] -= 1
        whole[wrong, row, few] += 1
        off[wrong, much] -= 1
        off[wrong, few] += 1
    return whole
