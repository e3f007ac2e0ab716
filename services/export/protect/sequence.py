"""Sequences of releases: who holds all of them still faces k people, whoever joined, changed or withdrew.

Releases are wide, for everybody, or narrow, for research, which asks less and tells more.

Claim: take somebody who is in a release, and any releases before it. The people who are in this release too, are in the same of the
others, and look the same in each are at least k: the narrow rule's k where one of those the person is in is narrow, else the wide
rule's. So an attacker who knows a person's quasi-identifiers, and in which releases it is, cannot come below k by intersecting them.

How: a person gets a wide class once, together with people who come in at the same release, and within it a narrow class once, at the
first narrow release after that, together with all of the wide class. Classes and released values never change afterwards, people only
leave. Wide releases show wide classes, narrow ones narrow classes, each whole or not at all. A narrow class that has fewer than k left,
or whose answers no longer are as diverse as asked, leaves the sequence for good, wide releases too: its few people would be told apart
by whoever holds a narrow release. A wide class whose people are then too few, or too much alike, is held back from the wide release.
People who come in wait until they are enough.

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

from services.export.protect.anonymise import LEFT_OUT, Result, check
from services.export.protect.classes import Classes, ProtectionTable
from services.export.protect.hierarchy import Ladder, ValueHierarchy
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import ProtectionRequest, Sensitive

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DEAR, PATIENCE = 0.35, 0.01
"""People who join wait where their class would lose so much of its detail (NCP), and at most this share of all people does."""


@dataclass(frozen=True)
class SequenceRules:
    """What wide releases ask, and narrow ones, where there may be any. `spare`: new classes have at least k + spare people, so that
    as many may leave before the class is held back.
    """

    wide: ProtectionRequest
    narrow: ProtectionRequest | None = None
    spare: int = 0


@dataclass(frozen=True)
class Ledger:
    """The classes of everybody released so far. `people`: ids of responses, sorted; withdrawn ones are absent from the next ledger.

    Without a wide class somebody has left the sequence for good; without a narrow one they may still get one.
    """

    people: NDArray[np.generic]
    wide: Classes
    narrow: Classes


@dataclass(frozen=True)
class SequenceStep:
    """A release of a sequence. `held_back` were released before and are not now; `waiting` came and are too few yet."""

    result: Result
    ledger: Ledger
    held_back: Bools
    waiting: Bools


def release(
    people: NDArray[np.generic],
    codes: NDArray[np.integer],
    hierarchies: Sequence[ValueHierarchy],
    sensitive: Sequence[Sensitive],
    rules: SequenceRules,
    ledger: Ledger | None = None,
    narrow: bool = False,
    most_missing: float = 0.25,
    patience: float = PATIENCE,
) -> SequenceStep:
    """The next release of these people, wide or narrow, given what was released of them before. The order of rows leaves no trace.

    `patience`: the share of the people who at most wait because their class would lose too much.
    Raises Unprotectable where more than `most_missing` of the people would be held back or wait, and where nobody would remain.
    """
    asked = _asked(rules, narrow)
    check(codes, hierarchies, sensitive, asked)
    by_id = people[np.argsort(people, kind="stable")]
    if (by_id[1:] == by_id[:-1]).any():
        raise Unprotectable("The same response stands in the table twice.")
    table = ProtectionTable(
        people, codes, hierarchies, sensitive, [Ladder.of(hierarchy, codes[:, v]) for v, hierarchy in enumerate(hierarchies)]
    )
    wide, fine, known = _former(table, ledger)
    if rules.narrow is not None:  # a narrow class goes from wide releases too, so that one pass is enough: wide classes come after
        lost = (fine.of != LEFT_OUT) & ~table.standing(fine, rules.narrow)
        wide, fine = wide.only(~lost), fine.only(~lost)
    new = np.flatnonzero(~known)
    wide = _with_newcomers(table, wide, new, rules, patience)
    missing = wide.of == LEFT_OUT
    if narrow:
        if not _few_missing(missing, most_missing):  # rather without wide releases than without this one
            left = new[missing[new]]
            wide = wide.joined(left, _one_class(table, left))
        fine = _narrowed(table, wide, fine, asked, rules.spare)
        shown = fine
    else:
        shown = wide.only(table.standing(wide, rules.wide))
    missing = shown.of == LEFT_OUT
    held_back, waiting = missing & known, missing & ~known
    if not _few_missing(missing, most_missing):
        raise Unprotectable(_too_many_missing(held_back, waiting, asked.k))
    live, compact = np.unique(shown.of[~missing], return_inverse=True)
    classes = np.full(len(people), LEFT_OUT, dtype=np.int64)
    classes[~missing] = compact
    released = np.full(codes.shape, LEFT_OUT, dtype=np.int32)
    released[~missing] = shown.nodes[shown.of[~missing]]
    reasons = _reasons(len(live), held_back, waiting, asked.k)
    result = Result(released, tuple(ladder.nodes for ladder in table.ladders), classes, reasons)
    entered = np.flatnonzero(~waiting)
    entered = entered[np.argsort(people[entered], kind="stable")]
    return SequenceStep(result, Ledger(people[entered], wide.at(entered), fine.at(entered)), held_back, waiting)


def _asked(rules: SequenceRules, narrow: bool) -> ProtectionRequest:
    asked = rules.narrow if narrow else rules.wide
    if asked is None:
        raise Unprotectable("No narrow rule is given.")
    if any(rule is not None and (rule.kind != "hierarchy" or rule.even) for rule in (rules.wide, rules.narrow)):
        raise Unprotectable("A sequence of releases keeps its labels; ask for the kind hierarchy, and not for evening out.")
    return asked


def _former(table: ProtectionTable, ledger: Ledger | None) -> tuple[Classes, Classes, Bools]:
    """Each person's former wide and narrow class, and who was released before. An answer that no longer fits one class loses both."""
    if ledger is None or not len(ledger.people):
        none = Classes.none(len(table.people), len(table.ladders))
        return none, none, np.zeros(len(table.people), dtype=bool)
    at = np.minimum(np.searchsorted(ledger.people, table.people), len(ledger.people) - 1)
    known = ledger.people[at] == table.people
    was = ledger.narrow.at(at).only(known)
    wide, fine = table.true(ledger.wide.at(at).only(known)), table.true(was)
    stays = (wide.of != LEFT_OUT) & ((fine.of != LEFT_OUT) | (was.of == LEFT_OUT))
    return wide.only(stays), fine.only(stays), known


