"""Measures a protected table from what would be released: its risk, its loss of information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from services.export.protect import diversity, frame
from services.export.protect.anonymise import Result
from services.export.protect.combinations import combine, numbered
from services.export.protect.hierarchy import Ladder, Node, ValueHierarchy
from services.export.protect.request import Frame, Sensitive

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Measures:
    """`smallest`: k. `population`: the fewest units of a public list behind a released row, None without a list.

    `distinct`, `entropy`, `distance`, `ordered_distance`: l and t of the worst class, for each sensitive answer; l among classes
    with more than harmless answers, 0 without any. `loss`: NCP, 0 to 1,
    a row left out counting 1. `discernibility`: DM, squared class sizes plus all rows for each left out, per row.
    """

    rows: int
    left_out: int
    classes: int
    smallest: int
    population: int | None
    distinct: dict[str, int]
    entropy: dict[str, float]
    distance: dict[str, float]
    ordered_distance: dict[str, float]
    loss: float
    loss_of: dict[str, float]
    discernibility: float


@dataclass(frozen=True)
class Variety:
    """l and t of the worst class, of one sensitive answer."""

    distinct: int
    entropy: float
    distance: float
    ordered_distance: float

    @staticmethod
    def of(counts: diversity.Histograms, of_all: NDArray[np.float64], harmless: tuple[int, ...]) -> Variety:
        telling = counts[diversity.telling(counts, harmless)]
        most = counts.shape[1] if len(telling) else 0
        return Variety(
            int(diversity.distinct(telling).min(initial=most)),
            float(diversity.entropy(telling).min(initial=most)),
            float(diversity.distance(counts, of_all, False).max()),
            float(diversity.distance(counts, of_all, True).max()),
        )


def measure(
    codes: NDArray[np.integer],
    hierarchies: Sequence[ValueHierarchy],
    sensitive: Sequence[Sensitive],
    result: Result,
    listed: Frame | None = None,
) -> Measures:
    """Classes are counted from the released values, not taken from how they came about."""
    of_row, counts = numbered(zip(result.released[result.kept].T, map(len, result.values), strict=True), int(result.kept.sum()))
    varieties = {
        a.name: Variety.of(diversity.histograms(of_row, len(counts), a.of(result.kept)), diversity.shares(a), a.harmless) for a in sensitive
    }
    return measured(codes, hierarchies, varieties, result, listed)


def measured(
    codes: NDArray[np.integer],
    hierarchies: Sequence[ValueHierarchy],
    varieties: Mapping[str, Variety],
    result: Result,
    listed: Frame | None,
) -> Measures:
    """The same where it is known how varied the answers of the classes are."""
    kept = result.kept
    columns = list(result.released[kept].T)
    groups = combine(columns, [len(values) for values in result.values])
    sizes = groups.counts
    total, left = len(codes), int((~kept).sum())
    ladders = [Ladder.of(hierarchy, codes[:, v]) for v, hierarchy in enumerate(hierarchies)]
    widths = [np.array([width(ladder, node) for node in values]) for ladder, values in zip(ladders, result.values, strict=True)]
    losses = [(float(cost[column].sum()) + left) / total for cost, column in zip(widths, columns, strict=True)]
    nodes = [groups.places[v].astype(np.int64) for v in listed.variables] if listed else []
    return Measures(
        rows=total,
        left_out=left,
        classes=len(sizes),
        smallest=int(sizes.min()),
        population=int(frame.population(listed, ladders, nodes).min()) if listed else None,
        distinct={name: variety.distinct for name, variety in varieties.items()},
        entropy={name: variety.entropy for name, variety in varieties.items()},
        distance={name: variety.distance for name, variety in varieties.items()},
        ordered_distance={name: variety.ordered_distance for name, variety in varieties.items()},
        loss=float(np.mean(losses)),
        loss_of={hierarchy.name: loss for hierarchy, loss in zip(hierarchies, losses, strict=True)},
        discernibility=(float((sizes.astype(np.float64) ** 2).sum()) + left * total) / total,
    )


def width(ladder: Ladder, node: Node) -> float:
    """The normalised certainty penalty of one released value among the values that occur: 0 for exact, 1 for all."""
    at = ladder.place[list(node.members)]
    at = at[at >= 0]
    if len(at) <= 1:
        return 0.0
    costs = ladder.range_costs
    return float(costs[at].take(at, axis=1).max()) if costs is not None else (len(at) - 1) / (len(ladder) - 1)


def table_error(codes: NDArray[np.integer], hierarchies: Sequence[ValueHierarchy], sensitive: Sequence[Sensitive], result: Result) -> float:
    """TVD2: the total variation distance of two-way tables, mean of all pairs.

    Released values are spread evenly over what they stand for, rows left out are made up for by the others.
    """
    total = len(codes)
    ladders = [Ladder.of(hierarchy, codes[:, v]) for v, hierarchy in enumerate(hierarchies)]
    true = [ladder.place[codes[:, v]] for v, ladder in enumerate(ladders)] + [answer.codes for answer in sensitive]
    given = [*result.released[result.kept].astype(np.int64).T] + [answer.codes[result.kept] for answer in sensitive]
    spread = [_spread(ladder, values) for ladder, values in zip(ladders, result.values, strict=True)] + [np.eye(a.size) for a in sensitive]
    used = [np.unique(values, return_inverse=True) for values in given]
    errors: list[float] = []
    for one, other in combinations(range(len(true)), 2):
        shape = spread[one].shape[1], spread[other].shape[1]
        exact = np.bincount(true[one] * shape[1] + true[other], minlength=shape[0] * shape[1]).reshape(shape)
        (first, at_first), (second, at_second) = used[one], used[other]
        table = np.bincount(at_first * len(second) + at_second, minlength=len(first) * len(second)).reshape(len(first), len(second))
        estimate = spread[one][first].T @ table @ spread[other][second]
        errors.append(float(np.abs(estimate * (total / max(estimate.sum(), 1)) - exact).sum()) / total / 2)
    return float(np.mean(errors)) if errors else 0.0


def _spread(ladder: Ladder, values: tuple[Node, ...]) -> NDArray[np.float64]:
    weights = np.zeros((len(values), len(ladder)))
    for index, node in enumerate(values):
        at = ladder.place[list(node.members)]
        at = at[at >= 0]
        weights[index, at] = 1 / max(len(at), 1)
    return weights
