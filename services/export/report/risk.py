"""The risk of being found: in the release (prosecutor), on a public list (journalist), of all people at once (marketer). Pure.

Prosecutor, journalist, marketer: El Emam, Guide to the De-Identification of Personal Health Information (2013), chapter 16.
Each is the chance that a link is right, for somebody who knows the quasi-identifiers and nothing else. Who is known to have
answered hides among the rows of the release that look the same; who is not, among the units of the list that do.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.export.protect.request import Frame
from services.export.report import groups
from services.export.report.compared import ComparedVariable, Ints


class Risk(msgspec.Struct, frozen=True):
    """`highest`, `average`: the chance of a right link for the worst placed row, and over all rows. `alone`: rows with chance 1.

    `at_risk`: rows with a chance above the profile's 1/k. Shares between 0 and 1. The average is also what somebody
    reaches who links everybody at once, the marketer.
    """

    smallest: int
    highest: float
    average: float
    alone: float
    at_risk: float


def of(sizes: Ints, k: int) -> Risk:
    """`sizes[r]`: among how many row r hides."""
    many = np.maximum(sizes, 1)
    return Risk(
        smallest=int(many.min()),
        highest=float(1 / many.min()),
        average=float((1 / many).mean()),
        alone=float((many == 1).mean()),
        at_risk=float((many < k).mean()),
    )


def listed(fields: list[ComparedVariable], frame: Frame, released: bool) -> Ints:
    """How many units of a public list share the values of each row. Shape (rows of that side,).

    `frame.variables`: places in `fields`. A unit without a value on the list counts only where the row shows "*".
    """
    on_list = [fields[place] for place in frame.variables]
    of_row, counts = groups.after(on_list) if released else groups.before(on_list)
    example = np.zeros(len(counts), dtype=np.int64)
    example[of_row] = np.arange(len(of_row))
    inside = np.ones((len(counts), len(frame.counts)), dtype=bool)
    for field, codes in zip(on_list, frame.codes.T, strict=True):
        known = _known(field, released)
        inside &= known[(field.after if released else field.before)[example]][:, codes]
    return (inside @ frame.counts)[of_row]


def _known(field: ComparedVariable, released: bool) -> NDArray[np.bool_]:
    """Which units each value may belong to; the last column: units without a value on the list, which only "*" covers."""
    table = field.within if released else np.eye(len(field.answers), dtype=bool)
    return np.column_stack([table, table.all(axis=1)])


class KnownVariable(msgspec.Struct, frozen=True):
    """Somebody knows one more variable of a person: how many rows they then find alone, and in groups below k; before and after."""

    knows: str
    alone_before: float
    alone: float
    small_before: float
    small: float


def steps(fields: list[ComparedVariable], k: int) -> list[KnownVariable]:
    """Identification risk as quasi-identifiers are added one by one, the most identifying first."""
    order = sorted(fields, key=lambda field: (-_evenness(field), field.name))
    results: list[KnownVariable] = []
    for known in range(1, len(order) + 1):
        sizes = [counts[of_row] for of_row, counts in (groups.before(order[:known]), groups.after(order[:known]))]
        alone, small = [float((size == 1).mean()) for size in sizes], [float((size < k).mean()) for size in sizes]
        results.append(KnownVariable(order[known - 1].name, alone[0], alone[1], small[0], small[1]))
    return results


def _evenness(field: ComparedVariable) -> float:
    """Entropy of the answers, in nats."""
    shares = field.given[field.occurring] / max(len(field.before), 1)
    return float(-(shares * np.log(shares)).sum())
