"""The inference attack: somebody finds a person's group in the release, then reads from it what the person answered. Pure.

They guess the most frequent answer of the group. What that tells about the person, and not only about people like them, shows beside a
control: the same guess made from the others of the group alone, as if the person had not answered (leave-one-out; the control group
of Giomi and others, A unified framework for quantifying privacy risk in synthetic data, PETS 2023, made exact). Homogeneity, skewness
and similarity: Machanavajjhala et al., ICDE 2006, and Li, Li and Venkatasubramanian, ICDE 2007.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.intervals import Interval, of_share
from services.export.protect import diversity
from services.export.report import groups
from services.export.report.compared import Codes, ComparedVariable, Ints

NEAR = 2
"""Neighbouring steps of a scale that count as similar, where the scale has at least twice as many."""


class Inferred(msgspec.Struct, frozen=True):
    """Of one sensitive variable. `blind`: guessing the answer most frequent in the whole release, of everybody. `before`: from the
    answers as they were given; `reached`: from the release; `control`: from it without the person. Shares of right guesses.

    `homogeneous`: rows in a group that gave one and the same answer (to leave a question or an option out is none). `similar`: rows in
    a group whose answers lie within two neighbouring steps of a scale; None where there is no scale. `variety`: entropy l of the
    worst group, `distance`: its t.
    """

    name: str
    blind: float
    before: float
    reached: float
    interval: Interval
    control: float
    homogeneous: float
    similar: float | None
    variety: float
    distance: float

    @property
    def gain(self) -> float:
        return self.reached - self.control


def infer(sensitive: list[ComparedVariable], identifiers: list[ComparedVariable]) -> list[Inferred]:
    """Inference about each sensitive variable, the largest gain first."""
    was, now = _several(groups.before(identifiers)), groups.after(identifiers)
    inferred = [_of(field, was, now) for field in sensitive]
    return sorted(inferred, key=lambda variable: (-variable.gain, variable.name))


def guessed(counts: Ints) -> tuple[float, float]:
    """The share of right guesses from groups (rows: groups, columns: answers), with the person and without."""
    if counts.shape[1] < 2:
        return 1.0, 1.0
    first = second = np.zeros(len(counts), counts.dtype)
    for column in counts.T:
        first, second = np.maximum(first, column), np.maximum(second, np.minimum(first, column))
    rows = int(counts.sum())
    others = 1 + (counts == second[:, None]).sum(axis=1)  # all that would be most frequent, were one of the first away
    without = np.where(first - 1 > second, first, np.where(first - 1 == second, first / others, 0))
    without[first == counts.sum(axis=1)] *= first[first == counts.sum(axis=1)] > 1  # alone: nobody else to learn from
    return float(first.sum() / max(rows, 1)), float(without.sum() / max(rows, 1))


def histogram(group: tuple[Ints, Ints], codes: Codes, size: int) -> Ints:
    of_row, counts = group
    return np.bincount(of_row + codes * np.int64(len(counts)), minlength=len(counts) * size).reshape(size, len(counts)).T


def _several(group: tuple[Ints, Ints]) -> tuple[NDArray[np.intp], tuple[Ints, Ints]]:
    """Which rows are not alone in their group, and the groups of these. A row alone in its group is always guessed right."""
    of_row, counts = group
    number = np.cumsum(counts > 1) - 1
    rows = np.flatnonzero(counts[of_row] > 1)
    return rows, (number[of_row[rows]], counts[counts > 1])


def _guessed_before(field: ComparedVariable, was: tuple[NDArray[np.intp], tuple[Ints, Ints]]) -> float:
    rows, group = was
    most = histogram(group, field.before[rows], len(field.answers)).max(axis=1).sum() if len(rows) else 0
    return float((most + len(field.before) - len(rows)) / max(len(field.before), 1))


def _of(field: ComparedVariable, was: tuple[NDArray[np.intp], tuple[Ints, Ints]], now: tuple[Ints, Ints]) -> Inferred:
    table = histogram(now, field.after, len(field.released))
    rows = int(table.sum())
    in_all = table.sum(axis=0)
    reached, control = guessed(table)
    real = np.array([field.substantive[list(value.members)].all() for value in field.released])
    alike = ((table > 0).sum(axis=1) == 1) & field.telling[table.argmax(axis=1)]
    size = table.sum(axis=1)
    return Inferred(
        name=field.name,
        blind=float(in_all.max() / max(rows, 1)),
        before=_guessed_before(field, was),
        reached=reached,
        interval=of_share(reached, rows),
        control=control,
        homogeneous=float(size[alike].sum() / max(rows, 1)),
        similar=_similar(table, real) if field.ordered and int(real.sum()) >= 2 * NEAR else None,
        variety=float(diversity.entropy(table).min()),
        distance=float(diversity.distance(table, in_all / max(rows, 1), False).max()),
    )


def _similar(table: Ints, real: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Rows in groups all of whose answers, in the order of the scale, are neighbours. The share of all rows."""
    steps = table[:, real] > 0
    first, last = steps.argmax(axis=1), steps.shape[1] - 1 - steps[:, ::-1].argmax(axis=1)
    near = steps.any(axis=1) & (last - first < NEAR) & ~(table[:, ~real] > 0).any(axis=1)
    return float(table[near].sum() / max(int(table.sum()), 1))