def _with_newcomers(table: ProtectionTable, wide: Classes, new: Ints, rules: SequenceRules, patience: float) -> Classes:
    """Adds wide classes for new people, except classes that break the rules or cost too much detail."""
    asked = replace(rules.wide, k=rules.wide.k + rules.spare)
    fresh = table.classes(new, asked) if len(new) >= asked.k else None
    if fresh is None:
        return wide
    if len(wide.nodes):
        fresh = _without_costly(fresh, table.ladders, patience * len(table.people))
    joined = wide.joined(new, fresh)
    came = np.zeros(len(wide.of), dtype=bool)
    came[new] = True
    return joined.only(~came | table.standing(joined, rules.wide))


def _one_class(table: ProtectionTable, rows: Ints) -> Classes:
    """One class of all these people, every variable generalised to "*"."""
    top = np.array([[len(ladder.nodes) - 1 for ladder in table.ladders]], dtype=np.int32)
    return Classes(np.zeros(len(rows), dtype=np.int64), top)


def _narrowed(table: ProtectionTable, wide: Classes, fine: Classes, asked: ProtectionRequest, spare: int) -> Classes:
    """Adds narrow classes for people without one: of all members of a wide class, or of none."""
    rows = np.flatnonzero((wide.of != LEFT_OUT) & (fine.of == LEFT_OUT))
    if len(rows) < asked.k:
        return fine
    _, within = np.unique(wide.of[rows], return_inverse=True)
    narrow = table.classes(rows, replace(asked, k=asked.k + spare), within.astype(np.int64))
    if narrow is None:
        return fine
    finer = fine.joined(rows, narrow)
    return finer.only(table.standing(finer, asked))


def _without_costly(classes: Classes, ladders: list[Ladder], most: float) -> Classes:
    """Removes the classes that lose most detail, as long as they have at most `most` people."""
    loss = np.mean([ladder.costs[classes.nodes[:, v]] for v, ladder in enumerate(ladders)], axis=0)
    dearest = np.argsort(-loss, kind="stable")
    many = np.cumsum(np.bincount(classes.of[classes.of != LEFT_OUT], minlength=len(classes.nodes))[dearest])
    waits = np.zeros(len(classes.nodes) + 1, dtype=bool)
    waits[dearest[(loss[dearest] > DEAR) & (many <= most)]] = True
    return classes.only(~waits[classes.of])


def _few_missing(missing: Bools, most_missing: float) -> bool:
    return not missing.all() and int(missing.sum()) <= most_missing * len(missing)


def _too_many_missing(held_back: Bools, waiting: Bools, k: int) -> str:
    total, held, wait = len(held_back), int(held_back.sum()), int(waiting.sum())
    if held + wait == total:
        return f"Nobody of {total} could be released: {held} lost their class, {wait} are too few to form one. Wait for more."
    return (
        f"{held} of {total} people would be held back, because fewer than {k} are left of the class they were released in, "
        f"and {wait} would wait. Build the first release with spare people per class, or start a new survey."
    )


def _reasons(classes: int, held_back: Bools, waiting: Bools, k: int) -> tuple[str, ...]:
    sentences = [
        f"{int((~(held_back | waiting)).sum()):,} rows stand in {classes:,} classes, each with the values it was first released with."
    ]
    if held := int(held_back.sum()):
        sentences.append(
            f"{held:,} rows are held back: fewer than {k} are left of the class they were released in, or an answer changed out of it."
        )
    if wait := int(waiting.sum()):
        sentences.append(f"{wait:,} rows wait for more who join with them.")
    return tuple(sentences)
