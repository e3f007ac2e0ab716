"""The linkage attack: somebody knows a few answers of some respondents, then looks for their rows in the release. Pure.

They take all rows whose released values may be those of the person and choose one at random, so that the chance of a right link
is 1 / (rows that fit). That they know the person to be in the release is assumed, which errs on the side of more risk.
"""

from __future__ import annotations

import msgspec
import numpy as np

from proto.intervals import Interval, of_share
from services.export.report import groups
from services.export.report.compared import Codes, ComparedVariable, Floats, Ints

SEED = 1
KNOWN = 0.1
MOST, WORK = 2_000, 300_000_000
"""People who are looked for at most; people × groups of rows that are compared at most."""


class Linked(msgspec.Struct, frozen=True):
    """`people` drawn at random with a fixed seed. `right`: expected share of right links; `certain`: exactly one row fits."""

    knows: tuple[str, ...]
    people: int
    right_before: float
    right: float
    interval: Interval
    certain_before: float
    certain: float


def link(fields: list[ComparedVariable]) -> Linked:
    """Linkage attack by somebody who knows these variables of a tenth of the respondents."""
    of_row, counts = groups.after(fields)
    example = np.zeros(len(counts), dtype=np.int64)
    example[of_row] = np.arange(len(of_row))
    shown = [field.after[example] for field in fields]
    rows = len(fields[0].before)
    people = max(min(int(np.ceil(KNOWN * rows)), MOST, WORK // len(counts)), 1)
    same_row, same = groups.before(fields)
    by_content = np.argsort(same_row, kind="stable")  # whoever is drawn does not depend on the order of arrival
    drawn = by_content[np.random.default_rng(SEED).choice(rows, people, replace=False)]
    fits = _fitting(fields, shown, counts, drawn)
    exactly = same[same_row[drawn]]
    right = float(np.divide(1, fits, out=np.zeros(people), where=fits > 0).mean())
    return Linked(
        tuple(field.name for field in fields),
        people,
        float((1 / exactly).mean()),
        right,
        of_share(right, people),
        float((exactly == 1).mean()),
        float((fits == 1).mean()),
    )


def _fitting(fields: list[ComparedVariable], shown: list[Codes], counts: Ints, drawn: Ints) -> Floats:
    """How many rows of the release fit each of these people. The variable with most answers first: few groups are left for the others."""
    order = sorted(range(len(fields)), key=lambda place: -len(fields[place].answers))
    first, others = order[0], order[1:]
    fitting: dict[int, Ints] = {}
    fitting_rows = np.zeros(len(drawn))
    for person, row in enumerate(drawn.tolist()):
        answer = int(fields[first].before[row])
        if answer not in fitting:
            fitting[answer] = np.flatnonzero(fields[first].within[:, answer][shown[first]])
        left = fitting[answer]
        for place in others:
            left = left[fields[place].within[:, fields[place].before[row]][shown[place][left]]]
        fitting_rows[person] = counts[left].sum()
    return fitting_rows
