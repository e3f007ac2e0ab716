"""Protects a table in three steps: cut, gather, repair.

Claim: every released combination of quasi-identifiers stands for at least k rows (Samarati and Sweeney 1998), and where asked for,
every class is l-diverse, t-close, and shared by enough units of a public list. Every released value contains the true one.
Assumes that the declared quasi-identifiers are all that an outsider knows. Does not protect against somebody who knows other
answers (see `uniques`), nor across releases (see `sequence`); k is no proof against every inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.export.protect import diversity, frame
from services.export.protect.combinations import Combinations, combine
from services.export.protect.cut import cut
from services.export.protect.even import even
from services.export.protect.gather import ClassPieces, gather
from services.export.protect.hierarchy import Ladder, Node, ValueHierarchy
from services.export.protect.refusal import Unprotectable
from services.export.protect.regions import Regions, Space
from services.export.protect.repair import repair
from services.export.protect.request import ProtectionRequest, Sensitive

Ints = NDArray[np.int64]

TOGETHER = {"sets": 48, "hierarchy": 1}
"""Cutting stops at so many combinations and leaves the rest to gathering. Sets gain by it; nodes of a hierarchy hardly."""
LEFT_OUT = -1


@dataclass(frozen=True)
class Result:
    """`released[r, v]`: which of `values[v]` row r gets in variable v. `classes[r]`: its class, -1 for a row left out."""

    released: NDArray[np.int32]
    values: tuple[tuple[Node, ...], ...]
    classes: Ints
    reasons: tuple[str, ...]

    @property
    def kept(self) -> NDArray[np.bool_]:
        return self.classes != LEFT_OUT

    def labels(self, variable: int) -> list[str]:
        """The labels of a variable for the rows that are kept."""
        names = [node.label for node in self.values[variable]]
        return [names[index] for index in self.released[self.kept, variable]]


def protect(
    codes: NDArray[np.integer],
    hierarchies: Sequence[ValueHierarchy],
    sensitive: Sequence[Sensitive],
    request: ProtectionRequest,
    tie: NDArray[np.generic] | None = None,
    within: Ints | None = None,
) -> Result:
    """The rows with their quasi-identifiers generalised. `codes`: rows × variables.

    Rows with the same quasi-identifiers are told apart by `tie` (any key of a row that sorts, such as a keyed hash of its id):
    with it the result does not depend on the order of the rows. `within`: classes that the result may only divide; one of them that
    has fewer than k rows stays whole, one whose sensitive answers are not as asked is left out whole. Raises Unprotectable with the reason.
    """
    check(codes, hierarchies, sensitive, request)
    ladders = [Ladder.of(hierarchy, codes[:, v]) for v, hierarchy in enumerate(hierarchies)]
    space = Space.hierarchy(ladders) if request.kind == "hierarchy" else Space.sets(ladders)
    columns: list[NDArray[np.integer[Any]]] = [ladder.place.astype(np.int16)[codes[:, v]] for v, ladder in enumerate(ladders)]
    combinations = combine(columns, [len(ladder) for ladder in ladders], within)
    pieces = ClassPieces.of(cut(combinations, space, request.k, TOGETHER[request.kind]), combinations.counts)
    pieces = gather(pieces, combinations, space, request.k)
    if request.even and within is None:
        pieces = even(pieces, combinations, space, request.k)
    classes = deal(pieces, combinations, tie)
    part, out = _repaired(classes, pieces, combinations, space, sensitive, request, within is None)
    into = np.where(out, LEFT_OUT, np.cumsum(~out) - 1)[part]
    classes = into[classes]
    pieces = ClassPieces(pieces.combination, into[pieces.classes], pieces.rows, int((~out).sum()))
    if not pieces.count:
        raise Unprotectable("Every row would have to be left out. Ask fewer quasi-identifiers, or wait for more responses.")
    released, values, climbed = _released(pieces, combinations, ladders, space, request)
    released = np.concatenate([released, np.full((1, len(ladders)), LEFT_OUT, dtype=np.int32)])  # what a row left out gets, at -1
    return Result(released.take(classes, axis=0, mode="wrap"), values, classes, _reasons(ladders, part, out, classes, climbed))


def deal(pieces: ClassPieces, combinations: Combinations, tie: NDArray[np.generic] | None) -> Ints:
    """The class of each row. The rows of a combination in several classes are dealt by `tie`, else as they came."""
    parts = np.bincount(pieces.combination, minlength=len(combinations.counts))
    whole = np.zeros(len(parts), dtype=np.int64)
    whole[pieces.combination] = pieces.classes
    classes = whole[combinations.of_row]
    rows = np.flatnonzero(parts[combinations.of_row] > 1)
    if len(rows):
        keys = (combinations.of_row[rows],) if tie is None else (tie[rows], combinations.of_row[rows])
        rows = rows[np.lexsort(keys)]
        split = np.flatnonzero(parts[pieces.combination] > 1)
        split = split[np.lexsort((pieces.classes[split], pieces.combination[split]))]
        classes[rows] = np.repeat(pieces.classes[split], pieces.rows[split])
    return classes


def check(
    codes: NDArray[np.integer], hierarchies: Sequence[ValueHierarchy], sensitive: Sequence[Sensitive], request: ProtectionRequest
) -> None:
    """Raises Unprotectable where rows, hierarchies and request do not fit each other."""
    if codes.ndim != 2 or codes.shape[1] != len(hierarchies):
        raise Unprotectable(f"{len(hierarchies)} hierarchies do not fit a table of shape {codes.shape}.")
    if not hierarchies:
        raise Unprotectable("No quasi-identifier is declared, so that nobody's group can be counted.")
    if request.k < 2:
        raise Unprotectable("With k below 2 nothing is protected.")
    if len(codes) < request.k:
        raise Unprotectable(f"{len(codes)} responses cannot form a group of {request.k}. Wait for more.")
    for v, hierarchy in enumerate(hierarchies):
        if len(hierarchy.above) != len(hierarchy.values) or (hierarchy.numbers and len(hierarchy.numbers) != len(hierarchy.values)):
            raise Unprotectable(f"The quasi-identifier {hierarchy.name} has no complete hierarchy: every value needs its steps.")
        if codes[:, v].min() < 0 or codes[:, v].max() >= len(hierarchy.values):
            raise Unprotectable(f"{hierarchy.name} holds a code that its hierarchy does not know.")
    for answer in sensitive:
        if len(answer.codes) != len(codes) or answer.codes.min() < 0 or answer.codes.max() >= answer.size:
            raise Unprotectable(f"The sensitive answer {answer.name} does not fit the rows.")
    if (request.diversity or request.closeness) and not sensitive:
        raise Unprotectable("Diversity and closeness need at least one sensitive answer.")
    if request.frame and request.kind != "hierarchy":
        raise Unprotectable("A public list is compared with nodes of hierarchies; ask for the kind hierarchy.")
    if request.frame and (units := int(request.frame.counts.sum())) < request.frame.least:
        raise Unprotectable(f"The public list knows {units} units in all, and {request.frame.least} are asked for.")


def _repaired(
    classes: Ints,
    pieces: ClassPieces,
    combinations: Combinations,
    space: Space,
    sensitive: Sequence[Sensitive],
    request: ProtectionRequest,
    everybody: bool,
) -> tuple[Ints, NDArray[np.bool_]]:
    """Which class each becomes part of so that all that is asked for holds, and which are left out. `everybody`: all may be joined."""
    count = int(classes.max()) + 1
    if not (request.diversity or request.closeness):
        return np.arange(count), np.zeros(count, dtype=bool)
    tables = [diversity.histograms(classes, count, answer) for answer in sensitive]
    shares = [diversity.shares(answer) for answer in sensitive]

    def standing(part: Ints, asked: Ints) -> NDArray[np.bool_]:
        holds = np.ones(len(asked), dtype=bool)
        members = np.flatnonzero(np.isin(part, asked))
        members = members[np.argsort(part[members], kind="stable")]
        starts = np.searchsorted(part[members], asked)
        for table, of_all, answer in zip(tables, shares, sensitive, strict=True):
            merged = np.add.reduceat(table[members], starts, axis=0)
            if request.diversity:
                holds &= diversity.diverse(merged, request.diversity, answer.harmless)
            if request.closeness:
                holds &= diversity.close(merged, request.closeness, of_all)
        return holds

    _possible(tables, sensitive, request)
    regions = space.covering(space.of(combinations).at(pieces.combination), pieces.classes, pieces.count)
    inside = np.zeros(count, dtype=np.int64)
    inside[pieces.classes] = combinations.within[pieces.combination]
    part, out = repair(regions, np.bincount(classes, minlength=count), space, standing, int(request.suppress * len(classes)), inside)
    fails = ~standing(part, np.arange(len(out))) & ~out
    if everybody and fails.any():
        raise Unprotectable("Even with everything generalised, what is asked for does not hold. Ask for less, or wait for more responses.")
    return part, out | fails


def _possible(tables: list[diversity.Histograms], sensitive: Sequence[Sensitive], request: ProtectionRequest) -> None:
    """Refuses what not even one class of everybody could hold."""
    for table, answer in zip(tables, sensitive, strict=True):
        whole = table.sum(axis=0, keepdims=True)
        if request.diversity and not diversity.diverse(whole, request.diversity, answer.harmless).all():
            raise Unprotectable(f"All answers to {answer.name} together are not {request.diversity.kind} {request.diversity.l:g}-diverse.")


def _node(ladder: Ladder, space: Space, regions: Regions, variable: int) -> Ints:
    first, last = space.spans_of(regions, variable)
    return ladder.joined[first, last]


def _released(
    pieces: ClassPieces, combinations: Combinations, ladders: list[Ladder], space: Space, request: ProtectionRequest
) -> tuple[NDArray[np.int32], tuple[tuple[Node, ...], ...], int]:
    """What each class is released with, as an index into the values of each variable; how many classes the public list widened."""
    live = pieces.classes != LEFT_OUT
    combination, classes = pieces.combination[live], pieces.classes[live]
    if request.kind == "hierarchy":
        regions = space.covering(space.of(combinations).at(combination), classes, pieces.count)
        nodes = [_node(ladder, space, regions, v) for v, ladder in enumerate(ladders)]
        climbed = 0
        if request.frame:
            nodes, climbed = frame.climb(request.frame, ladders, nodes)
        return np.stack(nodes, axis=1).astype(np.int32), tuple(ladder.nodes for ladder in ladders), climbed
    sets = [_sets(ladder, combinations.places[v][combination], classes, pieces.count) for v, ladder in enumerate(ladders)]
    return np.stack([index for index, _ in sets], axis=1).astype(np.int32), tuple(nodes for _, nodes in sets), 0


def _sets(ladder: Ladder, places: NDArray[np.int16], classes: Ints, count: int) -> tuple[Ints, tuple[Node, ...]]:
    """The set of values that occur in each class: an index into the distinct sets, and these."""
    present = np.zeros((count, len(ladder)), dtype=bool)
    present[classes, places] = True
    packed = np.packbits(present, axis=1)
    distinct, of_class = np.unique(packed, axis=0, return_inverse=True)
    values = ladder.hierarchy.values
    nodes: list[Node] = []
    for row in np.unpackbits(distinct, axis=1, count=len(ladder)):
        members = tuple(sorted(int(code) for code in ladder.order[np.flatnonzero(row)]))
        nodes.append(Node(values[members[0]] if len(members) == 1 else "{" + "|".join(values[m] for m in members) + "}", members))
    return of_class.ravel().astype(np.int64), tuple(nodes)


def _reasons(ladders: list[Ladder], part: Ints, out: NDArray[np.bool_], classes: Ints, climbed: int) -> tuple[str, ...]:
    sentences = [f"{len(classes)} rows stand in {len(out) - int(out.sum())} classes."]
    sentences += [f"{ladder.hierarchy.name} has the same value in every row and tells nothing." for ladder in ladders if len(ladder) == 1]
    if joined := len(part) - len(out):
        sentences.append(f"{joined} classes were large enough but said too much, and joined their nearest neighbour.")
    if climbed:
        sentences.append(f"{climbed} classes were widened, because too few units of the public list shared their values.")
    if left := int((classes == LEFT_OUT).sum()):
        sentences.append(f"{left} rows were left out: joining another class would have cost more than they tell.")
    return tuple(sentences)
