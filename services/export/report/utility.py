"""The cost of protection: the loss of detail of each variable, the possible change of headline shares. Pure."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.instrument import NON_SUBSTANTIVE
from proto.intervals import Interval, of_share
from services.export.dataset.variables import WITHHELD
from services.export.report.compared import ABSENT, ALL, EXACT, ComparedVariable, Value

STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Movements are told as "at most so much"."""
FEW = 0.05


class IdentifierDetail(msgspec.Struct, frozen=True):
    """One quasi-identifier. `loss`: NCP, 0 where every answer is exact, 1 where nothing is told; rows left out count 1.

    `rows`: how many rows show each level of detail, from exact to nothing.
    """

    name: str
    loss: float
    rows: dict[str, int]


class ReleasedHeadline(msgspec.Struct, frozen=True):
    """A share as the files give it: of the `answered` rows that tell whether they gave it. Its interval, and by how much at most it differs
    from that of all responses. `untold`: rows with a value that may hide such an answer, withheld or told too coarsely to say.

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
    untold: int
    within: Interval
    """Where the interval of the share of all responses lies: the hull of all that the bound leaves possible. A Wilson interval rises with
    its share, and is widest where the fewest answered."""


def identifier_detail(field: ComparedVariable, left_out: int) -> IdentifierDetail:
    """NCP (Xu et al., Utility-based anonymization, KDD 2006) by the number of occurring answers that a value covers."""
    inside = field.within[:, field.occurring].sum(axis=1)
    widths = np.maximum(inside - 1, 0) / max(int(field.occurring.sum()) - 1, 1)
    rows = dict.fromkeys((EXACT, *field.levels, ALL), 0)
    for value, count in zip(field.released, field.counts.tolist(), strict=True):
        rows[value.level] += count
    total = len(field.after) + left_out
    return IdentifierDetail(field.name, (float(widths @ field.counts) + left_out) / max(total, 1), rows)


def as_released(field: ComparedVariable, codes: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Returns these answers with those merged with them, and the codes of the merged values in the files ("" if none is merged)."""
    places = {place for place, code in enumerate(field.answers) if code in codes}
    values = [value for value, n in _counted(field) if n and value.code != WITHHELD and places & set(value.members)]
    if field.identifies or all(len(value.members) == 1 for value in values):
        return codes, ""
    merged = places.union(*(value.members for value in values))
    return tuple(field.answers[place] for place in sorted(merged)), " + ".join(value.code for value in values)


def headline(label: str, field: ComparedVariable, codes: tuple[str, ...]) -> ReleasedHeadline | None:
    """How far the share of those who gave one of these answers moved; None where no released row answers the question."""
    counted = np.isin(np.array(field.answers), np.array(codes))
    was, asked_was = field.given, int(field.given[field.substantive].sum())
    gave = np.array([_all(counted, value) for value in field.released])
    answering = gave | np.array([_all(field.substantive & ~counted, value) for value in field.released])
    silent = np.array([_all(~field.substantive, value) for value in field.released])
    asked, untold = int(field.counts[answering].sum()), int(field.counts[~answering & ~silent].sum())
    if asked < 1 or not asked_was:
        return None
    share = float(field.counts[gave].sum() / asked)
    apart = abs(share - float(was[counted].sum()) / asked_was)
    gone = len(field.before) - len(field.after)
    moved = at_most(max(apart, (gone + (untold if untold <= FEW * len(field.after) else 0)) / (asked + gone)))
    interval = of_share(share, asked)
    inside = moved <= min(share - interval[0], interval[1] - share)
    within = of_share(max(share - moved, 0.0), asked)[0], of_share(min(share + moved, 1.0), asked)[1]
    return ReleasedHeadline(label, field.name, asked, share, interval, moved, inside, untold, within)


def _all(of: NDArray[np.bool_], value: Value) -> bool:
    """Whether every answer that a value covers is one of these."""
    return len(value.members) > 0 and bool(of[list(value.members)].all())


def cut_off(field: ComparedVariable) -> bool:
    """Whether answers of a scale are withheld and one of its ends occurs in no row. Computed from the release alone."""
    if not field.ordered or field.identifies or not any(value.code == WITHHELD and n for value, n in _counted(field)):
        return False
    shown = {field.answers[place] for value, n in _counted(field) if n and value.code != WITHHELD for place in value.members}
    scale = [code for code in field.answers if code not in ABSENT and code not in NON_SUBSTANTIVE]
    return len(scale) > 2 and not {scale[0], scale[-1]} <= shown


def _counted(field: ComparedVariable) -> list[tuple[Value, int]]:
    return list(zip(field.released, field.counts.tolist(), strict=True))


def at_most(movement: float) -> float:
    """The least step that is not below this."""
    return 0.0 if movement <= 0 else next(step for step in STEPS if step >= movement - 1e-12)
