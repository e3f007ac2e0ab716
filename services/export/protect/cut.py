"""Cutting: the rows as one class, or as given classes, then every class in two along the variable where that gains most, level by level.

Multidimensional recoding from the top down (LeFevre, DeWitt and Ramakrishnan, Mondrian, ICDE 2006), with cuts chosen by
the loss they save instead of at the median, all classes of a level at once. The sensitive answers have no say in a cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.export.protect.combinations import Combinations
from services.export.protect.regions import Space

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Places = NDArray[np.int16]

ROUNDING = 1e-6
"""Gains nearer than this are a tie, and the variable named first is cut."""


@dataclass(frozen=True)
class _Level:
    """The classes of a level: class c holds the combinations from `starts[c]` on, `sizes[c]` of them, with `rows[c]` rows."""

    starts: Ints
    sizes: Ints
    rows: Floats
    of: Ints
    before: Floats

    @staticmethod
    def at(starts: Ints, weights: Floats) -> _Level:
        sizes = np.diff(starts, append=len(weights))
        rows = np.add.reduceat(weights, starts)
        return _Level(starts, sizes, rows, np.repeat(np.arange(len(starts)), sizes), np.cumsum(rows) - rows)


def cut(combinations: Combinations, space: Space, k: int, enough: int) -> Ints:
    """The class of each combination, within one of those given. Every class that a cut makes has at least k rows; one of up to
    `enough` combinations is not cut further.
    """
    columns, weights = list(combinations.places), combinations.counts.astype(np.float64)
    members, level = np.arange(len(weights)), _Level.at(np.flatnonzero(np.diff(combinations.within, prepend=-1)), weights)
    classes = np.empty(len(weights), dtype=np.int64)
    count = 0

    def settle(members: Ints, level: _Level, done: NDArray[np.bool_]) -> Ints:
        """Numbers the classes that are done and returns the positions of the members of all others."""
        nonlocal count
        stays = done[level.of]
        classes[members[stays]] = (np.cumsum(done) - 1 + count)[level.of[stays]]
        count += int(done.sum())
        return np.flatnonzero(~stays)

    while True:
        variable, place = _best_cuts(columns, weights, level, space, k)
        open_members = settle(members, level, whole := variable < 0)
        if not len(open_members):
            return classes
        right = np.zeros(len(members), dtype=bool)
        for v, column in enumerate(columns):
            at = np.where(variable == v, place, np.int16(np.iinfo(np.int16).max))
            right |= column > np.repeat(at, level.sizes)
        order, starts = _partition(open_members, right, level.sizes[~whole])
        members, weights = members[order], weights[order]
        halves = _Level.at(starts, weights)
        open_members = settle(members, halves, small := (halves.rows < 2 * k) | (halves.sizes <= enough))
        if not len(open_members):
            return classes
        order = order[open_members]
        members, weights, columns = members[open_members], weights[open_members], [column[order] for column in columns]
        level = _Level.at(np.cumsum(halves.sizes[~small]) - halves.sizes[~small], weights)


def _partition(members: Ints, right: NDArray[np.bool_], sizes: Ints) -> tuple[Ints, Ints]:
    """Left halves before right halves within each class, the order kept: where each comes from, where the halves begin."""
    right = right[members]
    starts = np.cumsum(sizes) - sizes
    rights = np.add.reduceat(right, starts, dtype=np.int64)
    so_far = np.cumsum(right) - np.repeat(np.cumsum(rights) - rights, sizes)
    to = np.where(right, np.repeat(starts + sizes - rights - 1, sizes) + so_far, np.arange(len(members)) - so_far)
    order = np.empty_like(members)
    order[to] = members
    return order, np.stack([starts, starts + sizes - rights], axis=1).ravel()


def _best_cuts(columns: list[NDArray[np.int16]], weights: Floats, level: _Level, space: Space, k: int) -> tuple[Places, Places]:
    """For each class the variable to cut (-1: none) and the last place of the left half. Shapes (classes,)."""
    count = len(level.starts)
    gain, variable, place = np.zeros(count), np.full(count, -1, dtype=np.int16), np.zeros(count, dtype=np.int16)
    for v, column in enumerate(columns):
        first = np.minimum.reduceat(column, level.starts).astype(np.int64)
        width = np.maximum.reduceat(column, level.starts) - first + 1
        base = np.cumsum(width) - width - first
        cells = np.repeat(base, level.sizes)
        cells += column
        rows = np.bincount(cells, weights, int(width.sum()))
        present = np.flatnonzero(rows)
        owner = np.repeat(np.arange(count), width)[present]
        left = np.cumsum(rows[present]) - level.before[owner]
        allowed = np.flatnonzero((left >= k) & (level.rows[owner] - left >= k))
        if not len(allowed):
            continue
        of = owner[allowed]
        gains = _gains(space, v, present - base[owner], owner, allowed, left[allowed], level.rows[of])
        begins = np.flatnonzero(np.diff(of, prepend=-1))
        best = np.maximum.reduceat(gains, begins)
        better = best > gain[of[begins]] + ROUNDING
        hits = np.flatnonzero(
            (gains >= np.repeat(best, np.diff(begins, append=len(of)))) & np.repeat(better, np.diff(begins, append=len(of)))
        )
        hits = hits[np.diff(of[hits], prepend=-1) > 0]
        gain[of[hits]], variable[of[hits]] = gains[hits], v
        place[of[hits]] = (present[allowed[hits]] - base[of[hits]]).astype(np.int16)
    return variable, place


def _gains(space: Space, v: int, places: Ints, owner: Ints, allowed: Ints, left: Floats, rows: Floats) -> Floats:
    """What each allowed cut of variable v saves: the loss of the class less that of both halves, in rows times cost.

    `places`: the places that occur, class by class, of class `owner`; a cut is after one of them, `allowed`.
    """
    begins = np.flatnonzero(np.diff(owner, prepend=-1))  # no class is empty, so the index is its number
    ends = np.append(begins[1:], len(owner)) - 1
    low, high = begins[owner[allowed]], ends[owner[allowed]]
    table = space.tables[v]
    if table is None:
        scale = 1 / max(space.sizes[v] - 1, 1)
        return (rows * (high - low) - left * (allowed - low) - (rows - left) * (high - allowed - 1)) * scale
    flat, size = table.ravel(), len(table)
    first, last = places[low] * size, places[high]
    whole = flat.take(first + last)
    return rows * whole - left * flat.take(first + places[allowed]) - (rows - left) * flat.take(places[allowed + 1] * size + last)
