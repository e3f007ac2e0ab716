"""95 % intervals of shares."""

from __future__ import annotations

from math import sqrt

Z = 1.959963984540054

Interval = tuple[float, float]


def wilson(share: float, rows: int) -> Interval:
    """Score interval of a share of so many rows (Wilson, JASA 22, 1927); from 0 to 1 where there are none."""
    if rows <= 0:
        return 0.0, 1.0
    spread = Z * Z / rows
    centre = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(max(share * (1 - share), 0.0) / rows + spread / (4 * rows)) / (1 + spread)
    return 0.0 if share <= 0 else max(centre - half, 0.0), 1.0 if share >= 1 else min(centre + half, 1.0)
