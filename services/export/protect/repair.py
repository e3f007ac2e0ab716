"""Repairing: classes that are large enough but say too much join their nearest neighbour, or are left out.

The sensitive answers decide only whether a class stands, never along which variable rows are parted: whoever runs the public
algorithm on the released labels learns nothing from where the cuts are (Wong et al., Minimality attack, VLDB 2007).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.export.protect.regions import Regions, Space

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEIGHBOURS = 3
"""So many classes before and after, in the order of each variable, are looked at for joining."""

NOBODY = -1

Standing = Callable[[Ints, Ints], Bools]
"""Whether some classes stand, given which class each original class is part of, and which are asked about."""


def repair(regions: Regions, rows: Ints, space: Space, standing: Standing, spare: int, within: Ints) -> tuple[Ints, Bools]:
    """For each class, the class it is part of in the end; for each class in the end, whether its rows are left out.

    Only classes of the same `within` join. At most `spare` rows are left out. Where nothing helps, one class that does not stand remains.
    """
    part = np.arange(len(rows))
    out = np.zeros(len(rows), dtype=bool)
    stands = standing(part, part)
    while True:
        bad = np.flatnonzero(~stands & ~out)
        if not len(bad):
            break
        partner, extra = _nearest(bad, np.flatnonzero(~out), regions, rows, space, within)
        some = partner != NOBODY
        if not some.any():
            break
        bad, partner, extra = bad[some], partner[some], extra[some]
        dear = extra > rows[bad] * (len(space.sizes) - space.cost(regions.at(bad)))
        if dear.any() and spare:
            costly = np.flatnonzero(dear)
            costly = costly[np.argsort(-extra[costly], kind="stable")]
            costly = costly[np.cumsum(rows[bad[costly]]) <= spare]
            if len(costly):
                out[bad[costly]] = True
                spare -= int(rows[bad[costly]].sum())
                continue
        joined, into = _matching(bad, partner, extra, len(rows))
        regions.put(into, regions.at(into).join(regions.at(joined)))
        rows = rows.copy()
        rows[into] += rows[joined]
        to = np.arange(len(rows))
        to[joined] = into
        remains = np.ones(len(rows), dtype=bool)
        remains[joined] = False
        number = np.cumsum(remains) - 1
        part, out, rows, stands, within = number[to[part]], out[remains], rows[remains], stands[remains], within[remains]
        regions = regions.at(remains)
        larger = np.unique(number[into])
        stands[larger] = standing(part, larger)
    return part, out


def _nearest(bad: Ints, live: Ints, regions: Regions, rows: Ints, space: Space, within: Ints) -> tuple[Ints, NDArray[np.float64]]:
    """For each bad class the live one whose join loses least, NOBODY where it is alone, and how much that is."""
    inside = regions.at(live)
    tracks = [*inside.spans, *inside.sets]
    where = np.searchsorted(live, bad)
    best, loss = np.full(len(bad), NOBODY, dtype=np.int64), np.full(len(bad), np.inf)
    before = rows[bad] * space.cost(regions.at(bad)).astype(np.float64)
    for turn in range(len(tracks)):
        order = np.lexsort([*tracks[turn:], *tracks[:turn], within[live]])
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        for step in [s for distance in range(1, NEIGHBOURS + 1) for s in (-distance, distance)]:
            at = rank[where] + step
            other = live[order[np.clip(at, 0, len(live) - 1)]]
            wide = space.cost(regions.at(bad).join(regions.at(other))).astype(np.float64)
            more = (rows[bad] + rows[other]) * wide - before - rows[other] * space.cost(regions.at(other))
            may = (at >= 0) & (at < len(live)) & (within[other] == within[bad])
            better = may & ((more < loss) | ((more == loss) & (other < best)))
            best[better], loss[better] = other[better], more[better]
    return best, loss


def _matching(bad: Ints, partner: Ints, extra: NDArray[np.float64], count: int) -> tuple[Ints, Ints]:
    """Joins that do not touch each other, the cheapest first: each is the cheapest of both its classes."""
    rank = np.empty(len(bad), dtype=np.int64)
    rank[np.lexsort((partner, bad, extra))] = np.arange(len(bad))
    least = np.full(count, len(bad))
    np.minimum.at(least, bad, rank)
    np.minimum.at(least, partner, rank)
    taken = (least[bad] == rank) & (least[partner] == rank)
    return bad[taken], partner[taken]
