"""What protection cost: how much less exact each variable is, and how far the headline shares may have moved."""

from __future__ import annotations

import msgspec
import numpy as np

from proto.intervals import Interval, of_share
from services.export.report.compared import ALL, EXACT, Field

STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Movements are told as "at most so much"."""
FEW = 0.05


class Told(msgspec.Struct, frozen=True):
    """One quasi-identifier. `loss`: NCP, 0 where every answer is exact, 1 where nothing is told; rows left out count 1.

    `rows`: how many rows show each level of detail, from exact to nothing.
    """

    name: str
    loss: float
    rows: dict[str, int]


class Headline(msgspec.Struct, frozen=True):
    """A share of the released rows that answered, its interval, and by how much at most it differs from that of all responses.

    The share of all responses is not told: beside that of the rows it would tell the answers of those left out. The bound does not:
    where answers are exact, or few of them withheld, it follows from how many rows are left out or withheld, and that is told anyway.
    """

    label: str
    variable: str
    answered: int
    share: float
    interval: Interval
    moved: float
    inside: bool
    """Whether the interval holds the share of all responses, wherever within the bound it lies."""
    within: Interval
    """Where the interval of the share of all responses lies: the hull of all that the bound leaves possible. A Wilson interval rises with
    its share, and is widest where the fewest answered."""


def told(field: Field, left_out: int) -> Told:
    """NCP (Xu et al., Utility-based anonymization, KDD 2006) by the number of answers a value stands for, among those that occur."""
    inside = field.within[:, field.occurring].sum(axis=1)
    widths = np.maximum(inside - 1, 0) / max(int(field.occurring.sum()) - 1, 1)
    rows = dict.fromkeys((EXACT, *field.levels, ALL), 0)
    for value, count in zip(field.released, field.counts.tolist(), strict=True):
        rows[value.level] += count
    total = len(field.after) + left_out
    return Told(field.name, (float(widths @ field.counts) + left_out) / max(total, 1), rows)


def headline(label: str, field: Field, codes: tuple[str, ...]) -> Headline | None:
    """How the share of those who gave one of these answers moved; None where nobody who answered is released."""
    wanted = np.isin(np.array(field.answers), np.array(codes))
    was, now = field.given, field.counts @ field.spread
    asked_was, asked = int(was[field.substantive].sum()), float(now[field.substantive].sum())
    if asked < 1 or not asked_was:
        return None
    share = float(now[wanted].sum() / asked)
    apart = abs(share - float(was[wanted].sum()) / asked_was)
    gone = len(field.before) - len(field.after)
    moved = at_most(max(apart, (gone + _few(field)) / (asked + gone)))
    interval = of_share(share, round(asked))
    inside = moved <= min(share - interval[0], interval[1] - share)
    fewest = max(round(asked) - _coarse(field), 1)
    within = of_share(max(share - moved, 0.0), fewest)[0], of_share(min(share + moved, 1.0), fewest)[1]
    return Headline(label, field.name, round(asked), share, interval, moved, inside, within)


def _few(field: Field) -> int:
    """Rows whose answer is withheld or coarser, where they are few."""
    coarse = _coarse(field)
    return coarse if coarse <= FEW * len(field.after) else 0


def _coarse(field: Field) -> int:
    """Rows whose answer is withheld or coarser."""
    return int(sum(count for value, count in zip(field.released, field.counts.tolist(), strict=True) if len(value.members) > 1))


def at_most(movement: float) -> float:
    """The least step that is not below this."""
    return 0.0 if movement <= 0 else next(step for step in STEPS if step >= movement - 1e-12)
