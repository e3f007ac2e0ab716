"""Evening out: large groups of identical rows share a class with their nearest equals, where a release should have no large classes.

Nobody is safer for it. It lowers the discernibility of the release (Bayardo and Agrawal, ICDE 2005), which counts large
exact groups as loss too, at the price of a few values generalised to the next neighbour; so it is done on request alone.
Both neighbours give equally many rows, and so no two-way table of the quasi-identifiers between them is shifted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.export.protect.combinations import Combinations
from services.export.protect.gather import ClassPieces
from services.export.protect.regions import Regions, Space

LARGEST = 1024
"""At most so many groups are evened out."""
SHARE = 6
"""Of a + b rows, this part from each gives the least sum of squares of what is left and what is shared."""


def even(pieces: ClassPieces, combinations: Combinations, space: Space, k: int) -> ClassPieces:
    """Groups of at least 2 k identical rows, the largest first, give to a class shared with their nearest neighbour."""
    alone = np.bincount(pieces.classes, minlength=pieces.count)[pieces.classes] == 1
    rows, combination, classes = pieces.rows.copy(), pieces.combination, pieces.classes
    large = np.flatnonzero(alone & (rows >= 2 * k))
    large = large[np.lexsort((combination[large], -rows[large]))][:LARGEST]
    shared: list[tuple[int, int, int]] = []
    for one, other in _pairs(large, rows, space.of(combinations).at(combination[large]), space):
        moved = int(rows[one] + rows[other]) // SHARE
        if 2 * moved >= k and min(rows[one], rows[other]) - moved >= k:
            rows[[one, other]] -= moved
            shared.append((one, other, moved))
    if not shared:
        return pieces
    ones, others, moved = (np.array(column, dtype=np.int64) for column in zip(*shared, strict=True))
    new = pieces.count + np.arange(len(shared))
    return ClassPieces(
        np.concatenate([combination, combination[ones], combination[others]]),
        np.concatenate([classes, new, new]),
        np.concatenate([rows, moved, moved]),
        pieces.count + len(shared),
    )


def _pairs(large: NDArray[np.int64], rows: NDArray[np.int64], regions: Regions, space: Space) -> list[tuple[int, int]]:
    """Each group at most once, the pairs that save most for their cost first."""
    if len(large) < 2:
        return []
    cost = space.cost(regions.at((slice(None), None)).join(regions.at(slice(None)).at((None,))))
    size = rows[large].astype(np.float32)
    worth = (size[:, None] + size) / np.maximum(cost, np.float32(1e-6))
    worth[np.tril_indices(len(large))] = 0
    first, second = np.unravel_index(np.argsort(-worth, axis=None, kind="stable")[: 16 * len(large)], worth.shape)
    free, pairs = set(range(len(large))), list[tuple[int, int]]()
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        if one < other and one in free and other in free:  # the other half of the table, with its diagonal, is worth nothing
            free -= {one, other}
            pairs.append((int(large[one]), int(large[other])))
    return pairs
