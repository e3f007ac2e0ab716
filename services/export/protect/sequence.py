"""Sequences of releases: whoever holds all of them still faces k people, after any joins, changes and withdrawals.

Claim: for any releases of a survey, the people who are in all of them and look the same in each are at least k. So an attacker who
knows a person's quasi-identifiers, and in which releases it is, cannot come below k by intersecting them.

How: a person gets a class once, at the first release it is in, together with people who join at the same release; class and
released values never change afterwards, people only leave. Whoever is in release i and in a later release j is there with the same
class, so the intersection of any releases is what is left of the class in the last of them. A class that has fewer than k left,
or whose answers no longer are as diverse as asked, is held back whole, for good. People who join wait until they are enough.

No later release can repair a class that fell below k: the people who were in it and are still there are fewer than k already.
So the only choices are to hold it back, to invent people (which we do not), or to have built it larger: `spare`.

Those who join are few and unlike each other, so a class of theirs can lose most of its detail. The dearest of these classes wait, a small
share of the people at most: with whoever joins later they find nearer neighbours. Who waits follows from the quasi-identifiers alone.

Assumes that a response keeps its id for life. Does not protect against somebody who knows who left between two releases: the row
that vanished is theirs. A changed answer likewise shows as one changed row among the k of its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.export.protect import diversity, frame
from services.export.protect.hierarchy import Hierarchy, Ladder
from services.export.protect.protection import LEFT_OUT, Result, check, protect
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import Request, Sensitive

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DEAR, PATIENCE = 0.35, 0.01
"""People who join wait where their class would lose so much of its detail (NCP), and at most this share of all people does."""


@dataclass(frozen=True)
class Ledger:
    """Who was released how. `people`: the ids of responses, sorted. `groups[i]`: the class of each, -1 for one held back.

    `nodes[g]`: what class g is released with, as nodes of the hierarchies. Whoever withdrew is not in the next ledger.
    """

    people: NDArray[np.generic]
    groups: Ints
    nodes: NDArray[np.int32]


@dataclass(frozen=True)
class Step:
    """A release of a sequence. `held_back` lost their class; `waiting` joined and are too few yet."""

    result: Result
    ledger: Ledger
    held_back: Bools
    waiting: Bools


def release(
    people: NDArray[np.generic],
    codes: NDArray[np.integer],
    hierarchies: Sequence[Hierarchy],
    sensitive: Sequence[Sensitive],
    request: Request,
    ledger: Ledger | None = None,
    spare: int = 0,
    most_missing: float = 0.25,
    patience: float = PATIENCE,
) -> Step:
    """The next release of these people, given what was released of them before. The order of rows leaves no trace.

    `spare`: new classes have at least k + spare people, so that as many may leave before the class is held back.
    `patience`: the share of the people who at most wait because their class would lose too much.
    Raises Unprotectable where more than `most_missing` of the people would be held back or wait, and where nobody would remain.
    """
    check(codes, hierarchies, sensitive, request)
    if request.kind != "hierarchy":
        raise Unprotectable("A sequence of releases keeps its labels; ask for the kind hierarchy.")
    by_id = people[np.argsort(people, kind="stable")]
    if (by_id[1:] == by_id[:-1]).any():
        raise Unprotectable("The same response stands in the table twice.")
    ladders = [Ladder.of(hierarchy, codes[:, v]) for v, hierarchy in enumerate(hierarchies)]
    group, nodes, known = _former(people, codes, ladders, ledger)
    groups = len(nodes)
    standing = _standing(group, nodes, ladders, sensitive, request, request.k)
    group = np.where(standing[group], group, LEFT_OUT)  # index -1 is of those without a class, and stays
    new = np.flatnonzero(~known)
    if len(new) >= request.k + spare:
        fresh = _fresh(new, people, codes, hierarchies, sensitive, request, spare)
        if fresh is not None:
            classes, fresh_nodes = fresh
            if groups:
                classes = _patient(classes, fresh_nodes, ladders, patience * len(people))
            group[new] = np.where(classes == LEFT_OUT, LEFT_OUT, classes + groups)
            nodes = np.concatenate([nodes, fresh_nodes])
            standing = _standing(group, nodes, ladders, sensitive, request, request.k)
            group = np.where(standing[group], group, LEFT_OUT)
    missing = group == LEFT_OUT
    held_back, waiting = missing & known, missing & ~known
    _bearable(held_back, waiting, request, most_missing)
    live, compact = np.unique(group[~missing], return_inverse=True)
    groups_now = np.full(len(people), LEFT_OUT, dtype=np.int64)
    groups_now[~missing] = compact
    nodes = nodes[live]
    released = np.full(codes.shape, LEFT_OUT, dtype=np.int32)
    released[~missing] = nodes[groups_now[~missing]]
    result = Result(released, tuple(ladder.nodes for ladder in ladders), groups_now, _reasons(len(live), held_back, waiting, request.k))
    entered = np.flatnonzero(~waiting)
    entered = entered[np.argsort(people[entered], kind="stable")]
    return Step(result, Ledger(people[entered], groups_now[entered], nodes), held_back, waiting)


def _former(
    people: NDArray[np.generic], codes: NDArray[np.integer], ladders: list[Ladder], ledger: Ledger | None
) -> tuple[Ints, NDArray[np.int32], Bools]:
    """The class each person has from before, -1 for none, what the classes are released with, and who was released before.

    Whoever changed an answer so that the released values are no longer true of it has left its class for good.
    """
    group, known = np.full(len(people), LEFT_OUT, dtype=np.int64), np.zeros(len(people), dtype=bool)
    if ledger is None or not len(ledger.people):
        return group, np.zeros((0, len(ladders)), dtype=np.int32), known
    at = np.minimum(np.searchsorted(ledger.people, people), len(ledger.people) - 1)
    known = ledger.people[at] == people
    group[known] = ledger.groups[at[known]]
    for v, ladder in enumerate(ladders):
        inside = np.zeros((len(ladder.nodes), len(ladder.hierarchy.values)), dtype=bool)
        for index, node in enumerate(ladder.nodes):
            inside[index, list(node.members)] = True
        has = np.flatnonzero(group != LEFT_OUT)
        group[has[~inside[ledger.nodes[group[has], v], codes[has, v]]]] = LEFT_OUT
    return group, ledger.nodes, known


def _standing(
    group: Ints, nodes: NDArray[np.int32], ladders: list[Ladder], sensitive: Sequence[Sensitive], request: Request, k: int
) -> Bools:
    """Whether each class may be released as it is now; the entry behind the last is for those without a class."""
    count = len(nodes)
    if not count:
        return np.zeros(1, dtype=bool)
    has = group != LEFT_OUT
    holds = np.bincount(group[has], minlength=count) >= k
    for answer in sensitive:
        table, of_all = diversity.histograms(group[has], count, answer.of(has)), diversity.shares(answer)
        if request.diversity:
            holds &= diversity.diverse(table, request.diversity, answer.harmless)
        if request.closeness:
            holds &= diversity.close(table, request.closeness, of_all)
    if request.frame:
        on = [nodes[:, v].astype(np.int64) for v in request.frame.variables]
        holds &= frame.population(request.frame, ladders, on) >= request.frame.least
    return np.append(holds, False)


def _fresh(
    new: Ints,
    people: NDArray[np.generic],
    codes: NDArray[np.integer],
    hierarchies: Sequence[Hierarchy],
    sensitive: Sequence[Sensitive],
    request: Request,
    spare: int,
) -> tuple[Ints, NDArray[np.int32]] | None:
    """Classes of those who join, among themselves alone; None where they must wait."""
    own = [replace(answer, codes=answer.codes[new]) for answer in sensitive]
    try:
        result = protect(codes[new], hierarchies, own, replace(request, k=request.k + spare), people[new])
    except Unprotectable:
        return None
    kept = result.kept
    first = np.zeros(int(result.classes.max()) + 1, dtype=np.int64)
    first[result.classes[kept]] = np.flatnonzero(kept)
    return result.classes, result.released[first]


def _patient(classes: Ints, nodes: NDArray[np.int32], ladders: list[Ladder], most: float) -> Ints:
    """The classes without the dearest ones, of at most so many people."""
    loss = np.mean([ladder.costs[nodes[:, v]] for v, ladder in enumerate(ladders)], axis=0)
    dearest = np.argsort(-loss, kind="stable")
    many = np.cumsum(np.bincount(classes[classes != LEFT_OUT], minlength=len(nodes))[dearest])
    waits = np.zeros(len(nodes) + 1, dtype=bool)
    waits[dearest[(loss[dearest] > DEAR) & (many <= most)]] = True
    return np.where(waits[classes], LEFT_OUT, classes)


def _bearable(held_back: Bools, waiting: Bools, request: Request, most_missing: float) -> None:
    total, held, wait = len(held_back), int(held_back.sum()), int(waiting.sum())
    if held + wait == total:
        raise Unprotectable(f"Nobody of {total} could be released: {held} lost their class, {wait} are too few to form one. Wait for more.")
    if held + wait > most_missing * total:
        raise Unprotectable(
            f"{held} of {total} people would be held back, because fewer than {request.k} are left of the class they were released in, "
            f"and {wait} would wait. Build the first release with spare people per class, or start a new survey."
        )


def _reasons(classes: int, held_back: Bools, waiting: Bools, k: int) -> tuple[str, ...]:
    found = [f"{int((~(held_back | waiting)).sum())} rows stand in {classes} classes, each with the values it was first released with."]
    if held := int(held_back.sum()):
        found.append(
            f"{held} rows are held back: fewer than {k} are left of the class they were released in, or an answer changed out of it."
        )
    if wait := int(waiting.sum()):
        found.append(f"{wait} rows wait for more who join with them.")
    return tuple(found)
